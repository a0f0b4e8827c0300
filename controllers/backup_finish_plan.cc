// From the thaw to the end of a backup: readyToUse, the clean-up, and the words for it.
#include "api/conditions.h"
#include "api/duration.h"
#include "api/words.h"
#include "controllers/backup_planner.h"
#include "controllers/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::controllers {

// ---- ready ------------------------------------------------------------------------------------

void BackupPlanner::WaitReady() {
  if (!Failing() && WantsCancel()) Fail(reason::kCancelled, "cancelled by the user");
  if (Failing()) return CleanUp();
  if (AllReady()) {
    auto unseen = UnseenSources();
    if (unseen.empty()) return LookedForSnapshots() ? Complete() : LookForSnapshots();
    Act(ReadContents{std::move(unseen)});
    return WakeAt(now_ + std::chrono::seconds(1));
  }
  // Too late: what is created now would outlive the clean-up of this very pass.
  if (now_ < ReadyDeadline()) CreateMissingSnapshots();
  JudgeUnready();
}

bool BackupPlanner::LookedForSnapshots() const {
  return std::ranges::all_of(view_.snapshots, [](const SnapshotView& snapshot) {
    return !snapshot.exists || snapshot.there.has_value();
  });
}

// Nothing is called good on the word of a cache alone: a watch can be dead without a sign.
void BackupPlanner::LookForSnapshots() {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    const SnapshotView& snapshot = view_.snapshots[i];
    if (snapshot.exists && !snapshot.there && !snapshot.asking) due.push_back(i);
  }
  // That all is ready is told with the outcome: in one write.
  if (backup_.status.phase == api::BackupPhase::kWaitingReady && plan_.actions.empty()) {
    events_.clear();
    next_ = backup_.status;
  }
  if (!due.empty()) Act(AskSnapshots{std::move(due)});
}

api::Time BackupPlanner::ReadyDeadline() const {
  api::Time from = next_.start_time.value_or(now_);
  for (const api::VolumeStatus& volume : next_.volumes) {
    if (volume.cut_at) from = std::max(from, *volume.cut_at);
  }
  return from + spec_.ready_timeout;
}

// Ends a wait that cannot or must not go on: a snapshot gone for good, or the deadline.
void BackupPlanner::JudgeUnready() {
  const api::VolumeStatus* gone = nullptr;
  const api::VolumeStatus* late = nullptr;
  for (std::size_t i = 0; i < next_.volumes.size(); ++i) {
    const api::VolumeStatus& volume = next_.volumes[i];
    const bool created = !volume.snapshot_uid.empty();
    const bool lost = created && !IsThere(i);
    const bool foreign =
        i < view_.snapshots.size() && view_.snapshots[i].exists && !view_.snapshots[i].ours;
    if (lost || foreign || CutFromAnother(i)) gone = &volume;
    if (!volume.ready_at) late = &volume;
  }
  if (gone == nullptr && now_ < ReadyDeadline()) return WakeAt(ReadyDeadline());
  const api::VolumeStatus* volume = gone != nullptr ? gone : late;
  if (volume == nullptr) return;
  const char* why = gone != nullptr ? reason::kSnapshotDeletedOutside : reason::kSnapshotNotReady;
  if (gone == nullptr && !volume->error.empty()) why = reason::kSnapshotFailed;
  std::string message = fmt::format(
      "claim {}: {}", volume->claim,
      !volume->error.empty() ? volume->error
                             : fmt::format("its snapshot was not ready within readyTimeout ({})",
                                           api::FormatDuration(spec_.ready_timeout)));
  const bool some_ready = std::ranges::any_of(
      next_.volumes, [](const auto& v) { return v.ready_at.has_value() && v.error.empty(); });
  if (some_ready && spec_.on_inconsistent == api::OnInconsistent::kKeep) {
    if (!LookedForSnapshots()) return LookForSnapshots();
    Event(true, why, "Verify", message);
    return Finish(api::BackupPhase::kPartiallyFailed, why, std::move(message));
  }
  Fail(why, std::move(message));
  CleanUp();
}

void BackupPlanner::Complete() {
  const std::string what =
      fmt::format("{}, {}", api::Counted(next_.volumes.size(), "volume"),
                  next_.consistency == api::Consistency::kApplication
                      ? std::string("application-consistent")
                      : fmt::format("crash-consistent ({})", next_.consistency_reason));
  SetCondition("Cut", "True", reason::kCut, api::Counted(next_.volumes.size(), "volume"));
  SetCondition("Ready", "True", reason::kSnapshotsReady, "every snapshot is readyToUse");
  Event(false, reason::kSnapshotsReady, "Verify", "every snapshot is readyToUse");
  if (ThawOwed(next_)) {
    return Finish(api::BackupPhase::kPartiallyFailed, reason::kThawUnconfirmed,
                  "the snapshots are good, but the thaw is not confirmed");
  }
  Finish(api::BackupPhase::kCompleted, reason::kSucceeded, what);
}

