#include "controllers/restore_hooks_plan.h"

#include "api/labels.h"
#include "controllers/restore_target_plan.h"

#include <fmt/format.h>

namespace stillpoint::controllers::restore {
namespace {

// Bringing a database up to date may take its time; a hook that needs more says so.
constexpr api::Duration kDefaultTimeout = std::chrono::minutes(5);

std::string ContainerFor(const api::RestoreHook& hook, const PodView& pod) {
  if (!hook.container.empty()) return hook.container;
  if (!pod.default_container.empty()) return pod.default_container;
  return pod.containers.empty() ? "" : pod.containers.front();
}

bool IsFor(const api::RestoreHook& hook, const Workload& workload, const PodView& pod) {
  if (!pod.ready || !IsPodOf(workload, pod)) return false;
  return !hook.pod_selector || api::Matches(*hook.pod_selector, pod.labels);
}

HookOutcome NoPod(const api::RestoreHook& hook, const std::string& target) {
  return {.status = {.container = hook.container,
                     .phase = api::HookPhase::kPost,
                     .error = fmt::format("{}: no ready pod of {} to run in",
                                          hook.name.empty() ? "post hook" : hook.name, target)},
          .on_error = hook.on_error};
}

}  // namespace

PostHookPlan PlanPostHooks(const View& view) {
  PostHookPlan plan;
  const Workload* workload = FindTarget(view);
  for (const auto& hook : view.restore.spec.post_hooks) {
    const std::size_t before = plan.runs.size();
    for (const auto& pod : view.pods) {
      if (workload == nullptr || !IsFor(hook, *workload, pod)) continue;
      plan.runs.push_back({.pod = pod.name,
                           .pod_uid = pod.uid,
                           .container = ContainerFor(hook, pod),
                           .argv = hook.command.empty()
                                       ? std::vector<std::string>{"/bin/sh", "-c", hook.shell}
                                       : hook.command,
                           .timeout = hook.timeout.value_or(kDefaultTimeout),
                           .on_error = hook.on_error});
    }
    if (plan.runs.size() == before) {
      plan.impossible.push_back(NoPod(hook, view.restore.status.target));
    }
  }
  return plan;
}

}  // namespace stillpoint::controllers::restore
