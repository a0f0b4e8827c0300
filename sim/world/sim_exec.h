// SimExec: kube::ExecClient of one life over the network of the simulation. As the real one it
// first reads the pod, for its UID and the container that runs; the server then looks for the name
// again, and starts the command in whoever has it by then.
#pragma once

#include "kube/exec.h"
#include "sim/world/network.h"
#include "sim/world/sim_client.h"
#include "sim/world/sim_clock.h"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <string>

namespace stillpoint::sim {

// Threads, lifetime, cancellation: as kube::ExecClient.
class SimExec final : public kube::ExecClient {
 public:
  SimExec(World& world, Network& network, SimClient& client, SimClock& clock, int life)
      : world_(world), network_(network), client_(client), clock_(clock), life_(life) {}

  [[nodiscard]] boost::asio::awaitable<api::Result<std::unique_ptr<kube::ExecSession>>> Start(
      kube::ExecRequest request) override;

  // The life is over: whoever asks for anything now aborts the run.
  void Close() { closed_ = true; }

 private:
  using Session = std::unique_ptr<kube::ExecSession>;

  [[nodiscard]] boost::asio::awaitable<api::Result<Session>> Within(kube::ExecRequest request);
  [[nodiscard]] boost::asio::awaitable<api::Result<Session>> Open(kube::ExecRequest request);
  [[nodiscard]] boost::asio::awaitable<api::Result<Session>> Connect(kube::ExecRequest request,
                                                                     std::string container_id);

  World& world_;
  Network& network_;
  SimClient& client_;
  SimClock& clock_;
  const int life_;
  bool closed_ = false;
};

}  // namespace stillpoint::sim
