#include "kube/clock.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace stillpoint::kube {

namespace asio = boost::asio;

namespace {

class SystemClock final : public Clock {
 public:
  api::Time Now() const override {
    return std::chrono::floor<api::Time::duration>(std::chrono::system_clock::now());
  }

  Steady SteadyNow() const override { return std::chrono::steady_clock::now(); }

  asio::awaitable<void> Sleep(std::chrono::milliseconds duration) override {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
  }
};

bool IsAborted(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

std::unique_ptr<Clock> MakeSystemClock() {
  return std::make_unique<SystemClock>();
}

asio::awaitable<bool> RunWithin(Clock& clock, std::chrono::milliseconds timeout,
                                asio::awaitable<void> operation) {
  const auto executor = co_await asio::this_coro::executor;
  auto [order, failure, wake_failure] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, std::move(operation), asio::deferred),
          asio::co_spawn(executor, clock.Sleep(timeout), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  const bool timed_out = order[0] == 1 && !wake_failure;
  if (failure && timed_out && IsAborted(failure)) co_return false;
  if (failure) std::rethrow_exception(failure);
  co_return true;  // even when it finished in the very moment that its time was over
}

}  // namespace stillpoint::kube
