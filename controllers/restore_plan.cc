#include "controllers/restore_plan.h"

#include "api/words.h"
#include "controllers/replace_plan.h"
#include "controllers/repoint_plan.h"
#include "controllers/restore_end_plan.h"
#include "controllers/restore_hold.h"
#include "controllers/restore_phases_plan.h"
#include "controllers/restore_reasons.h"
#include "controllers/restore_resolve_plan.h"
#include "controllers/restore_status.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

using api::RestorePhase;
using Status = api::VolumeRestoreStatus;
using Strategy = api::RestoreStrategy;

Status Pinned(const View& view, const Resolution& resolution, api::Time now) {
  Status next = view.restore.status;
  next.observed_generation = view.restore.metadata.generation;
  if (!next.start_time) next.start_time = now;
  next.target = resolution.target;
  if (resolution.pinned) {
    next.backup = resolution.pinned;
    next.backup_name = resolution.pinned->name;
  }
  return next;
}

std::vector<Notice> NoticesOf(const View& view, const Resolution& resolution) {
  std::vector<Notice> notices;
  if (resolution.pinned && !view.restore.status.backup) {
    notices.push_back(
        {.reason = reason::kBackupPinned,
         .message = fmt::format("restores VolumeBackup {}", resolution.pinned->name)});
  }
  return notices;
}

Plan PlanResolve(const View& view, api::Time now) {
  Resolution resolution = Resolve(view);
  Status next = Pinned(view, resolution, now);
  auto notices = NoticesOf(view, resolution);
  if (!resolution.problems.empty()) {
    View seen = view;
    seen.restore.status = next;
    Plan plan = PlanFailure(
        seen, {resolution.problems.front().reason, JoinMessages(resolution.problems)}, now);
    plan.notices.insert(plan.notices.begin(), notices.begin(), notices.end());
    return plan;
  }
  if (resolution.wait) return PlanWaiting(view, std::move(next), *resolution.wait, now);
  next.claims = std::move(resolution.claims);
  if (view.workload && view.restore.spec.strategy != Strategy::kClaimsOnly) {
    next.workload = Remember(*view.workload);
  }
  next.rollout_deadline = now + view.restore.spec.rollout_timeout;
  next.claims_bound = fmt::format("0/{}", next.claims.size());
  const std::string message =
      fmt::format("{} of {}{}{}", api::Counted(next.claims.size(), "claim"), next.target,
                  resolution.note.empty() ? "" : "; ", resolution.note);
  SetDone(next, "Resolved", reason::kResolved, message, now);
  Enter(next, IsReplace(view) ? RestorePhase::kStopping : RestorePhase::kCreatingClaims, message,
        now);
  for (auto& warning : resolution.warnings) {
    notices.push_back({Notice::Type::kWarning, warning.reason, warning.message});
  }
  return Record(view, std::move(next), std::move(notices));
}

// Recorded, and nothing touched yet: the last look at who else might be at work.
Plan PlanBegin(const View& view, api::Time now) {
  const auto& status = view.restore.status;
  if (const auto* other = MustEndFirst(view.restore, view.restores, view.backups)) {
    return PlanWaiting(view, status,
                       {reason::kAnotherRestoreRunning,
                        fmt::format("VolumeRestore {} must end first: it restores {} too",
                                    other->metadata.name, status.target)},
                       now);
  }
  const auto* backup = HoldsWorkload(view.restore) ? FrozenBy(TargetOf(view.restore, view.backups),
                                                              OldNames(status), view.backups)
                                                   : nullptr;
  if (backup != nullptr) {
    return PlanWaiting(view, status,
                       {reason::kBackupRunning, fmt::format("VolumeBackup {} must thaw {} first",
                                                            backup->metadata.name, status.target)},
                       now);
  }
  return {.actions = {AddFinalizer{}}, .requeue_after = kPoll};
}

