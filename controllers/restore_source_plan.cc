#include "controllers/restore_source_plan.h"

#include "api/time.h"
#include "controllers/backup_plan.h"
#include "controllers/restore_hold.h"
#include "controllers/restore_reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace stillpoint::controllers::restore {
namespace {

// Which backup: exactly one of the three is set; none when the spec lists claims.
struct Pick {
  const api::VolumeBackup* backup = nullptr;
  std::optional<Problem> wait;
  std::optional<Problem> problem;
};

Problem NotUsable(std::string message) {
  return {.reason = reason::kBackupNotUsable, .message = std::move(message)};
}

const api::VolumeBackup* FindByName(const View& view, const std::string& name) {
  const auto found =
      std::ranges::find(view.backups, name, [](const auto& item) { return item.metadata.name; });
  return found == view.backups.end() ? nullptr : &*found;
}

Pick PickByName(const View& view, const std::string& name, const std::string& uid) {
  const auto* backup = FindByName(view, name);
  if (backup == nullptr || (!uid.empty() && backup->metadata.uid != uid)) {
    return {.problem = NotUsable(fmt::format("there is no VolumeBackup {} any more", name))};
  }
  if (backup->metadata.deletion_timestamp) {
    return {.problem = NotUsable(fmt::format("VolumeBackup {} is being deleted", name))};
  }
  if (!controllers::IsFinal(backup->status.phase)) {
    return {.wait = Problem{.reason = reason::kBackupRunning,
                            .message = fmt::format("VolumeBackup {} has not ended yet", name)}};
  }
  if (backup->status.phase != api::BackupPhase::kCompleted) {
    return {.problem = NotUsable(fmt::format(
                "VolumeBackup {} is not Completed ({}); single snapshots of it can be restored by "
                "spec.claims",
                name, backup->status.reason.empty() ? "no reason given" : backup->status.reason))};
  }
  return {.backup = backup};
}

bool IsOf(const api::VolumeBackup& backup, const WorkloadRef& application) {
  if (const auto& status = backup.status.application; status && !status->kind.empty()) {
    return status->kind == ToString(application.kind) && status->name == application.name;
  }
  const auto spec = ParseApplicationRef(backup.spec.application_ref);
  return spec && *spec == application;
}

Pick PickNewest(const View& view, const api::RestoreSource& source) {
  const auto application = ParseApplicationRef(source.application_ref);
  if (!application) {
    return {.problem = Problem{
                reason::kTargetNotFound,
                fmt::format("spec.source.applicationRef: {}", application.error().message)}};
  }
  const auto age = [](const api::VolumeBackup& backup) {
    return std::tuple(*backup.status.completion_time, backup.metadata.name);
  };
  Pick pick;
  for (const auto& backup : view.backups) {
    const auto& completed = backup.status.completion_time;
    if (backup.status.phase != api::BackupPhase::kCompleted || !completed ||
        backup.metadata.deletion_timestamp || !IsOf(backup, *application) ||
        (source.as_of && *completed > *source.as_of)) {
      continue;
    }
    if (pick.backup == nullptr || age(backup) > age(*pick.backup)) pick.backup = &backup;
  }
  if (pick.backup == nullptr) {
    pick.problem = NotUsable(fmt::format(
        "spec.source: no VolumeBackup of {} is Completed{}", ToString(*application),
        source.as_of ? " at or before " + api::FormatTime(*source.as_of) : std::string()));
  }
  return pick;
}

Pick PickBackup(const View& view) {
  const auto& restore = view.restore;
  if (const auto& pinned = restore.status.backup) {
    return PickByName(view, pinned->name, pinned->uid);
  }
  if (!restore.spec.backup_ref.empty()) {
    if (FindByName(view, restore.spec.backup_ref) == nullptr) {
      return {.problem = NotUsable(fmt::format("spec.backupRef: there is no VolumeBackup {}",
                                               restore.spec.backup_ref))};
    }
    return PickByName(view, restore.spec.backup_ref, "");
  }
  if (restore.spec.source) return PickNewest(view, *restore.spec.source);
  return {};
}

std::vector<Source> SourcesOf(const api::VolumeBackup& backup) {
  std::vector<Source> sources;
  for (const auto& volume : backup.status.volumes) {
    sources.push_back(
        {.claim = volume.claim,
         .snapshot = volume.snapshot_name,
         .snapshot_uid = volume.snapshot_uid,
         .restore_size = volume.size,
         .shape = volume.source,
         .field = fmt::format("VolumeBackup {}: claim {}", backup.metadata.name, volume.claim)});
  }
  return sources;
}

// By hand: what the new claim looks like is taken from the claim that it stands in for.
std::vector<Source> SourcesOfSpec(const View& view) {
  std::vector<Source> sources;
  const auto& claims = view.restore.spec.claims;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const auto* old = FindClaim(view, claims[i].claim);
    sources.push_back({.claim = claims[i].claim,
                       .snapshot = claims[i].snapshot,
                       .new_name = claims[i].new_name,
                       .shape = old == nullptr ? api::ClaimSource{} : old->source,
                       .field = fmt::format("spec.claims[{}]", i)});
  }
  return sources;
}

