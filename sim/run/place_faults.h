// Where faults strike. The exact ones are placed on the moments of a dry run, so that they hit
// windows of a millisecond that no dice would find; the others strike at random.
#pragma once

#include "sim/run/scenario.h"
#include "sim/world/faults.h"
#include "sim/world/point.h"

#include <cstdint>
#include <vector>

namespace stillpoint::sim::run {

// Of these moments: a kill at each, before it was sent, after its effect, before its answer; and
// the loss of each answer, with and without a word of it from the connection.
[[nodiscard]] std::vector<Fault> EveryKill(const std::vector<Moment>& moments);
[[nodiscard]] std::vector<Fault> EveryLostAnswer(const std::vector<Moment>& moments);
// Pauses that outlast the lease.
[[nodiscard]] std::vector<Fault> EveryPause(const std::vector<Moment>& moments);
// The loss of the exec streams at whatever a controller hears, and of each frame: with its stream,
// and without.
[[nodiscard]] std::vector<Fault> EveryLostStream(const std::vector<Moment>& moments);

// One fault, at one of these moments of a run without it. REQUIRES: there is one.
[[nodiscard]] Fault AnyFault(std::uint64_t seed, const std::vector<Moment>& moments);

// A second one, after the first has struck: these are the moments of a run with that. Within the
// recovery, which is another life, if there is one. REQUIRES: there is a moment.
[[nodiscard]] Fault AnyLaterFault(std::uint64_t seed, const std::vector<Moment>& moments);

// By rate. `may_stay`: some go on for ever.
[[nodiscard]] std::vector<Fault> ManyFaults(std::uint64_t seed, bool may_stay);

}  // namespace stillpoint::sim::run
