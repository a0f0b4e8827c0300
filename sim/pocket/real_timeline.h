// RealTimeline: the Timeline of the embedded cluster: this machine's own time.
#pragma once

#include "kube/clock.h"
#include "sim/cluster/timeline.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>

namespace stillpoint::sim::pocket {

// Threads: that of the executor. Lifetime: outlives the loop's run; what is due then never runs.
class RealTimeline final : public Timeline {
 public:
  RealTimeline(boost::asio::any_io_executor executor, kube::Clock& clock);

  [[nodiscard]] api::Time Now() const override { return clock_.Now(); }
  void After(std::chrono::milliseconds delay, std::function<void()> action) override;

 private:
  void Arm();
  void RunDue();

  kube::Clock& clock_;
  boost::asio::steady_timer timer_;
  std::multimap<kube::Clock::Steady, std::function<void()>>
      actions_;  // equal ones keep their order
};

}  // namespace stillpoint::sim::pocket
