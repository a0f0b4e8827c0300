// Snapshots, the end of a backup, and the words for it.
#include "api/conditions.h"
#include "api/duration.h"
#include "controllers/backup_planner.h"
#include "controllers/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::controllers {

// ---- snapshots --------------------------------------------------------------------------------

void BackupPlanner::RecordSnapshots() {
  if (IsFinal(next_.phase)) return;  // what was true at the end stays on record
  std::size_t ready = 0;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    const SnapshotView& seen = view_.snapshots[i];
    api::VolumeStatus& volume = next_.volumes[i];
    // Seen is seen, also while its record is not worth a write or cannot be written.
    if (volume.snapshot_uid.empty()) volume.snapshot_uid = seen.first_uid;
    if (seen.ours && IsThere(i)) {
      if (!volume.created_at) volume.created_at = seen.created_at.value_or(now_);
      if (!seen.content_name.empty()) volume.content_name = seen.content_name;
      if (!seen.handle.empty()) volume.snapshot_handle = seen.handle;
      if (!seen.restore_size.empty()) volume.size = seen.restore_size;
      if (seen.cut && !volume.cut_at) volume.cut_at = seen.cut_at.value_or(now_);
      if (seen.ready && !volume.ready_at) volume.ready_at = seen.ready_at.value_or(now_);
      volume.error = seen.error;
    } else if (seen.exists && !seen.ours) {
      volume.error = fmt::format("VolumeSnapshot {} exists and belongs to somebody else",
                                 volume.snapshot_name);
    } else if (!volume.snapshot_uid.empty()) {
      volume.error =
          fmt::format("VolumeSnapshot {} was deleted by somebody else", volume.snapshot_name);
      volume.ready_at.reset();
    }
    if (CutFromAnother(i)) {
      volume.error = fmt::format(
          "VolumeSnapshot {} was cut from volume {}, not from {}: the claim "
          "was replaced meanwhile",
          volume.snapshot_name, seen.source_volume_handle, volume.volume_handle);
      volume.ready_at.reset();
    }
    if (volume.ready_at) ++ready;
  }
  next_.volumes_ready = fmt::format("{}/{}", ready, next_.volumes.size());
}

// A create that lay in the network may make it a second time, from another instant.
bool BackupPlanner::IsThere(std::size_t i) const {
  if (i >= view_.snapshots.size() || !view_.snapshots[i].exists) return false;
  if (!view_.snapshots[i].there.value_or(true)) return false;
  const std::string& known = next_.volumes[i].snapshot_uid;
  return known.empty() || known == view_.snapshots[i].uid;
}

// The claim of that name was replaced between our look at it and the cut.
bool BackupPlanner::CutFromAnother(std::size_t i) const {
  if (i >= view_.snapshots.size()) return false;
  const SnapshotView& seen = view_.snapshots[i];
  return seen.exists && !seen.source_volume_handle.empty() &&
         seen.source_volume_handle != next_.volumes[i].volume_handle;
}

// Which volume was cut is told by the content alone, and a controller that came after the cut has
// not seen it. Who may not read contents has to go without.
std::vector<std::size_t> BackupPlanner::UnseenSources() const {
  std::vector<std::size_t> unseen;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    const SnapshotView& seen = view_.snapshots[i];
    if (seen.source_volume_handle.empty() && !seen.content_asked) unseen.push_back(i);
  }
  return unseen;
}

bool BackupPlanner::AllCut() const {
  return !next_.volumes.empty() &&
         std::ranges::all_of(next_.volumes, [](const auto& v) { return v.cut_at.has_value(); });
}

bool BackupPlanner::AllReady() const {
  return !next_.volumes.empty() && std::ranges::all_of(next_.volumes, [](const auto& v) {
    return v.ready_at.has_value() && v.error.empty();
  });
}

// Only what was never there: a snapshot that somebody deleted is not quietly made again, as its
// cut would be from another instant.
void BackupPlanner::CreateMissingSnapshots() {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < next_.volumes.size(); ++i) {
    const SnapshotView seen = i < view_.snapshots.size() ? view_.snapshots[i] : SnapshotView{};
    if (seen.exists || seen.creating || !next_.volumes[i].snapshot_uid.empty()) continue;
    if (seen.create_after && now_ < *seen.create_after) {
      WakeAt(*seen.create_after);
    } else {
      missing.push_back(i);
    }
  }
  if (missing.empty()) return;
  // Before the write of the status: the application stands still meanwhile.
  Act(CreateSnapshots{std::move(missing)});
}

void BackupPlanner::ReadLateContents() {
  std::vector<std::size_t> unread;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    if (view_.snapshots[i].content_unread && !next_.volumes[i].cut_at) unread.push_back(i);
  }
  if (!unread.empty()) Act(ReadContents{std::move(unread)});
  WakeAt(now_ + std::chrono::seconds(1));
}

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
      fmt::format("{}, {}", Counted(next_.volumes.size(), "volume"),
                  next_.consistency == api::Consistency::kApplication
                      ? std::string("application-consistent")
                      : fmt::format("crash-consistent ({})", next_.consistency_reason));
  SetCondition("Cut", "True", reason::kCut, Counted(next_.volumes.size(), "volume"));
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
