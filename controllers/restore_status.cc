#include "controllers/restore_status.h"

#include "api/conditions.h"
#include "api/duration.h"
#include "api/words.h"
#include "controllers/restore_names.h"
#include "controllers/restore_reasons.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

using api::RestorePhase;
using Status = api::VolumeRestoreStatus;

constexpr char kTrue[] = "True";
constexpr char kFalse[] = "False";

void Set(Status& status, const char* type, const char* value, const std::string& reason,
         const std::string& message, api::Time now) {
  api::SetCondition(status.conditions,
                    {.type = type,
                     .status = value,
                     .observed_generation = status.observed_generation,
                     .reason = reason,
                     .message = message},
                    now);
}

// The end: `kubectl wait --for=condition=Finished` returns whatever the outcome is.
void Finish(Status& status, RestorePhase phase, const std::string& reason,
            const std::string& outcome, const std::string& message, api::Time now) {
  const bool failed = phase != RestorePhase::kCompleted;
  status.phase = phase;
  status.reason = reason;
  status.completion_time = now;
  Set(status, "Finished", kTrue, outcome, message, now);
  Set(status, "Failed", failed ? kTrue : kFalse, reason, message, now);
  Set(status, "Reconciling", kFalse, outcome, message, now);
  Set(status, "Stalled", failed ? kTrue : kFalse, reason, message, now);
}

Notice Warning(std::string reason, std::string message) {
  return {
      .type = Notice::Type::kWarning, .reason = std::move(reason), .message = std::move(message)};
}

// The application after a failure that nothing undoes.
std::string StateAsLeft(const Status& status) {
  switch (status.phase) {
    case RestorePhase::kPending:
    case RestorePhase::kResolving:
      return "nothing was touched";
    case RestorePhase::kCreatingClaims:
    case RestorePhase::kStopping:
    case RestorePhase::kRepointing:
    case RestorePhase::kWaitingRollout:
    case RestorePhase::kRunningHooks:
    case RestorePhase::kRollingBack:
      break;
    case RestorePhase::kCompleted:
    case RestorePhase::kRolledBack:
    case RestorePhase::kFailed:
      return "";
  }
  std::string kept;
  for (const auto& claim : status.claims) {
    const std::string& data = claim.kept_uid.empty() ? claim.old : claim.kept;
    kept += (kept.empty() ? "" : ", ") + data;
  }
  return fmt::format("{} was left in the middle; its old data is in claim {}", status.target, kept);
}

Plan PlanFailedAsIs(const View& view, Status next, const Problem& problem, api::Time now) {
  const bool touched = HasFinalizer(view);
  const std::string state = touched ? StateAsLeft(next) : "nothing was touched";
  const std::string message = fmt::format("{}; application: {}", problem.message, state);
  if (!touched) Set(next, "Resolved", kFalse, problem.reason, problem.message, now);
  next.failure_reason = problem.reason;
  next.failure_message = problem.message;
  Finish(next, RestorePhase::kFailed, problem.reason, reason::kFailed, message, now);
  return Record(view, std::move(next), {Warning(problem.reason, message)});
}

}  // namespace

bool HasFinalizer(const View& view) {
  const auto& finalizers = view.restore.metadata.finalizers;
  return std::ranges::find(finalizers, kFinalizer) != finalizers.end();
}

bool IsExpired(const View& view, api::Time now) {
  const auto& deadline = view.restore.status.rollout_deadline;
  return deadline && now >= *deadline;
}

Plan Wait() {
  return {.requeue_after = kPoll};
}

Plan Record(const View& view, Status next, std::vector<Notice> notices) {
  if (next == view.restore.status) return Wait();
  return {.status = std::move(next), .notices = std::move(notices), .requeue_after = kPoll};
}

Status Refreshed(const View& view) {
  Status next = view.restore.status;
  next.observed_generation = view.restore.metadata.generation;
  if (next.claims.empty()) return next;
  const auto bound = std::ranges::count_if(next.claims, &api::RestoredClaim::bound);
  next.claims_bound = fmt::format("{}/{}", bound, next.claims.size());
  return next;
}

