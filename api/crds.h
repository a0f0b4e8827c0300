// The CustomResourceDefinitions of our kinds, made from the structs and their schemas.
#pragma once

#include <string>

namespace stillpoint::api {

// VolumeBackup and VolumeRestore as YAML (apiextensions.k8s.io/v1): what `stillpoint crds` prints
// and deploy/crd/stillpoint.yaml holds. Kubernetes 1.30 or newer.
[[nodiscard]] std::string CrdsYaml();

}  // namespace stillpoint::api
