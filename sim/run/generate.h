// Generate: scenarios at random. Every choice may leave a feature out for the whole run, as some
// features hide others; names come from a small pool, so that they collide.
#pragma once

#include "sim/run/scenario.h"

#include <cstdint>
#include <vector>

namespace stillpoint::sim::run {

// How much is to go wrong in a run; simulation's shares are 15 : 25 : 25 : 35.
enum class Trouble {
  kNone,       // one backup or one restore in peace: it must succeed
  kOneFault,   // exactly one, anywhere in the dry run
  kTwoFaults,  // the second within the recovery from the first
  kMany        // by rate, each class on or off for the run
};

[[nodiscard]] Trouble TroubleOf(std::uint64_t seed);

// Applications, operations and knobs; place_faults.h places faults once a dry run has shown where.
[[nodiscard]] Scenario Generate(std::uint64_t seed);

}  // namespace stillpoint::sim::run
