// SimClock: a life's clocks. Both follow the world's time; the wall clock may be wrong by a
// constant.
#pragma once

#include "kube/clock.h"
#include "sim/world/world.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace stillpoint::sim {

// Lifetime: as kube::Clock; a sleep that is destroyed with its loop leaves nothing.
class SimClock final : public kube::Clock {
 public:
  SimClock(World& world, int life, std::chrono::milliseconds skew)
      : world_(world), life_(life), skew_(skew) {}

  [[nodiscard]] api::Time Now() const override { return world_.Now() + skew_; }
  [[nodiscard]] Steady SteadyNow() const override;
  [[nodiscard]] boost::asio::awaitable<void> Sleep(std::chrono::milliseconds duration) override;
  [[nodiscard]] std::unique_ptr<Alarm> SetAlarm(boost::asio::any_io_executor executor,
                                                std::chrono::milliseconds duration,
                                                std::function<void()> ring) override;

 private:
  World& world_;
  const int life_;
  const std::chrono::milliseconds skew_;
};

}  // namespace stillpoint::sim
