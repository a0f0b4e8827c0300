// FakeClock: virtual time for tests. Nothing waits for real; timers run in the order (time, age).
#pragma once

#include "kube/clock.h"
#include "kube/waiters.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace stillpoint::unit {

// Threads: the thread of the test, which also runs `io` through these methods and never by itself.
// Lifetime: must outlive the coroutines on `io`.
class FakeClock final : public kube::Clock {
 public:
  explicit FakeClock(boost::asio::io_context& io) : io_(io) {}

  api::Time Now() const override { return wall_; }
  Steady SteadyNow() const override { return steady_; }

  boost::asio::awaitable<void> Sleep(std::chrono::milliseconds duration) override {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (duration.count() <= 0) {
      co_await boost::asio::post(executor, boost::asio::use_awaitable);
      co_return;
    }
    kube::Waiters rung(executor);
    Timer timer(*this, steady_ + duration, [&rung] { rung.NotifyAll(); });
    co_await rung.Wait();
  }

  std::unique_ptr<Alarm> SetAlarm(boost::asio::any_io_executor executor,
                                  std::chrono::milliseconds duration,
                                  std::function<void()> ring) override {
    auto alarm = std::make_unique<FakeAlarm>(std::move(ring));
    auto post = [weak = std::weak_ptr(alarm->ring), executor] {
      boost::asio::post(executor, [weak] {
        if (const auto alive = weak.lock()) (*alive)();
      });
    };
    if (duration.count() <= 0) {
      post();
    } else {
      alarm->timer.emplace(*this, steady_ + duration, std::move(post));
    }
    return alarm;
  }

  // Runs what is ready, without letting time pass.
  void Settle() {
    io_.restart();
    for (int handlers = 0; io_.poll_one() > 0; ++handlers) {
      if (handlers > 10'000'000) throw std::logic_error("the loop never becomes idle");
    }
  }

  // Lets `duration` pass: every timer that falls due runs at its own instant, and what it wakes
  // runs before the next one.
  void Advance(std::chrono::milliseconds duration) {
    const Steady end = steady_ + duration;
    Settle();
    while (!timers_.empty() && timers_.begin()->first.first <= end) FireFirst();
    MoveTo(end);
    Settle();
  }

  // The wall clock alone jumps, as after a correction by NTP.
  void JumpWall(std::chrono::milliseconds by) { wall_ += by; }

  // A pause of the whole process, as by SIGSTOP: time passes and nothing runs, not even timers.
  void Freeze(std::chrono::milliseconds duration) { MoveTo(steady_ + duration); }

  // Runs `coroutine` to its end, letting as much time pass as it needs. Throws what it throws, and
  // std::logic_error when it waits for something that no timer will bring within `limit`.
  template <class T>
  T Run(boost::asio::awaitable<T> coroutine,
        std::chrono::milliseconds limit = std::chrono::hours(24)) {
    const Steady end = steady_ + limit;
    auto future = boost::asio::co_spawn(io_, std::move(coroutine), boost::asio::use_future);
    Settle();
    while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      if (timers_.empty() || timers_.begin()->first.first > end) {
        throw std::logic_error("coroutine never finished");
      }
      FireFirst();
    }
    return future.get();
  }

  // How many coroutines sleep, and alarms are set.
  [[nodiscard]] std::size_t sleepers() const { return timers_.size(); }

 private:
  using Key = std::pair<Steady, std::uint64_t>;

  // Lives in the frame of the sleeping coroutine, so that a cancelled sleep leaves nothing.
  struct Timer {
    Timer(FakeClock& owner, Steady due, std::function<void()> action)
        : clock(owner), key(due, ++owner.last_id_), ring(std::move(action)) {
      clock.timers_.emplace(key, this);
    }
    ~Timer() { clock.timers_.erase(key); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    FakeClock& clock;
    const Key key;
    const std::function<void()> ring;
  };

  struct FakeAlarm final : Alarm {
    explicit FakeAlarm(std::function<void()> action)
        : ring(std::make_shared<const std::function<void()>>(std::move(action))) {}
    const std::shared_ptr<const std::function<void()>> ring;
    std::optional<Timer> timer;
  };

  void FireFirst() {
    auto first = timers_.extract(timers_.begin());
    MoveTo(std::max(steady_, first.key().first));
    first.mapped()->ring();
    Settle();
  }

  void MoveTo(Steady to) {
    wall_ += std::chrono::floor<api::Time::duration>(to - steady_);
    steady_ = to;
  }

  boost::asio::io_context& io_;
  Steady steady_{std::chrono::hours(1000)};
  api::Time wall_{std::chrono::sys_days(std::chrono::January / 1 / 2026)};
  std::uint64_t last_id_ = 0;
  std::map<Key, Timer*> timers_;
};

}  // namespace stillpoint::unit
