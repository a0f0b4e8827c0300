// PlanHooks decides which hook runs in which container of which pod. Pure.
//
// The hooks of a pod come from one place: from those spec.hooks that select it; else from its own
// annotations, when one of them names a hook (an empty value too: it says that there is none); else
// from the annotations of its workload. Keys: hook_annotations.h. What is wrong with them is found
// here, before anything is frozen. spec.quiesce takes the place of all hooks; container, time-out,
// onError, weight and path may still be annotated.
#pragma once

#include "api/volume_backup.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stillpoint::hooks {

// What the plan looks at in a pod. Init containers are not among `containers`.
struct PodFacts {
  std::string name;
  std::string uid;
  std::map<std::string, std::string> annotations;
  std::map<std::string, std::string> labels;
  std::vector<std::string> containers;
};

struct HookInput {
  std::vector<api::HookSpec> spec_hooks;
  std::string quiesce;       // spec.quiesce: a profile for every pod; with it no spec_hooks
  std::string quiesce_path;  // spec.quiescePath
  std::vector<PodFacts> pods;
  std::map<std::string, std::string> workload_annotations;
  api::Duration max_freeze{std::chrono::seconds(30)};
};

enum class HookSource { kSpec, kPod, kWorkload };

// One hook in one container. Those of a lower weight run first. Of one weight, several of one pod
// stand in the order of spec.hooks and run in that order; pods run in parallel.
struct HookTarget {
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::string hook;                       // its name in spec.hooks, or the annotation key
  std::vector<std::string> pre_command;   // argv; empty: nothing freezes. kHeld: the shell form
  std::vector<std::string> post_command;  // argv; empty: nothing thaws
  api::HookMode mode = api::HookMode::kCommand;
  std::int64_t weight = 0;
  api::Duration timeout{};  // at most maxFreeze
  api::OnError on_error = api::OnError::kFail;
  HookSource source = HookSource::kSpec;
  bool guarded = false;       // the pre-hook has the shell form: it ends with its stream (guard.h)
  bool session_lock = false;  // the pre-hook takes a lock that ends with its client
  bool operator==(const HookTarget&) const = default;
};

struct HookNotice {
  std::string reason;  // HookInvalid, HookConflict, PostHookMissing, SessionLockInOneShotHook
  std::string where;   // the field or the annotation key
  std::vector<std::string> pods;  // names; empty: it is about a field of spec
  std::string message;            // complete: names pods and place, never the text of a command
  bool operator==(const HookNotice&) const = default;
};

struct HookPlan {
  std::vector<HookTarget> targets;
  std::vector<HookNotice> problems;  // not empty: do not freeze
  std::vector<HookNotice> warnings;
};

// Never fails. The same fault in several pods is one notice.
[[nodiscard]] HookPlan PlanHooks(const HookInput& input);

}  // namespace stillpoint::hooks
