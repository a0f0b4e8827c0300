// HttpServer: answers GET for /healthz, /readyz and /metrics. No TLS, no bodies, no framework.
#pragma once

#include "api/error.h"
#include "kube/clock.h"
#include "kube/log.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace stillpoint::kube {

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
};

// Contract: HTTP/1.1, connections kept alive. Other paths are answered 404, other methods than GET
// and HEAD 405, headers beyond 8 KB or bodies 400; a handler that throws gives 500.
//
// Threads: call every method on the executor given to the constructor.
// Lifetime: Stop() before destruction, and both before the end of the io_context.
class HttpServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";  // "::" or "0.0.0.0": any
    std::uint16_t port = 0;             // 0: a free one
    std::size_t max_connections = 32;   // beyond them, new ones wait in the kernel
    std::chrono::milliseconds idle_timeout{std::chrono::seconds(30)};  // for each request
  };

  HttpServer(boost::asio::any_io_executor executor, Clock& clock, LogFn log, Options options);
  ~HttpServer();

  // Must return soon: it runs on the loop.
  using Handler = std::function<HttpAnswer()>;
  // REQUIRES: before Start().
  void Handle(std::string path, Handler handler);

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

}  // namespace stillpoint::kube
