// HttpPool: connections that wait for their next exchange.
#pragma once

#include "kube/clock.h"
#include "kube/http_connection.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace stillpoint::kube {

// Threads: call on the executor of the connections.
class HttpPool {
 public:
  static constexpr std::size_t kMaxIdle = 16;
  static constexpr std::chrono::seconds kIdleTimeout{90};

  explicit HttpPool(Clock& clock) : clock_(clock) {}

  // The connection that was used last; null when none can be used. The others of it that have
  // waited too long, or that the peer has closed, are closed on the way.
  [[nodiscard]] std::unique_ptr<HttpConnection> Take();

  // Keeps the connection if another exchange may follow on it, and closes it otherwise.
  void Put(std::unique_ptr<HttpConnection> connection);

  // Closes all, for example because we have become somebody else.
  void Clear() { idle_.clear(); }

 private:
  struct Idle {
    std::unique_ptr<HttpConnection> connection;
    Clock::Steady since;
  };

  void CloseExpired();

  Clock& clock_;
  std::vector<Idle> idle_;  // the longest unused first
};

}  // namespace stillpoint::kube
