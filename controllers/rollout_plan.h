// JudgeRollout: do all pods of a workload run on the template as it is now? Pure.
// Source of truth: kubectl's pkg/polymorphichelpers/rollout_status.go.
#pragma once

#include "controllers/restore_view.h"
#include "controllers/workload.h"

#include <set>
#include <string>

namespace stillpoint::controllers::restore {

struct Rollout {
  enum class State {
    kComplete,
    kProgressing,
    kExceeded,  // a Deployment's own progressDeadlineSeconds has run out
  };
  State state = State::kProgressing;
  std::string message;  // "0 of 1 pods available; pod mysql-5d: CrashLoopBackOff"
  bool operator==(const Rollout&) const = default;
};

// `left` are claims that no pod of the workload may mount any more: a pod that still ends writes to
// the old volume.
[[nodiscard]] Rollout JudgeRollout(const Workload& workload, const std::vector<PodView>& pods,
                                   const std::set<std::string>& left);

// The first pod of `workload` that is not over yet and mounts one of `claims`; null when none does.
[[nodiscard]] const PodView* FindUser(const Workload& workload, const std::vector<PodView>& pods,
                                      const std::set<std::string>& claims);

// The first pod of `workload` that is not over yet; null when it has stopped.
[[nodiscard]] const PodView* FindLivePod(const Workload& workload,
                                         const std::vector<PodView>& pods);

}  // namespace stillpoint::controllers::restore
