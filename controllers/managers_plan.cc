#include "controllers/managers_plan.h"

#include "controllers/restore_reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace stillpoint::controllers::restore {
namespace {

struct Sign {
  std::string_view key;    // of a label or an annotation; or the manager in managedFields
  std::string_view value;  // empty: any
  const char* reason;
  std::string_view tool;
};

constexpr std::array kMarks{
    Sign{"app.kubernetes.io/managed-by", "Helm", reason::kManagedByHelm, "Helm"},
    Sign{"meta.helm.sh/release-name", "", reason::kManagedByHelm, "Helm"},
    Sign{"argocd.argoproj.io/instance", "", reason::kManagedByGitOps, "Argo CD"},
    Sign{"argocd.argoproj.io/tracking-id", "", reason::kManagedByGitOps, "Argo CD"},
    Sign{"kustomize.toolkit.fluxcd.io/name", "", reason::kManagedByGitOps, "Flux"},
    Sign{"helm.toolkit.fluxcd.io/name", "", reason::kManagedByGitOps, "Flux"},
};

constexpr std::array kFieldManagers{
    Sign{"argocd-controller", "", reason::kManagedByGitOps, "Argo CD"},
    Sign{"argocd-application-controller", "", reason::kManagedByGitOps, "Argo CD"},
    Sign{"kustomize-controller", "", reason::kManagedByGitOps, "Flux"},
    Sign{"helm-controller", "", reason::kManagedByGitOps, "Flux"},
    Sign{"flux", "", reason::kManagedByGitOps, "Flux"},
    Sign{"helm", "", reason::kManagedByHelm, "Helm"},
};

bool Carries(const std::map<std::string, std::string>& marks, const Sign& sign) {
  const auto found = marks.find(std::string(sign.key));
  return found != marks.end() && (sign.value.empty() || found->second == sign.value);
}

void AddOnce(std::vector<Manager>& managers, const Sign& sign) {
  if (std::ranges::find(managers, sign.tool, &Manager::tool) != managers.end()) return;
  managers.push_back({.reason = sign.reason, .tool = std::string(sign.tool)});
}

}  // namespace

std::vector<Manager> FindManagers(const Workload& workload) {
  std::vector<Manager> managers;
  const auto& metadata = workload.metadata;
  for (const auto& sign : kMarks) {
    if (Carries(metadata.labels, sign) || Carries(metadata.annotations, sign)) {
      AddOnce(managers, sign);
    }
  }
  for (const auto& sign : kFieldManagers) {
    const auto& fields = metadata.managed_fields;
    const bool writes =
        std::ranges::find(fields, sign.key, &api::ManagedFieldsEntry::manager) != fields.end();
    if (writes) AddOnce(managers, sign);
  }
  return managers;
}

std::string TemplateField(const std::string& volume) {
  return fmt::format("spec.template.spec.volumes[{}].persistentVolumeClaim.claimName", volume);
}

}  // namespace stillpoint::controllers::restore
