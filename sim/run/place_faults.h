// Where faults strike. The exact ones are placed on the moments of a dry run, so that they hit
// windows of a millisecond that no dice would find; the others strike at random.
#pragma once

#include "sim/run/generate.h"
#include "sim/run/scenario.h"
#include "sim/world/faults.h"
#include "sim/world/point.h"

#include <cstdint>
#include <vector>

namespace stillpoint::sim::run {

// Of these moments: a kill at each, before it was sent, after its effect, before its answer; and
// the loss of each answer.
[[nodiscard]] std::vector<Fault> EveryKill(const std::vector<Moment>& moments);
[[nodiscard]] std::vector<Fault> EveryLostAnswer(const std::vector<Moment>& moments);

// The scenario of a seed with its faults. Makes one or two dry runs for those with exact faults.
[[nodiscard]] Scenario WithFaults(Scenario scenario, Trouble trouble);

}  // namespace stillpoint::sim::run
