// I2, from both sides: Application is said only when it is true, and in peace it is said.
#include "api/time.h"
#include "sim/cluster/fields.h"
#include "sim/run/cuts.h"
#include "sim/run/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ranges>
#include <set>
#include <string>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

const SeenChange* SaidApplication(const ObjectLife& backup) {
  for (const SeenChange& change : backup.changes) {
    if (change.now && Text(*change.now, {"status", "consistency"}) == "Application") return &change;
  }
  return nullptr;
}

// A known limit (docs/design.md): who began after the pods were listed and was gone when they were
// listed again leaves no trace, but for the workload that was scaled for it, if that was named.
bool CameAndWent(const Evidence& evidence, const ObjectLife& backup, const LifeTruth& life) {
  constexpr auto kListIsBelievedFor = 5s;
  const auto* pod = evidence.witness.Find("pods", life.pod_uid);
  const auto start = api::ParseTime(Text(backup.last(), {"status", "startTime"}));
  if (pod == nullptr || !start || pod->created() < *start - kListIsBelievedFor) return false;
  const auto reference = Text(backup.last(), {"spec", "applicationRef"});
  const auto app = Text(pod->first(), {"metadata", "labels", "app"});
  const bool of_workload = !reference.empty() && reference.substr(reference.find('/') + 1) == app;
  return !of_workload && pod->gone() && *pod->gone() < SaidApplication(backup)->at;
}

struct Cuts {
  std::set<std::string> volumes;
  Instant first;
  Instant last;
};

// False: a volume was never cut, which is a violation.
bool FindCuts(const Evidence& evidence, const ObjectLife& backup, const json::object& seen,
              Cuts& cuts, Report& report) {
  for (const auto* volume : VolumesOf(seen)) {
    const CutTruth* cut = CutOf(evidence, Text(*volume, {"snapshotUID"}));
    if (cut == nullptr) {
      report.Violates(Invariant::kI2, evidence.Since(evidence.ended),
                      fmt::format("backup {} is Application, and claim {} was never cut",
                                  backup.name, Text(*volume, {"claim"})));
      return false;
    }
    if (cuts.volumes.empty() || cut->at < cuts.first) cuts.first = cut->at;
    if (cuts.volumes.empty() || cuts.last < cut->at) cuts.last = cut->at;
    cuts.volumes.insert(cut->volume_handle);
  }
  return true;
}

bool WritesTo(const LifeTruth& life, const Cuts& cuts) {
  const bool alive = life.starts < cuts.last && (!life.ends || cuts.first < *life.ends);
  return alive &&
         std::ranges::any_of(life.volumes, [&](const auto& v) { return cuts.volumes.contains(v); });
}

// What has died in the middle of it writes no more; its next life is judged by itself.
bool StoodStill(const Evidence& evidence, const LifeTruth& life, const Cuts& cuts) {
  return std::ranges::any_of(evidence.truth.stills, [&](const StillTruth& still) {
    return still.container_id == life.container_id && still.starts < cuts.first &&
           (!still.ends || still.ended_by_death || cuts.last < *still.ends);
  });
}

void CheckApplication(const Evidence& evidence, const ObjectLife& backup, const json::object& seen,
                      Report& report) {
  report.Tested(Invariant::kI2);
  Cuts cuts;
  if (!FindCuts(evidence, backup, seen, cuts, report)) return;
  for (const LifeTruth& life : evidence.truth.lives) {
    if (!WritesTo(life, cuts) || StoodStill(evidence, life, cuts)) continue;
    if (CameAndWent(evidence, backup, life)) continue;
    report.Violates(Invariant::kI2, evidence.Since(cuts.first.at),
                    fmt::format("backup {} is Application, and {}/{} did not stand still from the "
                                "first cut to the last",
                                backup.name, life.pod, life.container));
  }
}

bool CanBeStill(const Application& application) {
  return application.hook == HookForm::kShell || application.hook == HookForm::kArgv ||
         application.hook == HookForm::kHeld || application.hook == HookForm::kHeldPost;
}

}  // namespace

void CheckVerdict(const Evidence& evidence, Report& report) {
  for (const ObjectLife& backup : evidence.witness.Of("volumebackups")) {
    if (SaidApplication(backup) != nullptr) {
      CheckApplication(evidence, backup, backup.last(), report);
    }
    const bool able = std::ranges::all_of(evidence.scenario.applications, CanBeStill);
    if (!evidence.peaceful || !able) continue;
    report.Tested(Invariant::kI2Otherwise);
    const auto phase = PhaseOf(backup.last());
    const auto consistency = Text(backup.last(), {"status", "consistency"});
    if (phase == "Completed" && consistency == "Application") continue;
    report.Violates(Invariant::kI2Otherwise, evidence.Since(evidence.ended),
                    fmt::format("nothing disturbed backup {}, and it is {} {} ({})", backup.name,
                                phase, consistency, Text(backup.last(), {"status", "reason"})));
  }
}

}  // namespace stillpoint::sim::run
