#include "controllers/backup_plan.h"

#include "api/conditions.h"
#include "api/duration.h"
#include "api/words.h"
#include "controllers/backup_planner.h"
#include "controllers/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::controllers {

using namespace std::chrono_literals;

bool IsFinal(api::BackupPhase phase) {
  switch (phase) {
    case api::BackupPhase::kCompleted:
    case api::BackupPhase::kPartiallyFailed:
    case api::BackupPhase::kFailed:
    case api::BackupPhase::kCancelled:
      return true;
    case api::BackupPhase::kPending:
    case api::BackupPhase::kFreezing:
    case api::BackupPhase::kCutting:
    case api::BackupPhase::kThawing:
    case api::BackupPhase::kWaitingReady:
      return false;
  }
  return false;
}

bool ThawOwed(const api::VolumeBackupStatus& status) {
  return status.freeze && std::ranges::any_of(status.freeze->targets, hooks::ThawOwed);
}

std::vector<std::string> FrozenPods(const api::VolumeBackupStatus& status) {
  std::vector<std::string> pods;
  if (!status.freeze) return pods;
  for (const api::FreezeTarget& target : status.freeze->targets) {
    if (hooks::ThawOwed(target)) pods.push_back(target.pod_uid);
  }
  return pods;
}

BackupPlan PlanBackup(const BackupView& view, api::Time now) {
  return BackupPlanner(view, now).Run();
}

BackupPlanner::BackupPlanner(const BackupView& view, api::Time now)
    : view_(view),
      backup_(view.backup),
      spec_(view.backup.spec),
      now_(now),
      next_(view.backup.status) {}

BackupPlan BackupPlanner::Run() {
  next_.observed_generation = backup_.metadata.generation;
  if (next_.target.empty()) next_.target = TargetText(spec_);
  if (!view_.leads && !LeftToThaw()) return std::move(plan_);
  if (!view_.lists_known && next_.phase != api::BackupPhase::kPending) {
    ThawOnly();
  } else if (backup_.metadata.deletion_timestamp) {
    Deleting();
  } else if (IsFinal(next_.phase)) {
    Final();
  } else if (next_.phase == api::BackupPhase::kPending) {
    Pending();
  } else {
    RecordSnapshots();
    if (next_.phase == api::BackupPhase::kWaitingReady) {
      PayDebt();
      WaitReady();
    } else {
      Freeze();
    }
  }
  CommitStatus();
  for (EmitEvent& event : events_) Act(std::move(event));
  return std::move(plan_);
}

// Whoever leads now thaws what others have left, and a freeze may be of that one itself. Our own is
// thawed once more; but where that is done already, another backup may have frozen the same pods.
bool BackupPlanner::LeftToThaw() {
  if (!view_.own_freeze) {
    WakeAt(now_ + 1s);  // a lease that was only renewed late is ours again
    return false;
  }
  if (view_.looked || !ThawOwed(next_)) return true;
  DoFirst(LookAtBackup{});
  return false;
}

// Just after a start: a thaw waits for no list, everything else does.
void BackupPlanner::ThawOnly() {
  RecordTargets();
  if (ThawOwed(next_)) Thaw();
  WakeAt(now_ + 1s);
}

// ---- Pending ----------------------------------------------------------------------------------

void BackupPlanner::Pending() {
  if (spec_.cancel) {
    return Finish(api::BackupPhase::kCancelled, reason::kCancelled, "cancelled by the user");
  }
  // The application is read anew when our turn comes: it may have changed by then.
  if (!view_.queued_behind.empty()) return WaitForTurn(view_.queued_behind);
  if (!view_.facts) return DoFirst(ReadFacts{});
  Begin();
}

void BackupPlanner::WaitForTurn(const std::string& why) {
  if (next_.reason != reason::kQueued) Event(false, reason::kQueued, "Queue", why);
  SetPhase(api::BackupPhase::kPending, reason::kQueued);
  SetCondition("Reconciling", "True", reason::kQueued, why);
  WakeAt(now_ + 1s);
}

void BackupPlanner::Begin() {
  const Resolution resolution = PlanResolve(backup_, *view_.facts);
  if (resolution.problems.empty() && resolution.ending && now_ < resolution.ending->until) {
    return WaitForTurn(resolution.ending->message);
  }
  for (const ResolveWarning& warning : resolution.warnings) {
    Event(true, warning.reason, "Resolve", warning.message);
  }
  next_.application = view_.facts->application;
  next_.volumes = resolution.volumes;
  next_.volumes_ready = fmt::format("0/{}", next_.volumes.size());
  if (!resolution.problems.empty()) {
    for (const ResolveProblem& problem : resolution.problems) {
      Event(true, problem.reason, "Resolve", problem.message + "; nothing was frozen");
    }
    const ResolveProblem& first = resolution.problems.front();
    SetCondition("Resolved", "False", first.reason, first.message);
    return Finish(api::BackupPhase::kFailed, first.reason, first.message);
  }
  // Until all is listed nothing but a thaw is done for what has a journal.
  if (!view_.may_freeze || !view_.lists_known) return WakeAt(now_ + 1s);
  if (!HasFinalizer()) return DoFirst(AddFinalizer{});
  std::string summary =
      fmt::format("{}: {}, {}", next_.target, api::Counted(resolution.volumes.size(), "volume"),
                  api::Counted(resolution.targets.size(), "hook"));
  if (!resolution.note.empty()) summary += "; " + resolution.note;
  SetCondition("Resolved", "True", reason::kResolved, summary);
  Event(false, reason::kResolved, "Resolve", summary);
  next_.start_time = now_;
  if (resolution.targets.empty()) {
    next_.consistency = api::Consistency::kCrash;
    next_.consistency_reason = reason::kNoHooks;
    SetPhase(api::BackupPhase::kCutting, reason::kResolved);
    CommitStatus();
    return CreateMissingSnapshots();
  }
  next_.freeze = api::FreezeStatus{.intended_at = now_,
                                   .deadline = now_ + spec_.max_freeze,
                                   .holder = view_.identity,
                                   .targets = resolution.targets};
  Act(ReservePods{resolution.pod_uids, resolution.writers});
  WriteJournal();
}

