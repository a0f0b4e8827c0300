// How long a guarded or a held command can run, as the runner bounds it and as the thaw has to
// assume.
#pragma once

#include "hooks/begin_request.h"
#include "hooks/hold_script.h"

#include <algorithm>
#include <chrono>

namespace stillpoint::hooks {

// From the call to the confirmed start; part of the hook's time-out.
[[nodiscard]] constexpr std::chrono::milliseconds ConnectTimeout(
    std::chrono::milliseconds timeout) {
  return std::min(timeout, std::chrono::milliseconds(std::chrono::seconds(10)));
}

// In the container, from its begin: later than the runner's own time-out, which then reports it.
[[nodiscard]] constexpr std::chrono::milliseconds GuardBound(std::chrono::milliseconds timeout) {
  return timeout + std::chrono::seconds(1);
}

// From the intent to the moment when no process of it is left, even if the stream was never seen to
// drop in the container (a network that swallows everything). 4 s: the guard's SIGTERM and SIGKILL,
// its rounding up to a second, and a slow node.
[[nodiscard]] constexpr std::chrono::milliseconds LongestGuardedLife(
    std::chrono::milliseconds timeout) {
  return ConnectTimeout(timeout) + kBeginWithin + GuardBound(timeout) + std::chrono::seconds(4);
}

// For a held command to end once it was asked to, or its stream has: its grace, its SIGTERM and
// SIGKILL, and the way back of the exit status.
inline constexpr std::chrono::milliseconds kHeldEndBound =
    kHoldReleaseGrace + std::chrono::seconds(2);

// From the intent to the moment when a held command runs no more, whoever is still there to see it:
// its timer bounds it to `bound` from its begin. 4 s: as above.
[[nodiscard]] constexpr std::chrono::milliseconds LongestHeldLife(std::chrono::milliseconds timeout,
                                                                  std::chrono::milliseconds bound) {
  return ConnectTimeout(timeout) + kBeginWithin + bound + kHeldEndBound + std::chrono::seconds(4);
}

}  // namespace stillpoint::hooks
