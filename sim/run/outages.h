// Outages: when faults kept controllers from the API or from the pods, as seen from outside. An
// application may stay frozen by a command hook for that long, and not longer.
#pragma once

#include "sim/run/evidence.h"
#include "sim/run/scenario.h"
#include "sim/world/world.h"

#include <cstdint>
#include <vector>

namespace stillpoint::sim::run {

// Threads: one. Lifetime: `world` outlives it.
class Outages {
 public:
  Outages(World& world, const Knobs& knobs) : world_(world), knobs_(knobs) {}

  // After each event: has a fault struck?
  void Look();

  [[nodiscard]] const std::vector<Period>& seen() const { return seen_; }

 private:
  World& world_;
  const Knobs knobs_;
  std::vector<std::uint64_t> struck_;
  std::vector<Period> seen_;
};

}  // namespace stillpoint::sim::run
