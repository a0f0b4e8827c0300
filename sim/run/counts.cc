#include "sim/run/counts.h"

#include "sim/cluster/fields.h"

#include <algorithm>
#include <ranges>

namespace stillpoint::sim::run {
namespace {

std::uint64_t Generations(const Witness& witness, std::string_view plural) {
  std::uint64_t sum = 0;
  for (const ObjectLife& object : witness.Of(plural)) {
    sum += static_cast<std::uint64_t>(Int(object.last(), {"metadata", "generation"}));
  }
  return sum;
}

}  // namespace

std::map<std::string, std::uint64_t> CountWork(const Witness& witness, const Truth& truth) {
  const auto freezes = std::ranges::count_if(truth.commands, [](const CommandTruth& command) {
    return command.text.find("app-freeze") != std::string::npos ||
           command.text.find("app-hold") != std::string::npos;
  });
  return {{"VolumeSnapshots made", witness.Of("volumesnapshots").size()},
          {"cuts", truth.cuts.size()},
          {"claims made", witness.Of("persistentvolumeclaims").size()},
          {"changes of workloads",
           Generations(witness, "deployments") + Generations(witness, "statefulsets")},
          {"pre-hooks run", static_cast<std::uint64_t>(freezes)}};
}

}  // namespace stillpoint::sim::run