Plan PlanPhase(const View& view, api::Time now) {
  const RestorePhase phase = view.restore.status.phase;
  switch (phase) {
    case RestorePhase::kPending:
    case RestorePhase::kResolving:
      return PlanResolve(view, now);
    case RestorePhase::kStopping:
      return PlanStopping(view, now);
    case RestorePhase::kCreatingClaims:
      return IsReplace(view) ? PlanExchange(view, now) : PlanCreatingClaims(view, now);
    case RestorePhase::kRepointing:
      return PlanRepointing(view, now);
    case RestorePhase::kWaitingRollout:
      return PlanWaitingRollout(view, now);
    case RestorePhase::kRunningHooks:
      return {.actions = {RunPostHooks{}}, .requeue_after = kPoll};
    case RestorePhase::kRollingBack:
      return IsReplace(view) ? PlanReplaceRollback(view, now) : PlanRepointRollback(view, now);
    case RestorePhase::kCompleted:
    case RestorePhase::kRolledBack:
    case RestorePhase::kFailed:
      return PlanEnd(view, now);
  }
  return {};
}

}  // namespace

Plan PlanRestore(const View& view, api::Time now) {
  const auto& status = view.restore.status;
  const RestorePhase phase = status.phase;
  if (IsFinal(phase) || phase == RestorePhase::kRollingBack) return PlanPhase(view, now);
  const bool deleting = view.restore.metadata.deletion_timestamp.has_value();
  if (!HasFinalizer(view)) {
    if (deleting) return {};
    const bool begun = phase != RestorePhase::kPending && phase != RestorePhase::kResolving;
    return begun ? PlanBegin(view, now) : PlanPhase(view, now);
  }
  if (deleting) {
    return PlanFailure(view, {reason::kCancelled, "the restore was deleted while it ran"}, now);
  }
  if (status.workload && FindTarget(view) == nullptr) {
    return PlanFailure(
        view, {reason::kWorkloadChanged, fmt::format("{} was deleted meanwhile", status.target)},
        now);
  }
  return PlanPhase(view, now);
}

Plan PlanAfterHooks(const View& view, const std::vector<HookOutcome>& outcomes, api::Time now) {
  View seen = view;
  seen.restore.status.hooks.clear();
  const HookOutcome* failed = nullptr;
  for (const auto& outcome : outcomes) {
    seen.restore.status.hooks.push_back(outcome.status);
    const bool counts = !outcome.succeeded && outcome.on_error == api::OnError::kFail;
    if (counts && failed == nullptr) failed = &outcome;
  }
  if (failed == nullptr) return PlanCompleted(view, Refreshed(seen), {}, now);
  const auto& hook = failed->status;
  const std::string how =
      hook.exit_code ? fmt::format("it exited with {}", *hook.exit_code) : hook.error;
  return PlanFailure(seen,
                     {reason::kHookFailed, fmt::format("post hook in pod {}, container {}: {}",
                                                       hook.pod, hook.container, how)},
                     now);
}

Plan PlanAfterError(const View& view, const api::Error& error, api::Time now) {
  const bool terminal = error.code == api::Code::kForbidden || error.code == api::Code::kInvalid;
  const RestorePhase phase = view.restore.status.phase;
  // Any other may pass, but not for longer than the rollout may take: a webhook that does not
  // answer refuses every write with a 500.
  if (IsFinal(phase) || (!terminal && !IsExpired(view, now))) return {};
  const Problem problem{error.code == api::Code::kForbidden ? reason::kForbidden : reason::kFailed,
                        error.message};
  if (phase != RestorePhase::kRollingBack) return PlanFailure(view, problem, now);
  if (terminal && IsExpired(view, now)) return PlanRollbackFailed(view, error.message, now);
  return PlanStalled(view, problem, now);
}

Plan PlanUnreadable(const View& view, const api::Error& error, api::Time now) {
  const RestorePhase phase = view.restore.status.phase;
  const bool begun = phase != RestorePhase::kPending && phase != RestorePhase::kResolving;
  if (error.code != api::Code::kForbidden || begun) return {};
  Status next = Refreshed(view);
  if (!next.start_time) next.start_time = now;
  return PlanWaiting(view, std::move(next), {reason::kForbidden, error.message}, now);
}

}  // namespace stillpoint::controllers::restore