// The intent is on record before the first hook is sent: whoever comes next owes the thaw.
//
// A restore does the same: record, look for our journal, begin. Each looks for the other after its
// own write, and past any cache, so at least one sees the other and steps back.
void BackupPlanner::WriteJournal() {
  SetPhase(api::BackupPhase::kFreezing, reason::kFreezeStarted);
  SetCondition("Frozen", "False", reason::kFreezeStarted, "the pre-hooks are being run");
  Event(false, reason::kFreezeStarted, "Freeze",
        fmt::format("running {}; thawed after {} at the latest",
                    api::Counted(next_.freeze->targets.size(), "pre-hook"),
                    api::FormatDuration(spec_.max_freeze)));
  CommitStatus();
  Act(AskRestores{});
  WakeAt(next_.freeze->deadline);
}

// ---- shared -----------------------------------------------------------------------------------

// What has failed, and thaws, is no longer in one of these phases.
bool BackupPlanner::GoesForward() const {
  return next_.phase == api::BackupPhase::kFreezing || next_.phase == api::BackupPhase::kCutting;
}

bool BackupPlanner::Failing() const {
  const auto* failed = api::FindCondition(next_.conditions, "Failed");
  return failed != nullptr && failed->status == "True";
}

bool BackupPlanner::WantsCancel() const {
  return spec_.cancel || backup_.metadata.deletion_timestamp.has_value();
}

// Pods whose pre-hook succeeded, and nobody was told how to undo it.
std::vector<std::string> BackupPlanner::NeverThawed() const {
  std::vector<std::string> pods;
  for (const api::FreezeTarget& target : next_.freeze->targets) {
    if (target.frozen_at && target.mode == api::HookMode::kCommand && target.post_command.empty()) {
      pods.push_back(target.pod);
    }
  }
  return pods;
}

// The second clause of every message: is the application running?
std::string BackupPlanner::StateOfApplication() const {
  if (!next_.freeze) return "nothing was frozen";
  std::vector<std::string> owed;
  for (const api::FreezeTarget& target : next_.freeze->targets) {
    if (hooks::ThawOwed(target) || target.state == api::FreezeState::kLost) {
      owed.push_back(target.pod);
    }
  }
  if (!owed.empty()) {
    return fmt::format("the application may still be frozen in pod {}", fmt::join(owed, ", "));
  }
  if (const auto pods = NeverThawed(); !pods.empty()) {
    return fmt::format("what the pre-hook has stopped in pod {} stays so, as it has no post-hook",
                       fmt::join(pods, ", "));
  }
  if (next_.freeze_duration.empty()) return "the application is running";
  return fmt::format("the application is running, it was frozen for {}", next_.freeze_duration);
}

void BackupPlanner::SetCondition(const char* type, const char* status, std::string reason,
                                 std::string message) {
  api::SetCondition(next_.conditions,
                    {.type = type,
                     .status = status,
                     .observed_generation = backup_.metadata.generation,
                     .reason = std::move(reason),
                     .message = std::move(message)},
                    now_);
}

void BackupPlanner::SetPhase(api::BackupPhase phase, std::string reason) {
  next_.phase = phase;
  next_.reason = std::move(reason);
}

void BackupPlanner::Event(bool warning, std::string reason, std::string action, std::string note) {
  events_.push_back({warning, std::move(reason), std::move(action), std::move(note)});
}

// This action, and in this pass nothing else: the next one decides and tells the rest.
void BackupPlanner::DoFirst(BackupAction action) {
  events_.clear();
  next_ = backup_.status;
  Act(std::move(action));
}

void BackupPlanner::WakeAt(api::Time when) {
  // Never zero: a plan that wants to run again at once would spin.
  const auto delay = std::max(std::chrono::ceil<std::chrono::milliseconds>(when - now_), 1ms);
  if (!plan_.requeue_after || delay < *plan_.requeue_after) plan_.requeue_after = delay;
}

// Whether `next` tells no more than times and handles, which the next real write will carry: a
// write for each would double the load on the API server, in the middle of the freeze.
bool BackupPlanner::IsMereProgress(const api::VolumeBackupStatus& current) const {
  if (next_ == current) return true;
  api::VolumeBackupStatus masked = next_;
  for (std::size_t i = 0; i < masked.volumes.size() && i < current.volumes.size(); ++i) {
    const std::string error = masked.volumes[i].error;
    masked.volumes[i] = current.volumes[i];
    masked.volumes[i].error = error;
  }
  return masked == current;
}

// Writes what has changed since the last write of this pass, and nothing if nothing has.
void BackupPlanner::CommitStatus() {
  const api::VolumeBackupStatus* current = &backup_.status;
  for (const BackupAction& action : plan_.actions) {
    if (const auto* write = std::get_if<WriteStatus>(&action)) current = &write->status;
  }
  if (!IsMereProgress(*current)) Act(WriteStatus{next_});
}

}  // namespace stillpoint::controllers
