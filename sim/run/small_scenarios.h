// Small scenarios, each one way through the product: every single fault is tried on each of them,
// on top of what they have of their own, so they are short and have no chance in them.
#pragma once

#include "sim/run/scenario.h"

#include <string>
#include <vector>

namespace stillpoint::sim::run {

struct SmallScenario {
  std::string name;
  Scenario scenario;
};

[[nodiscard]] std::vector<SmallScenario> SmallScenarios();

}  // namespace stillpoint::sim::run