std::optional<Problem> CheckSnapshot(const View& view, const Source& source) {
  const auto* snapshot = FindSnapshot(view, source.snapshot);
  const std::string what = fmt::format("{}: VolumeSnapshot {}", source.field, source.snapshot);
  if (snapshot == nullptr) return NotUsable(what + " does not exist");
  if (!source.snapshot_uid.empty() && snapshot->uid != source.snapshot_uid) {
    return NotUsable(what + " is another object than the one that was backed up");
  }
  if (snapshot->terminating) return NotUsable(what + " is being deleted");
  if (!snapshot->ready) {
    return NotUsable(what + " is not readyToUse" +
                     (snapshot->error.empty() ? "" : " (" + snapshot->error + ")"));
  }
  return std::nullopt;
}

// Looks at each snapshot, and takes from it what only the snapshot knows.
void CheckSnapshots(const View& view, SourcePlan& plan) {
  if (view.snapshots_error) {
    const bool forbidden = view.snapshots_error->code == api::Code::kForbidden;
    plan.problems.push_back({.reason = forbidden ? reason::kForbidden : reason::kSnapshotAPIAbsent,
                             .message = view.snapshots_error->message});
    return;
  }
  for (auto& source : plan.sources) {
    if (auto problem = CheckSnapshot(view, source)) {
      plan.problems.push_back(std::move(*problem));
      continue;
    }
    const auto& snapshot = *FindSnapshot(view, source.snapshot);
    source.snapshot_uid = snapshot.uid;
    if (!snapshot.restore_size.empty()) source.restore_size = snapshot.restore_size;
  }
}

}  // namespace

SourcePlan FindSources(const View& view) {
  SourcePlan plan;
  const Pick pick = PickBackup(view);
  plan.wait = pick.wait;
  if (pick.problem) plan.problems.push_back(*pick.problem);
  if (pick.wait || pick.problem) return plan;
  if (pick.backup == nullptr) {
    plan.sources = SourcesOfSpec(view);
  } else {
    plan.pinned = {.name = pick.backup->metadata.name, .uid = pick.backup->metadata.uid};
    plan.application = pick.backup->status.application;
    plan.sources = SourcesOf(*pick.backup);
    if (pick.backup->status.consistency == api::Consistency::kCrash) {
      plan.note = fmt::format("the backup is only crash-consistent: {}",
                              pick.backup->status.consistency_reason);
    }
  }
  CheckSnapshots(view, plan);
  if (plan.sources.empty() && plan.problems.empty()) {
    plan.problems.push_back(NotUsable("there is no claim to restore"));
  }
  return plan;
}

std::vector<std::string> SnapshotsToRead(const View& view) {
  std::vector<std::string> names;
  const Pick pick = PickBackup(view);
  if (pick.wait || pick.problem) return names;
  const auto sources = pick.backup == nullptr ? SourcesOfSpec(view) : SourcesOf(*pick.backup);
  for (const auto& source : sources) names.push_back(source.snapshot);
  return names;
}

}  // namespace stillpoint::controllers::restore
