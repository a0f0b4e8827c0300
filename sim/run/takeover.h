// How long a healthy controller may take until it acts in the place of one that does not.
#pragma once

#include "sim/run/scenario.h"

#include <chrono>

namespace stillpoint::sim::run {

// From the start of the next life: with a lease it waits until the lease has run out.
[[nodiscard]] inline std::chrono::milliseconds TakeoverTime(const Knobs& knobs) {
  using namespace std::chrono_literals;
  const std::chrono::milliseconds lease = knobs.processes > 1 ? 20s : 0s;
  return lease + 5s + 20 * knobs.api_delay + 2 * knobs.watch_delay + knobs.clock_skew;
}

}  // namespace stillpoint::sim::run
