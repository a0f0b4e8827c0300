// The CustomResourceDefinitions of our kinds, made from the structs and their schemas.
#pragma once

#include <boost/json/array.hpp>

#include <string>

namespace stillpoint::api {

// VolumeBackup and VolumeRestore (apiextensions.k8s.io/v1). Kubernetes 1.30 or newer.
[[nodiscard]] boost::json::array Crds();

// The same as YAML: what `stillpoint crds` prints and deploy/crd/stillpoint.yaml holds.
[[nodiscard]] std::string CrdsYaml();

}  // namespace stillpoint::api
