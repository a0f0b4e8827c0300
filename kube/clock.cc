#include "kube/clock.h"

#include "kube/aborted.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <ctime>
#include <exception>
#include <functional>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;

namespace {

class SystemClock final : public Clock {
 public:
  api::Time Now() const override {
    return std::chrono::floor<api::Time::duration>(std::chrono::system_clock::now());
  }

  // Time in which the machine was suspended counts: leases run out in it.
  Steady SteadyNow() const override {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return Steady(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  }

  asio::awaitable<void> Sleep(std::chrono::milliseconds duration) override {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
  }

  std::unique_ptr<Alarm> SetAlarm(asio::any_io_executor executor,
                                  std::chrono::milliseconds duration,
                                  std::function<void()> ring) override {
    return std::make_unique<SystemAlarm>(std::move(executor), duration, std::move(ring));
  }

 private:
  class SystemAlarm final : public Alarm {
   public:
    SystemAlarm(asio::any_io_executor executor, std::chrono::milliseconds duration,
                std::function<void()> ring)
        : ring_(std::make_shared<std::function<void()>>(std::move(ring))),
          timer_(std::move(executor), duration) {
      // It may be on its way when this is destroyed.
      timer_.async_wait([weak = std::weak_ptr(ring_)](const boost::system::error_code& error) {
        const auto alive = weak.lock();
        if (!error && alive) (*alive)();
      });
    }

   private:
    const std::shared_ptr<std::function<void()>> ring_;
    asio::steady_timer timer_;
  };
};

using Cancel = asio::cancellation_signal;

// Passes a cancellation of the caller on to what the caller runs. Nothing takes this back: the
// memory of the slot may go first when the loop dies.
void PassOn(asio::cancellation_slot slot, const std::shared_ptr<Cancel>& cancel) {
  if (!slot.is_connected()) return;
  slot.assign([weak = std::weak_ptr(cancel)](asio::cancellation_type type) {
    if (const auto alive = weak.lock()) alive->emit(type);
  });
}

}  // namespace

std::unique_ptr<Clock> MakeSystemClock() {
  return std::make_unique<SystemClock>();
}

asio::awaitable<bool> RunWithin(Clock& clock, std::chrono::milliseconds timeout,
                                asio::awaitable<void> operation) {
  const auto executor = co_await asio::this_coro::executor;
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  const auto cancel = std::make_shared<Cancel>();
  PassOn(cancellation.slot(), cancel);
  bool timed_out = false;
  const auto alarm = clock.SetAlarm(executor, timeout, [&cancel, &timed_out] {
    timed_out = true;
    cancel->emit(asio::cancellation_type::terminal);
  });
  const auto [failure] = co_await asio::co_spawn(
      executor, std::move(operation),
      asio::bind_cancellation_slot(cancel->slot(), asio::as_tuple(asio::use_awaitable)));
  if (failure && timed_out && IsAborted(failure)) co_return false;
  if (failure) std::rethrow_exception(failure);
  co_return true;  // even when it finished in the very moment that its time was over
}

}  // namespace stillpoint::kube
