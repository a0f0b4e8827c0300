#include "sim/world/sim_clock.h"

#include "kube/waiters.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace stillpoint::sim {

namespace asio = boost::asio;

namespace {

// Lives in the frame of the coroutine that sleeps.
class Timer {
 public:
  Timer(World& world, int life, asio::any_io_executor executor, std::chrono::milliseconds duration)
      : world_(world), waiters_(std::make_shared<kube::Waiters>(std::move(executor))) {
    event_ = world_.Deliver(life, duration, [timer = std::weak_ptr(waiters_)] {
      if (const auto alive = timer.lock()) alive->NotifyAll();
    });
  }
  ~Timer() { world_.Cancel(event_); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  asio::awaitable<void> Wait() { return waiters_->Wait(); }

 private:
  World& world_;
  const std::shared_ptr<kube::Waiters> waiters_;
  World::EventId event_;
};

class SimAlarm final : public kube::Clock::Alarm {
 public:
  SimAlarm(World& world, int life, asio::any_io_executor executor,
           std::chrono::milliseconds duration, std::function<void()> ring)
      : world_(world), ring_(std::make_shared<std::function<void()>>(std::move(ring))) {
    // It may be on its way when this is destroyed.
    event_ = world_.Deliver(life, duration,
                            [weak = std::weak_ptr(ring_), executor = std::move(executor)] {
                              asio::post(executor, [weak] {
                                if (const auto alive = weak.lock()) (*alive)();
                              });
                            });
  }
  ~SimAlarm() override { world_.Cancel(event_); }
  SimAlarm(const SimAlarm&) = delete;
  SimAlarm& operator=(const SimAlarm&) = delete;

 private:
  World& world_;
  const std::shared_ptr<std::function<void()>> ring_;
  World::EventId event_;
};

}  // namespace

kube::Clock::Steady SimClock::SteadyNow() const {
  return Steady(std::chrono::hours(1000)) + (world_.Now() - world_.start());
}

asio::awaitable<void> SimClock::Sleep(std::chrono::milliseconds duration) {
  const auto executor = co_await asio::this_coro::executor;
  if (duration.count() <= 0) {
    co_await asio::post(executor, asio::use_awaitable);
    co_return;
  }
  Timer timer(world_, life_, executor, duration);
  co_await timer.Wait();
}

std::unique_ptr<kube::Clock::Alarm> SimClock::SetAlarm(asio::any_io_executor executor,
                                                       std::chrono::milliseconds duration,
                                                       std::function<void()> ring) {
  return std::make_unique<SimAlarm>(world_, life_, std::move(executor), duration, std::move(ring));
}

}  // namespace stillpoint::sim
