// Compare: a run with one fault beside the same run without any. A right end can hide a wrong way:
// what is made and what is run is counted too.
#pragma once

#include "sim/run/run.h"
#include "sim/run/scenario.h"

namespace stillpoint::sim::run {

// Adds to `outcome` what differs from `dry` and must not. Only for scenarios without other chance:
// the small ones. `scenario` has one fault more, its last.
void CompareWithDry(const Scenario& scenario, const RunOutcome& dry, RunOutcome& outcome);

// As RunScenario; a small scenario with one fault more is compared with its dry run, too.
[[nodiscard]] RunOutcome RunCompared(const Scenario& scenario);

}  // namespace stillpoint::sim::run
