// Clock: the only source of time in the house, so that a test or a simulator can own it.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace stillpoint::kube {

// Threads: call on the executor of the loop.
class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;

  // Wall clock: what goes into statuses. May jump.
  [[nodiscard]] virtual api::Time Now() const = 0;

  // Monotonic: what time-outs are measured with. Goes on while the machine is suspended.
  [[nodiscard]] virtual Steady SteadyNow() const = 0;

  // Suspends for `duration`, which may be zero or negative (then it only yields).
  // Cancellation: throws boost::system::system_error(operation_aborted).
  [[nodiscard]] virtual boost::asio::awaitable<void> Sleep(std::chrono::milliseconds duration) = 0;

  // Its destruction takes back what has not rung yet. Must not outlive the clock.
  class Alarm {
   public:
    virtual ~Alarm() = default;
  };

  // Calls `ring` once, on the executor, after `duration` and not before this returns. Cheaper than
  // a coroutine that sleeps, above all when it is not needed after all: no exception tells it so.
  [[nodiscard]] virtual std::unique_ptr<Alarm> SetAlarm(boost::asio::any_io_executor executor,
                                                        std::chrono::milliseconds duration,
                                                        std::function<void()> ring) = 0;
};

// The real one. Uses timers of the calling coroutine's executor.
[[nodiscard]] std::unique_ptr<Clock> MakeSystemClock();

// Runs `operation` for at most `timeout`, then cancels it. True: it has finished by itself.
// Always waits until it has ended, so it must react to cancellation. Its exception is thrown at
// once (the operators of Asio's awaitable_operators.hpp would first sleep to the end).
// Cancellation: cancels `operation` and throws what it throws.
[[nodiscard]] boost::asio::awaitable<bool> RunWithin(Clock& clock,
                                                     std::chrono::milliseconds timeout,
                                                     boost::asio::awaitable<void> operation);

namespace internal {
// A pointer, not a reference: `to` lives in the frame of the caller that awaits this.
template <class T>
boost::asio::awaitable<void> Store(boost::asio::awaitable<T> operation, std::optional<T>* to) {
  to->emplace(co_await std::move(operation));
}
}  // namespace internal

// As RunWithin, with a value; kTimeout with `what` when the time is over.
template <class T>
boost::asio::awaitable<api::Result<T>> WithTimeout(
    Clock& clock, std::chrono::milliseconds timeout, std::string what,
    boost::asio::awaitable<api::Result<T>> operation) {
  std::optional<api::Result<T>> result;
  const bool finished =
      co_await RunWithin(clock, timeout, internal::Store(std::move(operation), &result));
  if (finished) co_return std::move(*result);
  co_return api::Error{api::Code::kTimeout, std::move(what)};
}

}  // namespace stillpoint::kube
