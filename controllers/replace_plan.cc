#include "controllers/replace_plan.h"

#include "controllers/repoint_plan.h"
#include "controllers/restore_reasons.h"
#include "controllers/restore_status.h"
#include "controllers/rollout_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

using api::RestorePhase;

// What keeps the workload from being stopped for good; empty: it has stopped.
std::string StillRunning(const View& view) {
  const Workload* target = FindTarget(view);
  if (target == nullptr) return "";
  const Workload& workload = *target;
  if (workload.rollout.observed_generation < workload.metadata.generation) {
    return fmt::format("the controller of {} to see that it is stopped", ToString(RefOf(workload)));
  }
  const auto* pod = FindLivePod(workload, view.pods);
  return pod == nullptr ? "" : fmt::format("pod {} to end", pod->name);
}

// An autoscaler, or a person, may scale it up meanwhile: it is scaled down again, every time.
std::vector<Action> StopActions(const View& view) {
  const Workload* workload = FindTarget(view);
  if (workload == nullptr || workload->replicas == 0) return {};
  return {Scale{SeenAs(*workload), 0}};
}

std::vector<Action> RetainActions(const View& view) {
  std::vector<Action> actions;
  for (const auto& claim : view.restore.status.claims) {
    const auto* volume = FindVolume(view, claim.old_volume);
    if (volume == nullptr || volume->reclaim_policy == "Retain") continue;
    actions.push_back(SetReclaimPolicy{volume->name, volume->resource_version, "Retain"});
  }
  return actions;
}

Problem TimedOut(const View& view, const std::string& waiting_for) {
  return {reason::kRolloutTimedOut,
          fmt::format("{}: waited in vain for {}", view.restore.status.target, waiting_for)};
}

Plan Act(std::vector<Action> actions) {
  return {.actions = std::move(actions), .requeue_after = kPoll};
}

// The exchange back is complete: the workload runs again, or has had its time to.
Plan PlanStartAgain(const View& view, api::Time now) {
  const Workload* workload = FindTarget(view);
  if (workload == nullptr) {
    return PlanRolledBack(view, "but the workload itself was deleted meanwhile", now);
  }
  const auto replicas = view.restore.status.workload->replicas.value_or(0);
  if (replicas > 0 && workload->replicas == 0) return Act({Scale{SeenAs(*workload), replicas}});
  const Rollout rollout = JudgeRollout(*workload, view.pods, {});
  if (rollout.state == Rollout::State::kComplete) return PlanRolledBack(view, "", now);
  if (!IsExpired(view, now)) return Wait();
  return PlanRolledBack(view, fmt::format("but not ready ({})", rollout.message), now);
}

}  // namespace

Plan PlanStopping(const View& view, api::Time now) {
  std::vector<Action> actions = RetainActions(view);
  std::ranges::move(StopActions(view), std::back_inserter(actions));
  const std::string running = StillRunning(view);
  const bool stopped = actions.empty() && running.empty();
  if (!stopped && IsExpired(view, now)) {
    return PlanFailure(view, TimedOut(view, running.empty() ? "it to stop" : running), now);
  }
  if (!stopped) return Act(std::move(actions));
  auto next = Refreshed(view);
  const std::string message = fmt::format("{} is stopped", next.target);
  Enter(next, RestorePhase::kCreatingClaims, message + "; exchanging its volumes", now);
  return Record(view, std::move(next), {{.reason = reason::kWorkloadStopped, .message = message}});
}

Plan PlanExchange(const View& view, api::Time now) {
  auto next = view.restore.status;
  std::vector<Action> actions = StopActions(view);
  bool done = actions.empty();
  std::string waiting_for = StillRunning(view);
  std::vector<Notice> notices;
  for (auto& claim : next.claims) {
    ExchangeStep step = ExchangeForward(view, claim);
    if (step.problem) return PlanFailure(view, *step.problem, now);
    if (step.claim.new_uid != claim.new_uid) {
      notices.push_back({.reason = reason::kClaimCreated,
                         .message = fmt::format("claim {} is made from snapshot {}; its old "
                                                "volume is in claim {}",
                                                claim.new_, claim.snapshot,
                                                claim.kept.empty() ? "(none)" : claim.kept)});
    }
    done = done && step.done;
    if (!step.done && waiting_for.empty()) waiting_for = step.waiting_for;
    std::ranges::move(step.actions, std::back_inserter(actions));
    claim = std::move(step.claim);
  }
  View seen = view;
  seen.restore.status = next;
  next = Refreshed(seen);
  if (next != view.restore.status) return Record(view, std::move(next), std::move(notices));
  if (done) {
    SetDone(next, "ClaimsReady", reason::kClaimCreated, "every claim is made", now);
    Enter(next, RestorePhase::kWaitingRollout, "starting the workload again", now);
    return Record(view, std::move(next));
  }
  if (IsExpired(view, now)) return PlanFailure(view, TimedOut(view, waiting_for), now);
  return Act(std::move(actions));
}

Plan PlanReplaceRollback(const View& view, api::Time now) {
  std::vector<Action> actions;
  bool in_place = true;
  bool done = true;
  std::string waiting_for;
  for (const auto& claim : view.restore.status.claims) {
    ExchangeStep step = ExchangeBack(view, claim);
    in_place = in_place && step.in_place;
    done = done && step.done;
    if (waiting_for.empty()) waiting_for = std::move(step.waiting_for);
    std::ranges::move(step.actions, std::back_inserter(actions));
  }
  if (done) return PlanStartAgain(view, now);
  if (!in_place) {
    if (auto stop = StopActions(view); !stop.empty()) return Act(std::move(stop));
    if (const std::string running = StillRunning(view); !running.empty()) {
      if (IsExpired(view, now)) return PlanRollbackFailed(view, "waited for " + running, now);
      return Wait();
    }
  }
  // What can be done is done, however late: time only ends the waiting.
  if (actions.empty() && IsExpired(view, now)) {
    return PlanRollbackFailed(view, "waited for " + waiting_for, now);
  }
  return Act(std::move(actions));
}

}  // namespace stillpoint::controllers::restore
