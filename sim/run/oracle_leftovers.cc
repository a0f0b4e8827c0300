// I4: a backup or a restore leaves nothing behind that its policy does not keep, and all that it
// keeps.
#include "sim/cluster/fields.h"
#include "sim/run/cuts.h"
#include "sim/run/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;

// As docs/ and the objects' labels say it; the oracles do not include the product's headers.
constexpr std::string_view kBackupUid = "backups.example.com/backup-uid";
constexpr std::string_view kRestoreUid = "backups.example.com/restore-uid";

std::string_view Label(const json::object& object, std::string_view key) {
  return Text(object, {"metadata", "labels", key});
}

// Why a backup's snapshot must not be there; empty: it may.
std::string_view WhyNot(const ObjectLife* backup) {
  if (backup == nullptr) return "belongs to no backup that ever was";
  const auto phase = PhaseOf(backup->last());
  if (!IsFinalPhase(phase) && !backup->gone()) return {};  // then I7 has something to say
  if (phase != "Completed" && phase != "PartiallyFailed") return "is of a backup that has failed";
  const bool wanted_gone = Text(backup->last(), {"spec", "deletionPolicy"}) == "Delete";
  if (backup->gone() && wanted_gone) return "is of a deleted backup with deletionPolicy Delete";
  return {};
}

// It went without a finalizer, as nobody was there to see that its snapshots were to go as well.
bool AskedWhenNobodyWasThere(const Evidence& evidence, const ObjectLife& backup) {
  const SeenChange* asked = nullptr;  // the change that made it so
  for (const SeenChange& change : backup.changes) {
    const bool wanted = change.now && Text(*change.now, {"spec", "deletionPolicy"}) == "Delete";
    if (!wanted && change.now) asked = nullptr;
    if (wanted && asked == nullptr) asked = &change;
  }
  if (asked == nullptr || asked->before == nullptr) return false;
  const api::Time gone = backup.changes.back().at;
  return evidence.Excused(asked->at, gone) >= gone - asked->at;
}

void CheckSnapshotLeft(const Evidence& evidence, const ObjectLife& snapshot, Report& report) {
  const auto uid = Label(snapshot.last(), kBackupUid);
  const ObjectLife* backup = evidence.witness.Find("volumebackups", uid);
  report.Tested(Invariant::kI4);
  if (snapshot.gone() || IsTerminating(snapshot.last())) return;
  const auto why = WhyNot(backup);
  if (why.empty()) return;
  if (backup != nullptr && backup->gone() && PhaseOf(backup->last()) == "Completed" &&
      AskedWhenNobodyWasThere(evidence, *backup)) {
    return;
  }
  report.Violates(Invariant::kI4, evidence.Since(snapshot.created()),
                  fmt::format("VolumeSnapshot {} is left: it {}", snapshot.name, why));
}

// Nobody but people may take what a good backup is to keep.
bool PeopleTakeSnapshots(const Evidence& evidence) {
  return std::ranges::any_of(evidence.scenario.operations, [](const Operation& operation) {
    return operation.act == Act::kDeleteSnapshot || operation.act == Act::kDeleteContent;
  });
}

void CheckKept(const Evidence& evidence, const ObjectLife& backup, Report& report) {
  if (PhaseOf(backup.last()) != "Completed") return;
  if (Text(backup.last(), {"spec", "deletionPolicy"}) == "Delete") return;
  report.Tested(Invariant::kI4);
  for (const auto* volume : VolumesOf(backup.last())) {
    const auto* snapshot = evidence.witness.Find("volumesnapshots", Text(*volume, {"snapshotUID"}));
    if (snapshot != nullptr && !snapshot->gone() && !IsTerminating(snapshot->last())) continue;
    report.Violates(Invariant::kI4, evidence.Since(backup.changes.back().at),
                    fmt::format("backup {} was to keep the snapshot of claim {}, and it is gone",
                                backup.name, Text(*volume, {"claim"})));
  }
}

// Whether somebody's request may have been held up on its way, or with a process that stood still.
bool HoldsUpRequests(const Fault& fault) {
  switch (fault.effect) {
    case Fault::Effect::kKill:
    case Fault::Effect::kPause:
    case Fault::Effect::kPartitionApi:
    case Fault::Effect::kPartition:
    case Fault::Effect::kDelay:
      return true;
    case Fault::Effect::kPartitionExec:
    case Fault::Effect::kLose:
    case Fault::Effect::kRefuse:
    case Fault::Effect::kLag:
    case Fault::Effect::kDropStreams:
      return false;
  }
  return false;
}

// A known limit (docs/design.md): nothing fences the create of a claim that lands when its restore
// has been rolled back.
bool CameTooLate(const Evidence& evidence, const ObjectLife& claim, const ObjectLife& restore) {
  const auto rolled_back = std::ranges::find_if(restore.changes, [](const SeenChange& change) {
    return change.now && PhaseOf(*change.now) == "RolledBack";
  });
  return rolled_back != restore.changes.end() && rolled_back->at < claim.created() &&
         std::ranges::any_of(evidence.scenario.faults, HoldsUpRequests);
}

void CheckClaimLeft(const Evidence& evidence, const ObjectLife& claim, Report& report) {
  const auto uid = Label(claim.last(), kRestoreUid);
  if (uid.empty()) return;
  report.Tested(Invariant::kI4);
  if (claim.gone() || IsTerminating(claim.last())) return;
  const ObjectLife* restore = evidence.witness.Find("volumerestores", uid);
  if (restore != nullptr && PhaseOf(restore->last()) != "RolledBack") return;
  if (restore != nullptr && CameTooLate(evidence, claim, *restore)) return;
  report.Violates(Invariant::kI4, evidence.Since(claim.created()),
                  fmt::format("claim {} is left of restore {}, which was rolled back", claim.name,
                              restore != nullptr ? restore->name : std::string("unknown")));
}

}  // namespace

void CheckNothingLeft(const Evidence& evidence, Report& report) {
  for (const ObjectLife& snapshot : evidence.witness.Of("volumesnapshots")) {
    CheckSnapshotLeft(evidence, snapshot, report);
  }
  if (!PeopleTakeSnapshots(evidence)) {
    for (const ObjectLife& backup : evidence.witness.Of("volumebackups")) {
      CheckKept(evidence, backup, report);
    }
  }
  for (const ObjectLife& claim : evidence.witness.Of("persistentvolumeclaims")) {
    CheckClaimLeft(evidence, claim, report);
  }
}

}  // namespace stillpoint::sim::run
