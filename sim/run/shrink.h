// Shrink: the smallest run that still goes wrong in the same way.
#pragma once

#include "sim/run/scenario.h"

#include <cstddef>
#include <functional>

namespace stillpoint::sim::run {

// Whether a run of it violates the very invariant that is looked for. Must be deterministic.
using Fails = std::function<bool(const Scenario&)>;

// Leaves out faults, operations and their fields, applications, pods and claims, and sets knobs
// back, for as long as `fails` holds and at most `tries` runs.
// REQUIRES: fails(scenario).
[[nodiscard]] Scenario Shrink(Scenario scenario, const Fails& fails, std::size_t tries = 4000);

}  // namespace stillpoint::sim::run
