#include "sim/cluster/snapshot_source.h"

#include "api/core.h"
#include "api/snapshot.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/snapshot_names.h"

#include <fmt/format.h>

#include <vector>

namespace stillpoint::sim {

namespace json = boost::json;
using api::PersistentVolume;
using api::PersistentVolumeClaim;
using api::VolumeSnapshotClass;

api::NamespacedName SourceClaim(const json::object& snapshot) {
  return {std::string(Text(snapshot, {"metadata", "namespace"})),
          std::string(Text(snapshot, {"spec", "source", "persistentVolumeClaimName"}))};
}

api::Result<SnapshotSource> FindSnapshotSource(const Store& store, const json::object& snapshot) {
  const api::NamespacedName key = SourceClaim(snapshot);
  const auto claim = store.Find(PersistentVolumeClaim::kResource, key);
  if (!claim) {
    return api::Error{api::Code::kNotFound,
                      fmt::format("failed to retrieve PVC {} from the lister: "
                                  "\"persistentvolumeclaim \\\"{}\\\" not found\"",
                                  key.name, key.name)};
  }
  if (Text(*claim, {"status", "phase"}) != "Bound") {
    return api::Error{
        api::Code::kInvalid,
        fmt::format("the PVC {} is not yet bound to a PV, will not attempt to take a snapshot",
                    key.name)};
  }
  const std::string volume_name(Text(*claim, {"spec", "volumeName"}));
  const auto volume = store.Find(PersistentVolume::kResource, {"", volume_name});
  if (!volume) {
    return api::Error{api::Code::kNotFound,
                      fmt::format("failed to retrieve PV {} from the API server: "
                                  "\"persistentvolumes \\\"{}\\\" not found\"",
                                  volume_name, volume_name)};
  }
  if (Text(*volume, {"spec", "claimRef", "uid"}) != UidOf(*claim)) {
    return api::Error{api::Code::kInvalid, "claim in dataSource not bound or invalid"};
  }
  if (Map(*volume, {"spec", "csi"}) == nullptr) {
    return api::Error{
        api::Code::kInvalid,
        fmt::format("cannot find CSI PersistentVolumeSource for volume {}", volume_name)};
  }
  SnapshotSource source{
      .class_name = std::string(Text(snapshot, {"spec", "volumeSnapshotClassName"})),
      .driver = std::string(Text(*volume, {"spec", "csi", "driver"})),
      .volume_handle = std::string(Text(*volume, {"spec", "csi", "volumeHandle"})),
      .volume_mode = std::string(Text(*volume, {"spec", "volumeMode"}))};
  if (const auto made_by = store.Find(VolumeSnapshotClass::kResource, {"", source.class_name})) {
    source.deletion_policy = Text(*made_by, {"deletionPolicy"});
    source.driver = Text(*made_by, {"driver"});
  }
  return source;
}

api::Result<std::string> FindDefaultSnapshotClass(const Store& store, const std::string& driver) {
  std::vector<std::string> names;
  store.ForEach(VolumeSnapshotClass::kResource, [&](const json::object& object) {
    if (Annotation(object, kDefaultSnapshotClass) == "true" && Text(object, {"driver"}) == driver) {
      names.emplace_back(Text(object, {"metadata", "name"}));
    }
  });
  if (names.empty()) return api::Error{api::Code::kNotFound, "cannot find default snapshot class"};
  if (names.size() > 1) {
    return api::Error{api::Code::kInvalid,
                      fmt::format("{} default snapshot classes were found", names.size())};
  }
  return names.front();
}

}  // namespace stillpoint::sim
