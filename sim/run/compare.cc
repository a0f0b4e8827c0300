#include "sim/run/compare.h"

#include "sim/run/small_scenarios.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <string>
#include <utility>

namespace stillpoint::sim::run {
namespace {

using Ends = std::map<std::string, std::uint64_t>;

Ends Only(const Ends& ends, const std::string& kind) {
  Ends some;
  for (const auto& [end, count] : ends) {
    if (end.starts_with(kind)) some.emplace(end, count);
  }
  return some;
}

std::string EndsText(const Ends& ends) {
  std::string text;
  for (const auto& [end, count] : ends) {
    text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", count, end);
  }
  return text;
}

void Complain(RunOutcome& outcome, Invariant invariant, std::string what) {
  outcome.violations.push_back({.invariant = invariant, .what = std::move(what)});
}

// A controller that dies may cost a backup, which must not be called better than it is, but no
// restore: that goes on where it was. An answer that got lost costs nothing.
void CompareEnds(const Fault& fault, const RunOutcome& dry, RunOutcome& outcome) {
  const bool same_backups = Only(outcome.ends, "backup") == Only(dry.ends, "backup");
  const bool same_restores = Only(outcome.ends, "restore") == Only(dry.ends, "restore");
  ++outcome.tested[static_cast<std::size_t>(Invariant::kEndState)];
  // But that of an exec: what its command does is not known then; and that of a watch which nobody
  // knows to be lost: all begins later, and may meet something else.
  const bool late = fault.verb == "watch" && fault.code == api::Code::kTimeout;
  const bool harmless =
      fault.effect == Fault::Effect::kLose && fault.resource != "pods/exec" && !late;
  if (same_restores && (same_backups || !harmless)) return;
  if (!harmless && !same_backups) return;
  Complain(outcome, Invariant::kEndState,
           fmt::format("ended as: {}; without the fault as: {}", EndsText(outcome.ends),
                       EndsText(dry.ends)));
}

void CompareCounts(const RunOutcome& dry, RunOutcome& outcome) {
  ++outcome.tested[static_cast<std::size_t>(Invariant::kCounts)];
  for (const auto& [what, count] : outcome.counts) {
    const auto usual = dry.counts.find(what);
    const std::uint64_t most = usual == dry.counts.end() ? 0 : usual->second;
    if (count <= most) continue;
    Complain(outcome, Invariant::kCounts,
             fmt::format("{}: {} times, without the fault {} times", what, count, most));
  }
}

bool IsSmall(const Scenario& scenario) {
  return std::ranges::any_of(
      SmallScenarios(), [&](const SmallScenario& small) { return small.scenario == scenario; });
}

}  // namespace

void CompareWithDry(const Scenario& scenario, const RunOutcome& dry, RunOutcome& outcome) {
  CompareEnds(scenario.faults.back(), dry, outcome);
  CompareCounts(dry, outcome);
}

RunOutcome RunCompared(const Scenario& scenario) {
  RunOutcome outcome = RunScenario(scenario);
  if (scenario.faults.empty()) return outcome;
  Scenario calm = scenario;
  calm.faults.pop_back();
  if (!IsSmall(calm)) return outcome;
  CompareWithDry(scenario, RunScenario(calm), outcome);
  return outcome;
}

}  // namespace stillpoint::sim::run
