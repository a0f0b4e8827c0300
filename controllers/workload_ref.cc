#include "controllers/workload_ref.h"

#include "api/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace stillpoint::controllers {
namespace {

struct KindEntry {
  WorkloadKind kind;
  api::Resource resource;
  std::string_view singular;
  std::string_view short_name;
};

constexpr std::array<KindEntry, 5> kKinds{{
    {WorkloadKind::kDeployment,
     {"apps", "v1", "Deployment", "deployments"},
     "deployment",
     "deploy"},
    {WorkloadKind::kStatefulSet,
     {"apps", "v1", "StatefulSet", "statefulsets"},
     "statefulset",
     "sts"},
    {WorkloadKind::kDaemonSet, {"apps", "v1", "DaemonSet", "daemonsets"}, "daemonset", "ds"},
    {WorkloadKind::kReplicaSet, {"apps", "v1", "ReplicaSet", "replicasets"}, "replicaset", "rs"},
    {WorkloadKind::kPod, {"", "v1", "Pod", "pods"}, "pod", "po"},
}};

const KindEntry& EntryOf(WorkloadKind kind) {
  return *std::ranges::find(kKinds, kind, &KindEntry::kind);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// `deployments`, `Deployment`, `deploy`, `deployments.apps`, `deployment.v1.apps`.
std::optional<WorkloadKind> ParseTypedKind(std::string_view text) {
  const std::string lower = Lower(text);
  const auto dot = lower.find('.');
  const std::string word = lower.substr(0, dot);
  const std::string suffix = dot == std::string::npos ? "" : lower.substr(dot + 1);
  for (const auto& entry : kKinds) {
    if (word != entry.singular && word != entry.resource.plural && word != entry.short_name) {
      continue;
    }
    const std::string group(entry.resource.group);
    const bool known_suffix =
        suffix.empty() || (!group.empty() && (suffix == group || suffix == "v1." + group));
    if (known_suffix) return entry.kind;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToString(WorkloadKind kind) {
  return EntryOf(kind).resource.kind;
}

const api::Resource& ResourceOf(WorkloadKind kind) {
  return EntryOf(kind).resource;
}

std::optional<WorkloadKind> ParseWorkloadKind(std::string_view kind) {
  for (const auto& entry : kKinds) {
    if (entry.resource.kind == kind) return entry.kind;
  }
  return std::nullopt;
}

std::string ToString(const WorkloadRef& ref) {
  return fmt::format("{}/{}", EntryOf(ref.kind).singular, ref.name);
}

api::Result<WorkloadRef> ParseApplicationRef(std::string_view text) {
  const auto slash = text.find('/');
  WorkloadRef ref{.kind = WorkloadKind::kDeployment, .name = std::string(text)};
  if (slash != std::string_view::npos) {
    const auto kind = ParseTypedKind(text.substr(0, slash));
    if (!kind) {
      return api::Error{api::Code::kInvalid,
                        fmt::format("\"{}\" is no kind of application: one of deployment, "
                                    "statefulset, daemonset, replicaset, pod",
                                    text.substr(0, slash))};
    }
    ref = {.kind = *kind, .name = std::string(text.substr(slash + 1))};
  }
  if (!api::IsDns1123Subdomain(ref.name)) {
    return api::Error{api::Code::kInvalid,
                      fmt::format("\"{}\" is no valid name of an object: write NAME (a Deployment) "
                                  "or KIND/NAME",
                                  ref.name)};
  }
  return ref;
}

}  // namespace stillpoint::controllers
