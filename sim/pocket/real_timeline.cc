#include "sim/pocket/real_timeline.h"

#include <boost/system/error_code.hpp>

#include <utility>

namespace stillpoint::sim::pocket {

RealTimeline::RealTimeline(boost::asio::any_io_executor executor, kube::Clock& clock)
    : clock_(clock), timer_(std::move(executor)) {}

void RealTimeline::After(std::chrono::milliseconds delay, std::function<void()> action) {
  const auto added = actions_.emplace(clock_.SteadyNow() + delay, std::move(action));
  if (added == actions_.begin()) Arm();
}

void RealTimeline::Arm() {
  if (actions_.empty()) return;
  timer_.expires_at(actions_.begin()->first);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) RunDue();
  });
}

void RealTimeline::RunDue() {
  const auto now = clock_.SteadyNow();
  while (!actions_.empty() && actions_.begin()->first <= now) {
    const auto action = std::move(actions_.begin()->second);
    actions_.erase(actions_.begin());
    action();
  }
  Arm();
}

}  // namespace stillpoint::sim::pocket
