// How often a run has made and run things that are made and run once.
#pragma once

#include "sim/cluster/truth.h"
#include "sim/run/evidence.h"

#include <cstdint>
#include <map>
#include <string>

namespace stillpoint::sim::run {

[[nodiscard]] std::map<std::string, std::uint64_t> CountWork(const Witness& witness,
                                                             const Truth& truth);

}  // namespace stillpoint::sim::run
