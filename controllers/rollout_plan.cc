#include "controllers/rollout_plan.h"

#include "api/words.h"
#include "controllers/restore_target_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

Rollout Progressing(std::string message) {
  return {.state = Rollout::State::kProgressing, .message = std::move(message)};
}

// Why the first pod that does not run does not.
std::string Trouble(const Workload& workload, const std::vector<PodView>& pods) {
  const auto found = std::ranges::find_if(pods, [&](const PodView& pod) {
    return !pod.finished && !pod.ready && !pod.waiting.empty() && IsPodOf(workload, pod);
  });
  if (found == pods.end()) return "";
  return fmt::format("; pod {}: {}", found->name, found->waiting);
}

// A StatefulSet is stopped and started without a change of its template, so that pods of several
// revisions may be as they were before (a partitioned update): only their number counts.
bool IsOfTemplate(const Workload& workload) {
  const RolloutState& rollout = workload.rollout;
  return workload.kind == WorkloadKind::kStatefulSet || rollout.updated == rollout.desired;
}

}  // namespace

Rollout JudgeRollout(const Workload& workload, const std::vector<PodView>& pods,
                     const std::set<std::string>& left) {
  const RolloutState& rollout = workload.rollout;
  if (rollout.observed_generation < workload.metadata.generation) {
    return Progressing("the workload's controller has not seen the change yet");
  }
  const std::string counts = fmt::format("{} of {} pods available{}", rollout.available,
                                         rollout.desired, Trouble(workload, pods));
  if (rollout.progress_deadline_exceeded) {
    return {.state = Rollout::State::kExceeded, .message = counts};
  }
  if (!IsOfTemplate(workload)) {
    return Progressing(fmt::format("{} of {} pods are of the new template; {}", rollout.updated,
                                   rollout.desired, counts));
  }
  if (rollout.replicas > rollout.desired) {
    const auto extra = static_cast<std::size_t>(rollout.replicas - rollout.desired);
    return Progressing(fmt::format("{} of before still there{}", api::Counted(extra, "pod"),
                                   Trouble(workload, pods)));
  }
  if (rollout.available < rollout.desired) return Progressing(counts);
  if (const auto* pod = FindUser(workload, pods, left)) {
    return Progressing(fmt::format("pod {} still uses an old claim", pod->name));
  }
  return {.state = Rollout::State::kComplete, .message = counts};
}

const PodView* FindUser(const Workload& workload, const std::vector<PodView>& pods,
                        const std::set<std::string>& claims) {
  const auto found = std::ranges::find_if(pods, [&](const PodView& pod) {
    return !pod.finished && IsPodOf(workload, pod) &&
           std::ranges::any_of(pod.claims,
                               [&](const auto& claim) { return claims.contains(claim); });
  });
  return found == pods.end() ? nullptr : &*found;
}

const PodView* FindLivePod(const Workload& workload, const std::vector<PodView>& pods) {
  const auto found = std::ranges::find_if(
      pods, [&](const PodView& pod) { return !pod.finished && IsPodOf(workload, pod); });
  return found == pods.end() ? nullptr : &*found;
}

}  // namespace stillpoint::controllers::restore