void Enter(Status& status, RestorePhase phase, const std::string& message, api::Time now) {
  status.phase = phase;
  status.reason = phase == RestorePhase::kRollingBack ? status.failure_reason : "";
  const char* why =
      phase == RestorePhase::kRollingBack ? reason::kRollingBack : reason::kProgressing;
  Set(status, "Reconciling", kTrue, why, message, now);
  Set(status, "Stalled", kFalse, why, message, now);
}

Plan PlanWaiting(const View& view, Status next, const Problem& problem, api::Time now) {
  next.phase = RestorePhase::kPending;
  next.reason = problem.reason;
  next.claims.clear();
  next.claims_bound.clear();
  next.workload.reset();
  next.rollout_deadline.reset();
  Set(next, "Resolved", kFalse, problem.reason, problem.message, now);
  Set(next, "Reconciling", kTrue, problem.reason, problem.message, now);
  return Record(view, std::move(next), {Warning(problem.reason, problem.message)});
}

void SetDone(Status& status, const char* type, const char* reason, const std::string& message,
             api::Time now) {
  Set(status, type, kTrue, reason, message, now);
}

Plan PlanCompleted(const View& view, Status next, std::vector<Notice> notices, api::Time now) {
  const bool claims_only = view.restore.spec.strategy == api::RestoreStrategy::kClaimsOnly;
  const std::string message =
      fmt::format("restored {}; application: {}", api::Counted(next.claims.size(), "claim"),
                  claims_only ? "not touched" : next.target + " runs on the restored data");
  Finish(next, RestorePhase::kCompleted, reason::kSucceeded, reason::kCompleted, message, now);
  notices.push_back({.reason = reason::kCompleted, .message = message});
  return Record(view, std::move(next), std::move(notices));
}

Plan PlanFailure(const View& view, const Problem& problem, api::Time now) {
  Status next = Refreshed(view);
  const bool deleting = view.restore.metadata.deletion_timestamp.has_value();
  const bool leave = view.restore.spec.on_failure == api::OnFailure::kLeave && !deleting;
  if (!HasFinalizer(view) || leave) return PlanFailedAsIs(view, std::move(next), problem, now);
  next.failure_reason = problem.reason;
  next.failure_message = problem.message;
  next.rollout_deadline = now + view.restore.spec.rollout_timeout;
  const std::string message =
      fmt::format("{}; putting {} back as it was", problem.message, next.target);
  Enter(next, RestorePhase::kRollingBack, message, now);
  return Record(view, std::move(next),
                {Warning(problem.reason, problem.message), Warning(reason::kRollingBack, message)});
}

Plan PlanRolledBack(const View& view, const std::string& note, api::Time now) {
  Status next = Refreshed(view);
  const bool claims_only = view.restore.spec.strategy == api::RestoreStrategy::kClaimsOnly;
  const std::string state =
      claims_only ? "it was not touched" : next.target + " is as it was before";
  const std::string message =
      fmt::format("{}; application: {}{}{}; the restored claims are removed", next.failure_message,
                  state, note.empty() ? "" : ", ", note);
  Finish(next, RestorePhase::kRolledBack, next.failure_reason, reason::kRolledBack, message, now);
  return Record(view, std::move(next), {Warning(reason::kRolledBack, message)});
}

Plan PlanRollbackFailed(const View& view, const std::string& what, api::Time now) {
  Status next = Refreshed(view);
  const std::string message = fmt::format(
      "{}; and it could not be undone within {}: {}; application: {}", next.failure_message,
      api::FormatDuration(view.restore.spec.rollout_timeout), what, StateAsLeft(next));
  Finish(next, RestorePhase::kFailed, reason::kRollbackFailed, reason::kRollbackFailed, message,
         now);
  return Record(view, std::move(next), {Warning(reason::kRollbackFailed, message)});
}

Plan PlanStalled(const View& view, const Problem& problem, api::Time now) {
  Status next = Refreshed(view);
  Set(next, "Stalled", kTrue, problem.reason, problem.message, now);
  return Record(view, std::move(next), {Warning(problem.reason, problem.message)});
}

}  // namespace stillpoint::controllers::restore
