// WorkloadRef: which workload is meant, in the form that people type after kubectl.
#pragma once

#include "api/error.h"
#include "api/resource.h"

#include <boost/describe/enum.hpp>

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::controllers {

enum class WorkloadKind { kDeployment, kStatefulSet, kDaemonSet, kReplicaSet, kPod };
BOOST_DESCRIBE_ENUM(WorkloadKind, kDeployment, kStatefulSet, kDaemonSet, kReplicaSet, kPod)

// The kind as manifests spell it ("StatefulSet"), and where it lives in the API.
[[nodiscard]] std::string_view ToString(WorkloadKind kind);
[[nodiscard]] const api::Resource& ResourceOf(WorkloadKind kind);

// Empty when `kind` is none of ours. Takes the spelling of manifests only.
[[nodiscard]] std::optional<WorkloadKind> ParseWorkloadKind(std::string_view kind);

struct WorkloadRef {
  WorkloadKind kind = WorkloadKind::kDeployment;
  std::string name;
  auto operator<=>(const WorkloadRef&) const = default;
};

// "statefulset/pg": the form of the TARGET column and of messages.
[[nodiscard]] std::string ToString(const WorkloadRef& ref);

// Reads an applicationRef as people type it after kubectl: `mysql` (a Deployment),
// `statefulset/pg`, `sts/pg`, `deployments.apps/shop`. Errors: kInvalid with a sentence that lists
// the kinds, or says what is wrong with the name.
[[nodiscard]] api::Result<WorkloadRef> ParseApplicationRef(std::string_view text);

}  // namespace stillpoint::controllers
