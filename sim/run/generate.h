// Generate: scenarios at random. Every choice may leave a feature out for the whole run, as some
// features hide others; names come from a small pool, so that they collide.
#pragma once

#include "sim/run/scenario.h"

#include <cstdint>
#include <vector>

namespace stillpoint::sim::run {

// How much is to go wrong in a run.
enum class Trouble {
  kPeace,      // one backup or one restore and nothing else: it must succeed
  kNoFault,    // only what the operations and the knobs do
  kOneFault,   // exactly one, at any moment of the run without
  kTwoFaults,  // the second within the recovery from the first
  kMany        // by rate, each class on or off for the run
};

// The last digit of the seed says it: seeds.h.
[[nodiscard]] Trouble TroubleOf(std::uint64_t seed);

// Applications, operations and knobs; place_faults.h places faults once a dry run has shown where.
[[nodiscard]] Scenario Generate(std::uint64_t seed);

}  // namespace stillpoint::sim::run
