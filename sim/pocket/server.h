// Server: the embedded cluster's HTTPS endpoint: requests, watches, exec and logs.
#pragma once

#include "api/error.h"
#include "kube/clock.h"
#include "kube/log.h"
#include "sim/certificate/certificate.h"
#include "sim/cluster/api_server.h"
#include "sim/pocket/exec_socket.h"
#include "sim/pocket/http_api.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace stillpoint::sim::pocket {

// Contract: HTTP/1.1 over TLS; only who shows a certificate of the authority is served. Watches and
// followed logs end their connection.
//
// Threads: call every method on the executor given to the constructor.
// Lifetime: Stop() before destruction, and both before the end of the io_context. What is given to
// the constructor must outlive it.
class Server {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: a free one
    std::string authority_pem;
    KeyPair own;
  };

  // Where the output of a container is; empty: no such container.
  using LogFile = std::function<std::string(const std::string& pod_uid, const std::string& name)>;

  Server(boost::asio::any_io_executor executor, ApiServer& api, StartCommandFn start,
         LogFile log_file, kube::Clock& clock, kube::LogFn log, Options options);
  ~Server();

  // Binds and begins to accept. Errors: kInvalid (no such address), kUnavailable (cannot bind).
  [[nodiscard]] api::Result<void> Start();

  // The port that Start() bound.
  [[nodiscard]] std::uint16_t port() const;

  // Closes every connection.
  [[nodiscard]] boost::asio::awaitable<void> Stop();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace stillpoint::sim::pocket
