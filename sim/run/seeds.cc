#include "sim/run/seeds.h"

#include "sim/run/generate.h"
#include "sim/run/place_faults.h"

#include <utility>

namespace stillpoint::sim::run {
namespace {

// The one whose run this one's last fault is placed on.
std::uint64_t GroundOf(std::uint64_t seed) {
  const std::uint64_t member = seed % kFamily;
  return seed - member + (TroubleOf(seed) == Trouble::kTwoFaults ? member - 3 : 1);
}

bool IsGround(std::uint64_t seed) {
  return TroubleOf(seed) == Trouble::kNoFault || TroubleOf(seed) == Trouble::kOneFault;
}

}  // namespace

RunOutcome Seeds::Run(std::uint64_t seed) {
  if (!IsGround(seed)) return RunScenario(Of(seed));
  RunOutcome outcome = RunScenario(Of(seed), {.moments = true});
  moments_[seed] = std::move(outcome.moments);
  return outcome;
}

Scenario Seeds::Of(std::uint64_t seed) {
  if (std::exchange(family_, seed / kFamily) != family_) moments_.clear();
  switch (TroubleOf(seed)) {
    case Trouble::kPeace:
    case Trouble::kNoFault:
      return Generate(seed);
    case Trouble::kOneFault:
    case Trouble::kTwoFaults: {
      Scenario scenario = Of(GroundOf(seed));
      const auto& moments = MomentsOf(GroundOf(seed));
      if (moments.empty()) return scenario;
      const bool first = scenario.faults.empty();
      scenario.faults.push_back(first ? AnyFault(seed, moments) : AnyLaterFault(seed, moments));
      return scenario;
    }
    case Trouble::kMany: {
      Scenario scenario = Generate(seed);
      scenario.faults = ManyFaults(seed, !scenario.knobs.heals);
      return scenario;
    }
  }
  std::unreachable();
}

const std::vector<Moment>& Seeds::MomentsOf(std::uint64_t seed) {
  if (!moments_.contains(seed)) (void)Run(seed);
  return moments_[seed];
}

}  // namespace stillpoint::sim::run
