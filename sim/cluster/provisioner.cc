#include "sim/cluster/provisioner.h"

#include "api/core.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "sim/cluster/binary_quantity.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/volume_binder.h"

#include <fmt/format.h>

#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using api::PersistentVolume;
using api::PersistentVolumeClaim;
using api::StorageClass;
using api::VolumeSnapshot;
using api::VolumeSnapshotContent;
using Key = api::NamespacedName;

namespace {

constexpr char kProvisionedBy[] = "pv.kubernetes.io/provisioned-by";
constexpr char kFinalizer[] = "external-provisioner.volume.kubernetes.io/finalizer";

}  // namespace

Provisioner::Provisioner(Store& store, VolumeBackend& backend, std::string driver,
                         const VolumeKnobs& knobs)
    : store_(store),
      backend_(backend),
      driver_(std::move(driver)),
      claims_(
          store.timeline(),
          {.latency = knobs.watch, .backoff = knobs.retry_start, .max_backoff = knobs.retry_max},
          [this](const Key& key, const Done& done) { Provision(key, done); }),
      volumes_(
          store.timeline(),
          {.latency = knobs.watch, .backoff = knobs.retry_start, .max_backoff = knobs.retry_max},
          [this](const Key& key, const Done& done) { Reclaim(key, done); }) {
  store_.On(PersistentVolumeClaim::kResource, [this](const Change& change) {
    if (change.now && Annotation(*change.now, kProvisionerOfClaim) == driver_) {
      claims_.Add(KeyOf(*change.now));
    }
  });
  store_.On(PersistentVolume::kResource, [this](const Change& change) {
    if (change.now && Annotation(*change.now, kProvisionedBy) == driver_) {
      volumes_.Add(KeyOf(*change.now));
    }
  });
}

// ---- making -------------------------------------------------------------------------------------

void Provisioner::Provision(const Key& key, const Done& done) {
  const StoredObject claim = store_.Find(PersistentVolumeClaim::kResource, key);
  if (!claim || IsTerminating(*claim) || !Text(*claim, {"spec", "volumeName"}).empty()) {
    return done(After::kNothing);
  }
  const std::string name = "pvc-" + UidOf(*claim);
  if (store_.Find(PersistentVolume::kResource, {"", name})) return done(After::kNothing);
  const std::int64_t bytes = Bytes(Text(*claim, {"spec", "resources", "requests", "storage"}));
  const auto snapshot = FindSnapshot(*claim, bytes);
  if (!snapshot) return done(After::kBackoff);
  backend_.CreateVolume({.handle = name,
                         .bytes = bytes,
                         .snapshot_handle = *snapshot,
                         .claim_ns = key.ns,
                         .claim = key.name,
                         .claim_uid = UidOf(*claim)},
                        [this, claim, bytes, done](const api::Result<void>& made) {
                          if (!made) return done(After::kBackoff);
                          MakeVolume(claim, bytes);
                          done(After::kNothing);
                        });
}

api::Result<std::string> Provisioner::FindSnapshot(const json::object& claim,
                                                   std::int64_t bytes) const {
  if (Map(claim, {"spec", "dataSource"}) == nullptr) return std::string();
  const Key key{std::string(Text(claim, {"metadata", "namespace"})),
                std::string(Text(claim, {"spec", "dataSource", "name"}))};
  if (Text(claim, {"spec", "dataSource", "kind"}) != VolumeSnapshot::kResource.kind) {
    return api::Error{api::Code::kInvalid, "the data source is no VolumeSnapshot"};
  }
  const auto snapshot = store_.Find(VolumeSnapshot::kResource, key);
  if (!snapshot || IsTerminating(*snapshot) || !Flag(*snapshot, {"status", "readyToUse"})) {
    return api::Error{api::Code::kUnavailable, fmt::format("snapshot {} is not Ready", key.name)};
  }
  const std::string bound(Text(*snapshot, {"status", "boundVolumeSnapshotContentName"}));
  const auto content = store_.Find(VolumeSnapshotContent::kResource, {"", bound});
  if (!content) return api::Error{api::Code::kNotFound, fmt::format("no content {}", bound)};
  if (bytes < Int(*content, {"status", "restoreSize"})) {
    return api::Error{api::Code::kInvalid,
                      fmt::format("requested volume size {} is less than the size of snapshot {}",
                                  bytes, key.name)};
  }
  std::string handle(Text(*content, {"status", "snapshotHandle"}));
  if (handle.empty()) {
    return api::Error{api::Code::kUnavailable, fmt::format("content {} has no handle", bound)};
  }
  return handle;
}

