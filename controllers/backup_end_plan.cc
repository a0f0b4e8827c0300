// What has ended, and what is being deleted: debts, the Ready condition, the finalizer, the ttl.
#include "api/conditions.h"
#include "api/time.h"
#include "controllers/backup_names.h"
#include "controllers/backup_planner.h"
#include "controllers/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace stillpoint::controllers {

using namespace std::chrono_literals;

void BackupPlanner::Deleting() {
  RecordSnapshots();
  RecordTargets();
  if (ThawOwed(next_) ? !IsFinal(next_.phase) : next_.freeze && GoesForward()) {
    SetPhase(api::BackupPhase::kThawing, reason::kCancelled);
  }
  if (ThawOwed(next_)) Thaw();
  if (ThawOwed(next_)) return;
  const bool unfinished = next_.phase != api::BackupPhase::kCompleted &&
                          next_.phase != api::BackupPhase::kPartiallyFailed;
  if (unfinished || spec_.deletion_policy == api::DeletionPolicy::kDelete) {
    if (view_.in_use_by_restore) return WakeAt(now_ + 5s);
    if (!RemoveSnapshots()) return;
  }
  if (!HasFinalizer()) return;
  if (const auto until = LateThawsUntil()) {
    SetCondition("Reconciling", "True", reason::kThawMayComeLate,
                 fmt::format("a thaw that was sent may still come: this stays on record until {}, "
                             "so that it ends no other freeze unseen",
                             api::FormatTime(std::chrono::floor<std::chrono::seconds>(*until))));
    return WakeAt(*until);
  }
  CommitStatus();  // the last word on the thaw, before the object goes
  if (!unfinished && spec_.deletion_policy == api::DeletionPolicy::kRetain) Release(true);
  Act(RemoveFinalizer{});
}

// It went on as ThawUnconfirmed: the debt stays until it is paid or the pod is gone.
void BackupPlanner::PayDebt() {
  RecordTargets();
  if (!ThawOwed(next_)) return;
  Thaw();
  if (ThawOwed(next_)) return;
  SetCondition("Stalled", "False", reason::kThawed, "every pod has been thawed");
  Event(false, reason::kThawed, "Thaw", "thawed at last: " + StateOfApplication());
}

void BackupPlanner::Final() {
  PayDebt();
  KeepReadyConditionTrue();
  if (next_.phase == api::BackupPhase::kFailed || next_.phase == api::BackupPhase::kCancelled) {
    CleanUp();  // a create of a controller that died may have landed since
  }
  SettleFinalizer();
  Expire();
}

// Ready is a condition, not a memory: it turns False when somebody deletes a snapshot.
void BackupPlanner::KeepReadyConditionTrue() {
  if (next_.phase != api::BackupPhase::kCompleted) return;
  std::vector<std::string> lost;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    if (!IsThere(i) || view_.snapshots[i].terminating) lost.push_back(next_.volumes[i].claim);
  }
  const auto* ready = api::FindCondition(next_.conditions, "Ready");
  if (lost.empty() || (ready != nullptr && ready->status == "False")) return;
  const std::string note = fmt::format(
      "the snapshot of claim {} was deleted: this backup can no longer be restored whole",
      fmt::join(lost, ", "));
  SetCondition("Ready", "False", reason::kSnapshotDeletedOutside, note);
  next_.reason = reason::kSnapshotDeletedOutside;
  Event(true, reason::kSnapshotDeletedOutside, "Verify", note);
}

bool BackupPlanner::HasFinalizer() const {
  const auto& finalizers = backup_.metadata.finalizers;
  return std::ranges::find(finalizers, kBackupFinalizer) != finalizers.end();
}

// The next backup must know of a thaw that may still come, so that its record stays as long.
std::optional<api::Time> BackupPlanner::LateThawsUntil() const {
  std::optional<api::Time> last;
  if (!next_.freeze) return last;
  for (const api::FreezeTarget& target : next_.freeze->targets) {
    if (!target.thawed_at) continue;  // its pod is gone, or what became of it will not be known
    const auto until = MayThawUntil(target);
    if (until && now_ < *until) last = std::max(last.value_or(*until), *until);
  }
  return last;
}

// The finalizer stands while deleting the object would leave something behind, and no longer: it
// must not block a namespace whose controller is gone.
void BackupPlanner::SettleFinalizer() {
  const bool holds_snapshots = next_.phase == api::BackupPhase::kCompleted ||
                               next_.phase == api::BackupPhase::kPartiallyFailed;
  const auto late_thaws = LateThawsUntil();
  if (late_thaws) WakeAt(*late_thaws);
  const bool needed = ThawOwed(next_) || late_thaws ||
                      (holds_snapshots && spec_.deletion_policy == api::DeletionPolicy::kDelete);
  CommitStatus();
  if (holds_snapshots && spec_.deletion_policy == api::DeletionPolicy::kRetain) {
    Release(HasFinalizer() && !needed);
  }
  if (HasFinalizer() == needed) return;
  if (needed) {
    Act(AddFinalizer{});
  } else {
    Act(RemoveFinalizer{});
  }
}

void BackupPlanner::Expire() {
  if (!spec_.ttl || !next_.completion_time || ThawOwed(next_)) return;
  const api::Time expiry = *next_.completion_time + *spec_.ttl;
  if (now_ < expiry) return WakeAt(expiry);
  if (view_.in_use_by_restore) return WakeAt(now_ + 5s);
  Act(DeleteBackup{});
}

}  // namespace stillpoint::controllers
