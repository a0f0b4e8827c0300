#include "controllers/restore_phases_plan.h"

#include "controllers/repoint_plan.h"
#include "controllers/restore_reasons.h"
#include "controllers/restore_status.h"
#include "controllers/rollout_plan.h"

#include <fmt/format.h>

namespace stillpoint::controllers::restore {
namespace {

using api::RestorePhase;
using Status = api::VolumeRestoreStatus;
using Strategy = api::RestoreStrategy;

// What the cluster shows of the new claims goes into the status.
Status WithObservedClaims(const View& view, std::vector<Notice>& notices) {
  View seen = view;
  for (auto& claim : seen.restore.status.claims) {
    const auto* made = FindClaim(view, claim.new_);
    if (made == nullptr || made->restore_uid != view.restore.metadata.uid) continue;
    if (claim.new_uid != made->uid) {
      notices.push_back({.reason = reason::kClaimCreated,
                         .message = fmt::format("claim {} is made from snapshot {}", claim.new_,
                                                claim.snapshot)});
    }
    claim.new_uid = made->uid;
    claim.bound = made->phase == "Bound";
  }
  return Refreshed(seen);
}

Plan PlanClaimsReady(const View& view, Status next, api::Time now) {
  SetDone(next, "ClaimsReady", reason::kClaimCreated, "every claim is made", now);
  if (view.restore.spec.strategy == Strategy::kClaimsOnly) {
    return PlanCompleted(view, std::move(next), {}, now);
  }
  // As late as possible: what is recorded here is what a rollback writes back.
  next.workload = Remember(*view.workload);
  next.workload->volumes = VolumesToRepoint(*view.workload, next.claims);
  if (next.workload->volumes.empty()) {
    return PlanFailure(
        view,
        {reason::kWorkloadChanged,
         fmt::format("{} mounts none of the claims to restore any more", next.target)},
        now);
  }
  Enter(next, RestorePhase::kRepointing, "patching the template", now);
  return Record(view, std::move(next));
}

}  // namespace

api::WorkloadBefore Remember(const Workload& workload) {
  return {.kind = std::string(ToString(workload.kind)),
          .name = workload.metadata.name,
          .uid = workload.metadata.uid,
          .generation = workload.metadata.generation,
          .replicas = workload.replicas};
}

Plan PlanCreatingClaims(const View& view, api::Time now) {
  std::vector<Notice> notices;
  Status next = WithObservedClaims(view, notices);
  if (next != view.restore.status) return Record(view, std::move(next), std::move(notices));
  std::vector<Action> actions;
  std::string waiting_for;
  for (const auto& claim : next.claims) {
    const auto* made = FindClaim(view, claim.new_);
    if (made == nullptr) {
      actions.push_back(CreateClaim{MakeRestoredClaim(view.restore, claim)});
    } else if (made->restore_uid != view.restore.metadata.uid) {
      return PlanFailure(
          view,
          {reason::kClaimNameTaken, fmt::format("somebody made a claim {} meanwhile", claim.new_)},
          now);
    } else if (made->terminating || !IsReady(view, *made)) {
      waiting_for = claim.new_;
    }
  }
  if (actions.empty() && waiting_for.empty()) return PlanClaimsReady(view, std::move(next), now);
  if (IsExpired(view, now)) {
    return PlanFailure(view,
                       {reason::kRolloutTimedOut,
                        fmt::format("{}: waited in vain for claim {} to be Bound", next.target,
                                    waiting_for.empty() ? next.claims.front().new_ : waiting_for)},
                       now);
  }
  return {.actions = std::move(actions), .requeue_after = kPoll};
}

namespace {

Plan PlanRolledOut(const View& view, Status next, const Rollout& rollout, api::Time now) {
  const std::string message = fmt::format("{}: {}", next.target, rollout.message);
  SetDone(next, "WorkloadUpdated", reason::kRolloutComplete, message, now);
  std::vector<Notice> notices{{.reason = reason::kRolloutComplete, .message = message}};
  if (view.restore.spec.post_hooks.empty()) {
    return PlanCompleted(view, std::move(next), std::move(notices), now);
  }
  Enter(next, RestorePhase::kRunningHooks, "running spec.postHooks", now);
  return Record(view, std::move(next), std::move(notices));
}

}  // namespace

Plan PlanWaitingRollout(const View& view, api::Time now) {
  const Workload& workload = *FindTarget(view);
  const auto& before = *view.restore.status.workload;
  const auto replicas = before.replicas.value_or(0);
  if (IsReplace(view) && replicas > 0 && workload.replicas == 0) {
    return {.actions = {Scale{SeenAs(workload), replicas}}, .requeue_after = kPoll};
  }
  const bool reverted = !IsReplace(view) &&
                        (!ChangesLeft(workload, view.restore.status, Direction::kForward).empty() ||
                         !StrangeVolumes(workload, view.restore.status).empty());
  if (reverted) {
    return PlanFailure(view,
                       {reason::kWorkloadChanged,
                        fmt::format("somebody set the template of {} back; a GitOps tool needs the "
                                    "change in its manifest, or `strategy: Replace`",
                                    view.restore.status.target)},
                       now);
  }
  std::vector<Notice> notices;
  Status next = WithObservedClaims(view, notices);
  const std::set<std::string> left =
      IsReplace(view) ? std::set<std::string>{} : OldNames(view.restore.status);
  const Rollout rollout = JudgeRollout(workload, view.pods, left);
  if (rollout.state == Rollout::State::kComplete) {
    return PlanRolledOut(view, std::move(next), rollout, now);
  }
  // A Replace starts the template that was there before, and with it a condition of long ago.
  const bool exceeded = rollout.state == Rollout::State::kExceeded && !IsReplace(view);
  if (exceeded || IsExpired(view, now)) {
    return PlanFailure(
        view,
        {reason::kRolloutTimedOut, fmt::format("{} did not become ready on the restored claims: {}",
                                               next.target, rollout.message)},
        now);
  }
  return Record(view, std::move(next), std::move(notices));
}

}  // namespace stillpoint::controllers::restore