// ---- the end ----------------------------------------------------------------------------------

// On record before anything is removed: the next controller goes on with the same decision.
void BackupPlanner::Fail(std::string reason, std::string message) {
  if (reason != reason::kCancelled) {
    Event(true, reason, "Fail", message + "; " + StateOfApplication());
  }
  const bool thaws = next_.freeze && (GoesForward() || ThawOwed(next_));
  SetPhase(thaws ? api::BackupPhase::kThawing : next_.phase, reason);
  SetCondition("Failed", "True", std::move(reason), std::move(message));
}

// Deletes the snapshots of this backup that are left. True: nothing is left to wait for.
bool BackupPlanner::RemoveSnapshots() {
  std::vector<std::size_t> due;
  bool waits = false;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    const SnapshotView& snapshot = view_.snapshots[i];
    if (snapshot.creating) waits = true;  // its answer brings us back
    if (!snapshot.exists || !snapshot.ours || snapshot.terminating) continue;
    if (const api::Time when = DeletableFrom(i); now_ < when) {
      waits = true;
      WakeAt(when);
    } else {
      due.push_back(i);
    }
  }
  if (due.empty()) return !waits;
  CommitStatus();
  Act(DeleteSnapshots{std::move(due)});
  WakeAt(now_ + std::chrono::seconds(1));
  return false;
}

// Every snapshot is created as a dependent of its backup. A create can lie in the network, or with
// a controller that stands still, until the backup has failed, was cleaned up and is gone: what
// lands then belongs to nobody, and the garbage collector takes it, whenever that is and whoever
// lives. So those that are to outlive their backup must be let go of, and no sooner than their
// backup has ended well, on record: whoever writes that has the object's version, so that nobody
// who comes too late keeps anything.
//
// `last_chance`: the finalizer goes after this. What our cache does not have may be there.
void BackupPlanner::Release(bool last_chance) {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < next_.volumes.size(); ++i) {
    if (next_.volumes[i].snapshot_uid.empty()) continue;
    const SnapshotView seen = i < view_.snapshots.size() ? view_.snapshots[i] : SnapshotView{};
    if (seen.exists ? seen.owned && IsThere(i) : last_chance) due.push_back(i);
  }
  if (!due.empty()) Act(ReleaseSnapshots{std::move(due)});
}

// external-snapshotter (8.7 measured) can leave a VolumeSnapshot and its content Terminating for
// minutes when it is deleted while its cut is under way. So that is waited for, within bounds.
api::Time BackupPlanner::DeletableFrom(std::size_t i) const {
  constexpr std::chrono::seconds kPatience{30};
  const SnapshotView& snapshot = view_.snapshots[i];
  const auto& since =
      next_.volumes[i].created_at ? next_.volumes[i].created_at : snapshot.created_at;
  if (snapshot.cut || !snapshot.error.empty() || !since) return now_;
  return *since + kPatience;
}

// Removes what a failed backup must not leave, then ends it.
void BackupPlanner::CleanUp() {
  if (!RemoveSnapshots()) return;
  if (IsFinal(next_.phase)) return;
  const auto* failed = api::FindCondition(next_.conditions, "Failed");
  const std::string why = failed->reason;
  const std::string message = failed->message;
  Finish(why == reason::kCancelled ? api::BackupPhase::kCancelled : api::BackupPhase::kFailed, why,
         message);
}

void BackupPlanner::Finish(api::BackupPhase phase, std::string reason, std::string message) {
  if (IsFinal(next_.phase)) return;
  SetPhase(phase, reason);
  next_.completion_time = now_;
  const bool good = phase == api::BackupPhase::kCompleted;
  const bool cancelled = phase == api::BackupPhase::kCancelled;
  const std::string text = message + "; " + StateOfApplication();
  SetCondition("Reconciling", "False", reason, "ended");
  if (!good && !cancelled) {
    SetCondition("Failed", "True", reason, message);
  }
  SetCondition("Finished", "True", reason, text);
  const std::string kept = good || phase == api::BackupPhase::kPartiallyFailed
                               ? std::string()
                               : std::string("; kept: nothing");
  const char* event = good                                    ? reason::kCompleted
                      : phase == api::BackupPhase::kCancelled ? reason::kCancelled
                                                              : reason::kFailed;
  Event(!good && !cancelled, event, "Finish", text + kept);
  SettleFinalizer();
}

}  // namespace stillpoint::controllers
