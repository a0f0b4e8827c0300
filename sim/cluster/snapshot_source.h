// What a VolumeSnapshot is to be made of: its claim, that claim's volume, its class.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "sim/cluster/store.h"

#include <boost/json/object.hpp>

#include <string>

namespace stillpoint::sim {

struct SnapshotSource {
  std::string class_name;
  std::string deletion_policy;
  std::string driver;
  std::string volume_handle;
  std::string volume_mode;
};

[[nodiscard]] api::NamespacedName SourceClaim(const boost::json::object& snapshot);

// Errors: with the words of external-snapshotter, as they come to stand in status.error.
[[nodiscard]] api::Result<SnapshotSource> FindSnapshotSource(const Store& store,
                                                             const boost::json::object& snapshot);

// The only default class of the driver. Errors: none, or several.
[[nodiscard]] api::Result<std::string> FindDefaultSnapshotClass(const Store& store,
                                                                const std::string& driver);

}  // namespace stillpoint::sim
