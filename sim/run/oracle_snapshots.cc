// I3: Completed means that every snapshot exists, is readyToUse, and was cut from the claim that
// was resolved.
#include "sim/cluster/fields.h"
#include "sim/run/cuts.h"
#include "sim/run/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

// When the phase became Completed; null: never.
const SeenChange* CompletionOf(const ObjectLife& backup) {
  for (const SeenChange& change : backup.changes) {
    if (change.now && PhaseOf(*change.now) == "Completed") return &change;
  }
  return nullptr;
}

bool WasReady(const ObjectLife& snapshot, api::Time by) {
  return std::ranges::any_of(snapshot.changes, [by](const SeenChange& change) {
    return change.now && change.at <= by && Flag(*change.now, {"status", "readyToUse"});
  });
}

// Nobody can say more than what the last watch event or answer said.
std::chrono::milliseconds Staleness(const Evidence& evidence, api::Time from, api::Time to) {
  const Knobs& knobs = evidence.scenario.knobs;
  return 3s + 2 * knobs.watch_delay + 4 * knobs.api_delay + evidence.Excused(from, to);
}

std::string Problem(const Evidence& evidence, const json::object& volume, api::Time at) {
  const auto uid = Text(volume, {"snapshotUID"});
  const ObjectLife* snapshot = evidence.witness.Find("volumesnapshots", uid);
  if (snapshot == nullptr) return "has no VolumeSnapshot";
  if (!WasReady(*snapshot, at)) return "has a VolumeSnapshot that was never ready";
  if (const auto gone = snapshot->gone(); gone && *gone + Staleness(evidence, *gone, at) < at) {
    return "has a VolumeSnapshot that was gone long before";
  }
  const CutTruth* cut = CutOf(evidence, uid);
  if (cut == nullptr) return "was never cut";
  if (cut->claim_uid != Text(volume, {"claimUID"})) return "was cut from another claim's volume";
  return {};
}

// Later the snapshots may go; then the backup says so.
void CheckStillWhole(const Evidence& evidence, const ObjectLife& backup, Report& report) {
  if (backup.gone()) return;
  const auto ready = ConditionStatus(backup.last(), "Ready");
  for (const auto* volume : VolumesOf(backup.last())) {
    const auto* snapshot = evidence.witness.Find("volumesnapshots", Text(*volume, {"snapshotUID"}));
    if (ready == "False" || (snapshot != nullptr && !snapshot->gone())) continue;
    report.Violates(Invariant::kI3, evidence.Since(evidence.ended),
                    fmt::format("backup {} is Completed and Ready, and the snapshot of claim {} is "
                                "gone",
                                backup.name, Text(*volume, {"claim"})));
  }
}

}  // namespace

void CheckSnapshots(const Evidence& evidence, Report& report) {
  for (const ObjectLife& backup : evidence.witness.Of("volumebackups")) {
    const SeenChange* completion = CompletionOf(backup);
    if (completion == nullptr) continue;
    report.Tested(Invariant::kI3);
    for (const auto* volume : VolumesOf(*completion->now)) {
      const std::string problem = Problem(evidence, *volume, completion->at);
      if (problem.empty()) continue;
      report.Violates(Invariant::kI3, evidence.Since(completion->at),
                      fmt::format("backup {} is Completed, and claim {} {}", backup.name,
                                  Text(*volume, {"claim"}), problem));
    }
    CheckStillWhole(evidence, backup, report);
  }
}

}  // namespace stillpoint::sim::run
