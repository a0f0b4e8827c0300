// Clock: the only source of time in the house, so that a test or a simulator can own it.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace stillpoint::kube {

// Threads: call on the executor of the loop.
class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;

  // Wall clock: what goes into statuses. May jump.
  [[nodiscard]] virtual api::Time Now() const = 0;

  // Monotonic: what time-outs are measured with.
  [[nodiscard]] virtual Steady SteadyNow() const = 0;

  // Suspends for `duration`, which may be zero or negative (then it only yields).
  // Cancellation: throws boost::system::system_error(operation_aborted).
  [[nodiscard]] virtual boost::asio::awaitable<void> Sleep(std::chrono::milliseconds duration) = 0;
};

// The real one. Uses timers of the calling coroutine's executor.
[[nodiscard]] std::unique_ptr<Clock> MakeSystemClock();

// Runs `operation` for at most `timeout`; then cancels it and gives kTimeout with `what`.
// Waits until the cancelled operation has ended, so it must react to cancellation.
template <class T>
boost::asio::awaitable<api::Result<T>> WithTimeout(
    Clock& clock, std::chrono::milliseconds timeout, std::string what,
    boost::asio::awaitable<api::Result<T>> operation) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto outcome = co_await (std::move(operation) || clock.Sleep(timeout));
  if (outcome.index() == 0) co_return std::move(std::get<0>(outcome));
  co_return api::Error{api::Code::kTimeout, std::move(what)};
}

}  // namespace stillpoint::kube
