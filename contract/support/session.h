// Session: one namespace of the server under test, and everything that a test may ask there. The
// calls block; they run the product's own clients to their end.
#pragma once

#include "api/resource.h"
#include "contract/support/json.h"
#include "contract/support/raw_http.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/config.h"
#include "kube/exec.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::contract {

// What a command in a container said and how it ended.
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
  std::size_t dropped = 0;          // kube::ExecEvent::dropped
  std::optional<api::Error> error;  // instead of an exit code
};

// Threads: one. Errors: throws std::runtime_error with the server's words; GoogleTest reports it.
// Every wait has a deadline, which no healthy server comes near.
class Session {
 public:
  static constexpr std::chrono::seconds kPatience{90};

  // Makes the namespace; the destructor deletes it and does not wait until it is gone.
  explicit Session(const std::string& name);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] const std::string& ns() const { return ns_; }
  [[nodiscard]] const kube::Config& config() const { return config_; }
  [[nodiscard]] boost::asio::any_io_executor executor() { return io_.get_executor(); }
  [[nodiscard]] kube::Clock& clock() { return *clock_; }
  [[nodiscard]] kube::Client& client() { return *client_; }
  [[nodiscard]] kube::ExecClient& exec();

  // ---- requests; a namespaced one without a namespace is for this one ----

  [[nodiscard]] api::Result<Json> Try(kube::Request request);
  Json Do(kube::Request request);
  // All under way at once.
  [[nodiscard]] std::vector<api::Result<Json>> Together(std::vector<kube::Request> requests);

  Json Create(const api::Resource& resource, Json body);
  [[nodiscard]] Json Get(const api::Resource& resource, const std::string& name);
  [[nodiscard]] bool Exists(const api::Resource& resource, const std::string& name);
  Json Merge(const api::Resource& resource, const std::string& name, Json body,
             const std::string& subresource = "");
  Json Delete(const api::Resource& resource, const std::string& name);

  // The path of a collection or an object, to which a query may be added.
  [[nodiscard]] std::string Path(const api::Resource& resource, const std::string& name = "",
                                 const std::string& subresource = "") const;
  Answer Send(const std::string& method, const std::string& target, const Json& body = nullptr,
              const std::string& content_type = "application/json");

  // The object or list as something else, for example a Table.
  Answer GetAs(const std::string& accept, const std::string& target);

  // ---- waiting ----

  // Follows an object by list and watch until `wanted` holds; null stands for "there is none".
  // Returns it as it was then.
  Json Until(const api::Resource& resource, const std::string& name,
             std::function<bool(const Json&)> wanted, const std::string& what);
  void UntilGone(const api::Resource& resource, const std::string& name);

  [[nodiscard]] std::unique_ptr<kube::WatchStream> Watch(kube::WatchRequest request);
  // Its next event, bookmarks left out, as a server may send one at any time: kTimeout when none
  // comes.
  [[nodiscard]] api::Result<kube::WatchEvent> Next(
      kube::WatchStream& stream, std::chrono::milliseconds timeout = std::chrono::seconds(20));
  // As "ADDED one"; an error as its code.
  [[nodiscard]] std::string NextChange(kube::WatchStream& stream);

  // ---- commands ----

  // In the container "main" of a pod of this namespace.
  [[nodiscard]] Outcome Exec(const std::string& pod, const std::vector<std::string>& command);
  // Its standard output; it must exit with 0.
  std::string Sh(const std::string& pod, const std::string& script);

  template <class T>
  T Await(boost::asio::awaitable<T> coroutine) {
    auto future = boost::asio::co_spawn(io_, std::move(coroutine), boost::asio::use_future);
    RunLoop([&] { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    return future.get();
  }

 private:
  void RunLoop(const std::function<bool()>& done);
  boost::asio::awaitable<void> Follow(api::Resource resource, std::string name,
                                      std::function<bool(const Json&)> wanted, Json* last);
  [[nodiscard]] kube::Request Complete(kube::Request request) const;

  boost::asio::io_context io_{1};
  const std::unique_ptr<kube::Clock> clock_;
  const kube::Config config_;
  const std::unique_ptr<kube::Client> client_;
  std::unique_ptr<kube::ExecClient> exec_;
  const std::string ns_;
};

}  // namespace stillpoint::contract
