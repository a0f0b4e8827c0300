// ControlPlane: a controller as a process: the manager on a real cluster, and what it shows of
// itself: health, metrics, a word about rights that it lacks.
#pragma once

#include "cmd/controller_command.h"
#include "controllers/manager.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/config.h"
#include "kube/exec.h"
#include "kube/http_server.h"
#include "kube/log.h"
#include "kube/metrics.h"
#include "kube/random.h"
#include "kube/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <map>
#include <memory>
#include <string>

namespace stillpoint::cmd {

// Threads: call every method on the executor given to the constructor.
// Lifetime: the clock must outlive it. Run() must have returned before destruction.
class ControlPlane {
 public:
  ControlPlane(boost::asio::any_io_executor executor, kube::Config config, kube::Clock& clock,
               ControllerFlags flags, kube::LogFn log);
  ~ControlPlane();

  enum class End { kStopped, kLeaseLost, kCannotServe };

  // Runs until RequestStop(), or until the lease is lost.
  [[nodiscard]] boost::asio::awaitable<End> Run();

  // May be called at any time, also before Run().
  void RequestStop();

 private:
  [[nodiscard]] boost::asio::awaitable<void> NameMissingRights();
  [[nodiscard]] bool StartServers();
  [[nodiscard]] bool Serve(const std::string& where, std::unique_ptr<kube::HttpServer>* server,
                           const std::map<std::string, kube::HttpServer::Handler>& handlers);
  void ExposeMetrics();
  [[nodiscard]] kube::HttpAnswer Ready() const;

  const boost::asio::any_io_executor executor_;
  kube::Clock& clock_;
  const ControllerFlags flags_;
  const kube::Config config_;
  const kube::LogFn log_;
  kube::Random random_;
  const std::string identity_;

  kube::Metrics metrics_;
  const std::unique_ptr<kube::Client> client_;
  const std::unique_ptr<kube::ExecClient> exec_;
  controllers::Manager manager_;

  std::unique_ptr<kube::HttpServer> health_;          // null: not served
  std::unique_ptr<kube::HttpServer> metrics_server_;  // null: not served
  kube::TaskGroup tasks_;
};

}  // namespace stillpoint::cmd
