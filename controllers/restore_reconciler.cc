#include "controllers/restore_reconciler.h"

#include "controllers/restore_act.h"
#include "controllers/restore_observe.h"
#include "controllers/restore_plan.h"

#include <utility>

namespace stillpoint::controllers {
namespace {

using boost::asio::awaitable;
using restore::Plan;
using restore::View;

// A restore goes from record to act to record without waiting for a watch to tell it of its own
// writes. Bounded, so that one that fights with an autoscaler does not keep a worker busy.
constexpr int kStepsPerPass = 12;
constexpr std::chrono::milliseconds kNextPass{200};

constexpr int kForbiddenTries = 3;
constexpr std::chrono::seconds kForbiddenPause{3};

}  // namespace

RestoreReconciler::RestoreReconciler(Dependencies dependencies) : deps_(std::move(dependencies)) {}

awaitable<api::Result<kube::Requeue>> RestoreReconciler::Reconcile(api::NamespacedName key) {
  for (int step = 0; step < kStepsPerPass; ++step) {
    auto stop = co_await Once(key);
    if (!stop) co_return stop.error();
    if (*stop) co_return **stop;
  }
  co_return kube::Requeue::After(kNextPass);
}

RestoreReconciler::Async<RestoreReconciler::Step> RestoreReconciler::Once(api::NamespacedName key) {
  auto object = co_await kube::Get<api::VolumeRestore>(deps_.client, key);
  if (!object) {
    if (object.error().code == api::Code::kNotFound) co_return Step(kube::Requeue::None());
    co_return object.error();
  }
  View view{.restore = *object};
  Plan plan;
  auto seen = co_await restore::Observe(deps_.client, std::move(*object));
  if (seen) {
    view = std::move(*seen);
    plan = restore::PlanRestore(view, deps_.clock.Now());
  } else {
    plan = restore::PlanUnreadable(view, seen.error(), deps_.clock.Now());
    if (plan.idle()) co_return seen.error();
  }
  if (plan.idle()) co_return Step(kube::Requeue{.after = plan.requeue_after});
  if (!deps_.may_act()) co_return Step(kube::Requeue::After(restore::kPoll));
  if (auto done = co_await Carry(view, plan); !done) co_return done.error();
  if (!seen) co_return Step(kube::Requeue::After(restore::kPoll));
  co_return Step();
}

RestoreReconciler::Async<> RestoreReconciler::Carry(View view, Plan plan) {
  if (plan.status) co_return co_await Write(std::move(view), std::move(plan));
  for (auto& action : plan.actions) {
    auto done = co_await Do(view, std::move(action));
    if (done) continue;
    Plan answer = restore::PlanAfterError(view, done.error(), deps_.clock.Now());
    if (answer.status) co_return co_await Write(std::move(view), std::move(answer));
    co_return done.error();
  }
  Notify(view.restore, plan.notices);
  co_return api::Result<void>();
}

RestoreReconciler::Async<> RestoreReconciler::Write(View view, Plan plan) {
  auto written =
      co_await deps_.client.Do(restore::StatusRequest(view.restore, std::move(*plan.status)));
  if (!written) co_return written.error();
  Notify(view.restore, plan.notices);
  co_return api::Result<void>();
}

RestoreReconciler::Async<> RestoreReconciler::Do(View view, restore::Action action) {
  deps_.log(view.restore, action);
  if (std::holds_alternative<restore::RunPostHooks>(action)) {
    co_return co_await RunPostHooks(std::move(view));
  }
  // An API server that has just started knows no roles yet and forbids everything, so that a 403
  // counts only when it stays.
  for (int tries_left = kForbiddenTries; --tries_left > 0;) {
    auto done = co_await restore::Act(deps_.client, view.restore, action);
    if (done || done.error().code != api::Code::kForbidden) co_return done;
    co_await deps_.clock.Sleep(kForbiddenPause);
  }
  co_return co_await restore::Act(deps_.client, std::move(view.restore), std::move(action));
}

// One after the other: a later hook may build on an earlier one. A pass that is killed here runs
// them again, so they must bear it.
RestoreReconciler::Async<> RestoreReconciler::RunPostHooks(View view) {
  restore::PostHookPlan hooks = restore::PlanPostHooks(view);
  std::vector<restore::HookOutcome> outcomes = std::move(hooks.impossible);
  for (auto& hook : hooks.runs) {
    outcomes.push_back(co_await deps_.run_hook(view.restore.metadata.ns, std::move(hook)));
    const auto& last = outcomes.back();
    if (!last.succeeded && last.on_error == api::OnError::kFail) break;
  }
  Plan plan = restore::PlanAfterHooks(view, outcomes, deps_.clock.Now());
  co_return co_await Write(std::move(view), std::move(plan));
}

void RestoreReconciler::Notify(const api::VolumeRestore& restore,
                               const std::vector<restore::Notice>& notices) {
  for (const auto& notice : notices) deps_.notify(restore, notice);
}

}  // namespace stillpoint::controllers
