// Seeds: which run each seed stands for. Ten in a row are a family:
//
//   0        a scenario of its own, in peace
//   1        a scenario without faults
//   2, 3, 4  the scenario of 1 with one fault, placed on a moment of 1
//   5, 6     2 and 3 with a second fault, placed on a moment of theirs
//   7, 8, 9  scenarios of their own with many faults
//
// A fault needs the trace of a run in which it does not strike yet. Here that is always a run which
// counts itself, so that none is made only to be looked at.
#pragma once

#include "sim/run/run.h"
#include "sim/run/scenario.h"
#include "sim/world/point.h"

#include <cstdint>
#include <map>
#include <vector>

namespace stillpoint::sim::run {

constexpr std::uint64_t kFamily = 10;

// The answers depend on the seed alone; in their order they cost no run twice.
// Threads: one.
class Seeds {
 public:
  // Runs the scenario of this seed.
  [[nodiscard]] RunOutcome Run(std::uint64_t seed);

  // The scenario, with its faults.
  [[nodiscard]] Scenario Of(std::uint64_t seed);

 private:
  // Of the run of a seed that others of its family are placed on.
  const std::vector<Moment>& MomentsOf(std::uint64_t seed);

  std::uint64_t family_ = 0;
  std::map<std::uint64_t, std::vector<Moment>> moments_;  // by seed, of this family
};

}  // namespace stillpoint::sim::run