// The claim may have gone meanwhile: then the volume is Released at once, and reclaimed.
void Provisioner::MakeVolume(const StoredObject& claim, std::int64_t bytes) {
  const std::string name = "pvc-" + UidOf(*claim);
  const std::string class_name(Text(*claim, {"spec", "storageClassName"}));
  const auto storage_class = store_.Find(StorageClass::kResource, {"", class_name});
  std::string policy(storage_class ? Text(*storage_class, {"reclaimPolicy"}) : std::string_view());
  if (policy.empty()) policy = "Delete";
  const auto* modes = List(*claim, {"spec", "accessModes"});
  json::object spec{{"accessModes", modes != nullptr ? *modes : json::array()},
                    {"capacity", {{"storage", BinaryQuantity(bytes)}}},
                    {"claimRef",
                     {{"apiVersion", "v1"},
                      {"kind", "PersistentVolumeClaim"},
                      {"namespace", Text(*claim, {"metadata", "namespace"})},
                      {"name", Text(*claim, {"metadata", "name"})},
                      {"uid", UidOf(*claim)}}},
                    {"csi", {{"driver", driver_}, {"volumeHandle", name}}},
                    {"persistentVolumeReclaimPolicy", policy},
                    {"storageClassName", class_name},
                    {"volumeMode", Text(*claim, {"spec", "volumeMode"})}};
  store_.Create(PersistentVolume::kResource,
                {{"metadata",
                  {{"name", name},
                   {"annotations", {{kProvisionedBy, driver_}}},
                   {"finalizers", json::array{kFinalizer, kVolumeProtection}}}},
                 {"spec", std::move(spec)},
                 {"status", {{"phase", "Pending"}}}});
}

// ---- deleting -----------------------------------------------------------------------------------

void Provisioner::Reclaim(const Key& key, const Done& done) {
  const StoredObject volume = store_.Find(PersistentVolume::kResource, key);
  if (!volume) return done(After::kNothing);
  const bool released = Text(*volume, {"status", "phase"}) == "Released";
  const bool deletes = Text(*volume, {"spec", "persistentVolumeReclaimPolicy"}) == "Delete";
  if (released && deletes) {
    backend_.DeleteVolume(std::string(Text(*volume, {"spec", "csi", "volumeHandle"})),
                          [this, key, uid = UidOf(*volume), done](const api::Result<void>& gone) {
                            if (!gone) return done(After::kBackoff);
                            Forget(key, uid);
                            done(After::kNothing);
                          });
    return;
  }
  // It was deleted as an object, with its data to be kept.
  if (IsTerminating(*volume) && !deletes) {
    store_.Edit(PersistentVolume::kResource, key,
                [](json::object& object) { RemoveFinalizer(object, kFinalizer); });
  }
  done(After::kNothing);
}

void Provisioner::Forget(const Key& key, const std::string& uid) {
  store_.Delete(PersistentVolume::kResource, key, uid);
  const auto volume = store_.Find(PersistentVolume::kResource, key);
  if (!volume || UidOf(*volume) != uid) return;
  store_.Edit(PersistentVolume::kResource, key,
              [](json::object& object) { RemoveFinalizer(object, kFinalizer); });
}

}  // namespace stillpoint::sim
