// StorageClass. Source of truth: k8s.io/api/storage/v1.
#pragma once

#include "api/meta.h"
#include "api/resource.h"

#include <boost/describe/class.hpp>

#include <string>

namespace stillpoint::api {

struct StorageClass {
  static constexpr Resource kResource{"storage.k8s.io", "v1", "StorageClass", "storageclasses",
                                      false};

  ObjectMeta metadata;
  std::string provisioner;  // the CSI driver's name
  // With WaitForFirstConsumer a claim stays Pending until a pod uses it.
  std::string volume_binding_mode;
  bool operator==(const StorageClass&) const = default;
};
BOOST_DESCRIBE_STRUCT(StorageClass, (), (metadata, provisioner, volume_binding_mode))

}  // namespace stillpoint::api
