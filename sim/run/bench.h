// Bench: how many undisturbed backups, and how many runs of a campaign, a second of one core does.
#pragma once

#include <chrono>
#include <cstdint>

namespace stillpoint::sim::run {

struct Speed {
  std::uint64_t count = 0;
  std::chrono::nanoseconds time{};

  [[nodiscard]] double per_second() const {
    return static_cast<double>(count) / std::chrono::duration<double>(time).count();
  }
};

// Whole backups of a Deployment with one claim and a pre- and a post-hook, from the object's
// creation to Completed: many of them, one after the other, in a run that is installed, settles and
// is judged too. For at least `time` of the processor.
// Errors: throws std::logic_error when one does not succeed.
[[nodiscard]] Speed BenchBackups(std::chrono::nanoseconds time);

// Seeds from 1 on, as a campaign runs them.
[[nodiscard]] Speed BenchSeeds(std::chrono::nanoseconds time);

}  // namespace stillpoint::sim::run
