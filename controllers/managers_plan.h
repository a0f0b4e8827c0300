// FindManagers: which tools write a workload's manifest besides us. Such a tool sets a repointed
// template back to its own manifest, sooner or later, and the application is on its old claims
// again. Pure.
#pragma once

#include "controllers/workload.h"

#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

struct Manager {
  std::string reason;  // ManagedByHelm or ManagedByGitOps
  std::string tool;    // "Argo CD"
  bool operator==(const Manager&) const = default;
};

// By labels and annotations of the workload, then by its managedFields; each tool once.
[[nodiscard]] std::vector<Manager> FindManagers(const Workload& workload);

// The fields of the manifest that a Repoint changes, as a person finds them there:
// `spec.template.spec.volumes[data].persistentVolumeClaim.claimName`.
[[nodiscard]] std::string TemplateField(const std::string& volume);

}  // namespace stillpoint::controllers::restore
