// PlanPostHooks: which of spec.postHooks runs in which container of which restored pod. Pure.
#pragma once

#include "controllers/restore_plan.h"
#include "controllers/restore_view.h"

#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

struct PostHook {
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::vector<std::string> argv;
  api::Duration timeout{};
  api::OnError on_error = api::OnError::kFail;
  bool operator==(const PostHook&) const = default;
};

struct PostHookPlan {
  std::vector<PostHook> runs;           // in the order of the spec, then by pod
  std::vector<HookOutcome> impossible;  // hooks for which there is no pod
};

[[nodiscard]] PostHookPlan PlanPostHooks(const View& view);

}  // namespace stillpoint::controllers::restore
