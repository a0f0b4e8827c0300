#include "sim/cluster/snapshot_controller.h"

#include "api/core.h"
#include "api/quantity.h"
#include "api/snapshot.h"
#include "api/time.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/snapshot_names.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

namespace stillpoint::sim {

namespace json = boost::json;
using api::PersistentVolume;
using api::PersistentVolumeClaim;
using api::VolumeSnapshot;
using api::VolumeSnapshotClass;
using api::VolumeSnapshotContent;
using Key = api::NamespacedName;

namespace {

std::string ContentName(const json::object& snapshot) {
  return "snapcontent-" + UidOf(snapshot);
}

Key ClaimKey(const json::object& snapshot) {
  return {std::string(Text(snapshot, {"metadata", "namespace"})),
          std::string(Text(snapshot, {"spec", "source", "persistentVolumeClaimName"}))};
}

bool IsReady(const json::object& object) {
  return Flag(object, {"status", "readyToUse"});
}

// The snapshot that a claim is made from, if any.
std::optional<Key> SourceSnapshot(const json::object& claim) {
  if (Text(claim, {"spec", "dataSource", "kind"}) != VolumeSnapshot::kResource.kind) return {};
  return Key{std::string(Text(claim, {"metadata", "namespace"})),
             std::string(Text(claim, {"spec", "dataSource", "name"}))};
}

// What the content says that the snapshot does not say yet. As updateSnapshotStatus.
bool TakeStatus(json::object& snapshot, const json::object& content) {
  auto& status = Into(snapshot, {"status"});
  const json::object before = status;
  if (!status.contains("boundVolumeSnapshotContentName")) {
    status["boundVolumeSnapshotContentName"] = Text(content, {"metadata", "name"});
  }
  const std::int64_t cut_at = Int(content, {"status", "creationTime"});
  if (cut_at != 0 && !status.contains("creationTime")) {
    status["creationTime"] = Seconds(api::TimeFromUnixNanoseconds(cut_at));
  }
  status["readyToUse"] = IsReady(content);
  const std::int64_t size = Int(content, {"status", "restoreSize"});
  if (size != 0 && !status.contains("restoreSize")) {
    status["restoreSize"] = std::to_string(size);
  }
  const auto* error = At(content, {"status", "error"});
  if (error != nullptr && !IsReady(content)) {
    status["error"] = *error;
  } else {
    status.erase("error");
  }
  return status != before;
}

}  // namespace

struct SnapshotController::Source {
  std::string class_name;
  std::string deletion_policy;
  std::string driver;
  std::string volume_handle;
  std::string volume_mode;
};

SnapshotController::SnapshotController(Store& store, const SnapshotKnobs& knobs)
    : store_(store),
      snapshot_api_(store.timeline(), knobs.qps, knobs.burst, knobs.call),
      core_api_(store.timeline(), knobs.qps, knobs.burst, knobs.call),
      snapshots_(store.timeline(),
                 {.latency = knobs.watch,
                  .workers = knobs.workers,
                  .backoff = knobs.retry_start,
                  .max_backoff = knobs.retry_max},
                 [this](const Key& key, const Done& done) { WorkOnSnapshot(key, done); }),
      contents_(store.timeline(),
                {.latency = knobs.watch,
                 .workers = knobs.workers,
                 .backoff = knobs.retry_start,
                 .max_backoff = knobs.retry_max},
                [this](const Key& key, const Done& done) { WorkOnContent(key, done); }) {
  store_.On(VolumeSnapshot::kResource, [this](const Change& change) { SeeSnapshot(change); });
  store_.On(VolumeSnapshotContent::kResource, [this](const Change& change) { SeeContent(change); });
  store_.On(PersistentVolumeClaim::kResource, [this](const Change& change) { SeeClaim(change); });
}

// ---- what changed -------------------------------------------------------------------------------

void SnapshotController::SeeSnapshot(const Change& change) {
  const json::object& snapshot = change.now ? *change.now : *change.before;
  const Key key = KeyOf(snapshot);
  if (!change.now) {
    snapshots_of_claim_[ClaimKey(snapshot)].erase(key);
    return;
  }
  if (!change.before) snapshots_of_claim_[ClaimKey(snapshot)].insert(key);
  snapshots_.Add(key);
}

void SnapshotController::SeeContent(const Change& change) {
  const json::object& content = change.now ? *change.now : *change.before;
  if (change.now) {
    contents_.Add(KeyOf(content));
    return;
  }
  snapshots_.Add({std::string(Text(content, {"spec", "volumeSnapshotRef", "namespace"})),
                  std::string(Text(content, {"spec", "volumeSnapshotRef", "name"}))});
}

void SnapshotController::SeeClaim(const Change& change) {
  const json::object& claim = change.now ? *change.now : *change.before;
  const auto source = SourceSnapshot(claim);
  if (!source) return;
  if (change.now) {
    claims_of_snapshot_[*source].insert(KeyOf(claim));
  } else {
    claims_of_snapshot_[*source].erase(KeyOf(claim));
  }
}

// ---- a snapshot ---------------------------------------------------------------------------------

void SnapshotController::WorkOnSnapshot(const Key& key, const Done& done) {
  const StoredObject snapshot = store_.Find(VolumeSnapshot::kResource, key);
  if (!snapshot) return done(After::kNothing);
  const auto claim = store_.Find(PersistentVolumeClaim::kResource, ClaimKey(*snapshot));
  const bool held = claim && HasFinalizer(*claim, kClaimFinalizer);
  if (held && !IsClaimNeeded(key.ns, ClaimKey(*snapshot).name, "")) {
    return ReleaseClaim(key, *snapshot, done);
  }
  if (IsTerminating(*snapshot)) return DeleteSnapshot(key, *snapshot, done);
  if (Text(*snapshot, {"spec", "volumeSnapshotClassName"}).empty()) {
    return ChooseClass(key, *snapshot, done);
  }
  const std::string class_name(Text(*snapshot, {"spec", "volumeSnapshotClassName"}));
  if (!store_.Find(VolumeSnapshotClass::kResource, {"", class_name})) {
    return SetError(key,
                    fmt::format("Failed to get snapshot class with error "
                                "volumesnapshotclass.snapshot.storage.k8s.io \"{}\" not found",
                                class_name),
                    false, done);
  }
  const auto content = store_.Find(VolumeSnapshotContent::kResource, {"", ContentName(*snapshot)});
  const bool bind = content && Text(*content, {"spec", "deletionPolicy"}) == "Delete" &&
                    !HasFinalizer(*snapshot, kBoundFinalizer);
  if (!HasFinalizer(*snapshot, kAsSourceFinalizer) || bind) {
    snapshot_api_.Call(1, [this, key, bind, done] {
      store_.Edit(VolumeSnapshot::kResource, key, [&](json::object& object) {
        if (IsTerminating(object)) return;
        AddFinalizer(object, kAsSourceFinalizer);
        if (bind) AddFinalizer(object, kBoundFinalizer);
      });
      WorkOnSnapshot(key, done);
    });
    return;
  }
  const bool bound = !Text(*snapshot, {"status", "boundVolumeSnapshotContentName"}).empty();
  if (!IsReady(*snapshot) || !bound) {
    if (content) return CopyStatus(key, ContentName(*snapshot), 2, done);
    return MakeContent(key, *snapshot, done);
  }
  if (!content) return SetError(key, "VolumeSnapshotContent is missing", true, done);
  done(After::kNothing);
}

// Nobody cuts its claim any more.
void SnapshotController::ReleaseClaim(const Key& key, const json::object& snapshot,
                                      const Done& done) {
  core_api_.Call(2, [this, key, claim = ClaimKey(snapshot), done] {
    store_.Edit(PersistentVolumeClaim::kResource, claim,
                [](json::object& object) { RemoveFinalizer(object, kClaimFinalizer); });
    WorkOnSnapshot(key, done);
  });
}

void SnapshotController::ChooseClass(const Key& key, const json::object& snapshot,
                                     const Done& done) {
  api::Result<std::string> name = [&]() -> api::Result<std::string> {
    const auto source = FindSource(snapshot);
    if (!source) return source.error();
    return FindDefaultClass(source->driver);
  }();
  if (!name) {
    return SetError(key, "Failed to set default snapshot class with error " + name.error().message,
                    false, done);
  }
  snapshot_api_.Call(1, [this, key, name = *name, done] {
    store_.Edit(VolumeSnapshot::kResource, key, [&](json::object& object) {
      Into(object, {"spec"})["volumeSnapshotClassName"] = name;
    });
    WorkOnSnapshot(key, done);
  });
}

void SnapshotController::MakeContent(const Key& key, const json::object& snapshot,
                                     const Done& done) {
  constexpr char kFailed[] = "Failed to create snapshot content with error ";
  const auto claim = store_.Find(PersistentVolumeClaim::kResource, ClaimKey(snapshot));
  if (!claim) {
    return SetError(key,
                    fmt::format("{}snapshot controller failed to update {} on API server: cannot "
                                "get claim from snapshot",
                                kFailed, key.name),
                    true, done);
  }
  if (!HasFinalizer(*claim, kClaimFinalizer)) {
    if (IsTerminating(*claim)) {
      return SetError(key,
                      fmt::format("{}snapshot controller failed to update {} on API server: cannot "
                                  "add finalizer on claim because it is being deleted",
                                  kFailed, ClaimKey(snapshot).name),
                      true, done);
    }
    core_api_.Call(1, [this, key, claim_key = ClaimKey(snapshot), done] {
      store_.Edit(PersistentVolumeClaim::kResource, claim_key, [](json::object& object) {
        if (!IsTerminating(object)) AddFinalizer(object, kClaimFinalizer);
      });
      const StoredObject again = store_.Find(VolumeSnapshot::kResource, key);
      if (!again || IsTerminating(*again)) return done(After::kBackoff);
      MakeContent(key, *again, done);
    });
    return;
  }
  const auto source = FindSource(snapshot);
  if (!source) {
    return SetError(key,
                    fmt::format("{}failed to get input parameters to create snapshot {}: \"{}\"",
                                kFailed, key.name, source.error().message),
                    true, done);
  }
  CreateContent(key, *source, done);
}

void SnapshotController::CreateContent(const Key& key, const Source& source, const Done& done) {
  // getVolumeFromVolumeSnapshot asks the API for the volume.
  core_api_.Call(1, [this, key, source, done] {
    snapshot_api_.Call(1, [this, key, source, done] {
      const StoredObject snapshot = store_.Find(VolumeSnapshot::kResource, key);
      if (!snapshot) return done(After::kNothing);
      const std::string name = ContentName(*snapshot);
      json::object spec{{"volumeSnapshotRef",
                         {{"apiVersion", Text(*snapshot, {"apiVersion"})},
                          {"kind", "VolumeSnapshot"},
                          {"name", key.name},
                          {"namespace", key.ns},
                          {"uid", UidOf(*snapshot)},
                          {"resourceVersion", Text(*snapshot, {"metadata", "resourceVersion"})}}},
                        {"source", {{"volumeHandle", source.volume_handle}}},
                        {"volumeSnapshotClassName", source.class_name},
                        {"deletionPolicy", source.deletion_policy},
                        {"driver", source.driver}};
      if (!source.volume_mode.empty()) spec["sourceVolumeMode"] = source.volume_mode;
      store_.Create(VolumeSnapshotContent::kResource,
                    {{"metadata", {{"name", name}}}, {"spec", std::move(spec)}});
      CopyStatus(key, name, 1, done);
    });
  });
}

void SnapshotController::CopyStatus(const Key& key, const std::string& content, int reads,
                                    const Done& done) {
  snapshot_api_.Call(reads, [this, key, content, done] {
    const StoredObject from = store_.Find(VolumeSnapshotContent::kResource, {"", content});
    if (!from) return done(After::kBackoff);
    const auto snapshot = store_.Find(VolumeSnapshot::kResource, key);
    if (!snapshot || UidOf(*snapshot) != Text(*from, {"spec", "volumeSnapshotRef", "uid"})) {
      return done(After::kNothing);
    }
    json::object probe = *snapshot;
    if (!TakeStatus(probe, *from)) return done(After::kNothing);
    snapshot_api_.Call(1, [this, key, from, done] {
      store_.Edit(VolumeSnapshot::kResource, key,
                  [&](json::object& object) { TakeStatus(object, *from); });
      done(After::kNothing);
    });
  });
}

void SnapshotController::SetError(const Key& key, std::string message, bool not_ready,
                                  const Done& done) {
  const auto snapshot = store_.Find(VolumeSnapshot::kResource, key);
  if (!snapshot || Text(*snapshot, {"status", "error", "message"}) == message) {
    return done(After::kBackoff);
  }
  snapshot_api_.Call(1, [this, key, message = std::move(message), not_ready, done] {
    store_.Edit(VolumeSnapshot::kResource, key, [&](json::object& object) {
      auto& status = Into(object, {"status"});
      status["error"] = {{"message", message}, {"time", Seconds(store_.Now())}};
      if (not_ready) status["readyToUse"] = false;
    });
    done(After::kBackoff);
  });
}

// ---- its end ------------------------------------------------------------------------------------

void SnapshotController::DeleteSnapshot(const Key& key, const json::object& snapshot,
                                        const Done& done) {
  if (!HasFinalizer(snapshot, kAsSourceFinalizer) && !HasFinalizer(snapshot, kBoundFinalizer)) {
    return done(After::kNothing);
  }
  const std::string name = ContentName(snapshot);
  const StoredObject content = store_.Find(VolumeSnapshotContent::kResource, {"", name});
  if (!content) return RemoveFinalizers(key, false, done);
  if (IsBeingRestored(snapshot)) return done(After::kBackoff);
  const bool cascades = Text(*content, {"spec", "deletionPolicy"}) == "Delete";
  const bool marked = !Annotation(*content, kBeingDeleted).empty();
  const int calls = (marked ? 0 : 1) + (cascades ? 1 : 0);
  snapshot_api_.Call(calls, [this, key, name, uid = UidOf(*content), cascades, done] {
    store_.Edit(VolumeSnapshotContent::kResource, {"", name},
                [](json::object& object) { SetAnnotation(object, kBeingDeleted, "yes"); });
    if (cascades) store_.Delete(VolumeSnapshotContent::kResource, {"", name}, uid);
    RemoveFinalizers(key, cascades, done);
  });
}

// The bound finalizer stays until the content has gone.
void SnapshotController::RemoveFinalizers(const Key& key, bool content_stays, const Done& done) {
  const auto snapshot = store_.Find(VolumeSnapshot::kResource, key);
  if (!snapshot) return done(After::kNothing);
  const bool any = HasFinalizer(*snapshot, kAsSourceFinalizer) ||
                   (!content_stays && HasFinalizer(*snapshot, kBoundFinalizer));
  if (!any) return done(After::kNothing);
  const Key claim = ClaimKey(*snapshot);
  const auto source = store_.Find(PersistentVolumeClaim::kResource, claim);
  if (source && HasFinalizer(*source, kClaimFinalizer) &&
      !IsClaimNeeded(claim.ns, claim.name, key.name)) {
    core_api_.Call(2, [this, key, claim, content_stays, done] {
      store_.Edit(PersistentVolumeClaim::kResource, claim,
                  [](json::object& object) { RemoveFinalizer(object, kClaimFinalizer); });
      RemoveFinalizers(key, content_stays, done);
    });
    return;
  }
  snapshot_api_.Call(1, [this, key, content_stays, done] {
    store_.Edit(VolumeSnapshot::kResource, key, [&](json::object& object) {
      RemoveFinalizer(object, kAsSourceFinalizer);
      if (!content_stays) RemoveFinalizer(object, kBoundFinalizer);
    });
    done(After::kNothing);
  });
}

// ---- a content ----------------------------------------------------------------------------------

void SnapshotController::WorkOnContent(const Key& key, const Done& done) {
  const StoredObject content = store_.Find(VolumeSnapshotContent::kResource, key);
  if (!content) return done(After::kNothing);
  if (!IsTerminating(*content) && !HasFinalizer(*content, kContentFinalizer)) {
    snapshot_api_.Call(1, [this, key, done] {
      store_.Edit(VolumeSnapshotContent::kResource, key, [](json::object& object) {
        if (!IsTerminating(object)) AddFinalizer(object, kContentFinalizer);
      });
      done(After::kNothing);
    });
    return;
  }
  const Key snapshot_key{std::string(Text(*content, {"spec", "volumeSnapshotRef", "namespace"})),
                         std::string(Text(*content, {"spec", "volumeSnapshotRef", "name"}))};
  const StoredObject snapshot = store_.Find(VolumeSnapshot::kResource, snapshot_key);
  if (!snapshot || UidOf(*snapshot) != Text(*content, {"spec", "volumeSnapshotRef", "uid"})) {
    return done(After::kNothing);
  }
  if (At(*content, {"status"}) != nullptr) snapshots_.Add(snapshot_key);
  if (!IsTerminating(*snapshot) || !Annotation(*content, kBeingDeleted).empty()) {
    return done(After::kNothing);
  }
  snapshot_api_.Call(1, [this, key, done] {
    store_.Edit(VolumeSnapshotContent::kResource, key,
                [](json::object& object) { SetAnnotation(object, kBeingDeleted, "yes"); });
    done(After::kNothing);
  });
}

// ---- facts --------------------------------------------------------------------------------------

api::Result<SnapshotController::Source> SnapshotController::FindSource(
    const json::object& snapshot) const {
  const Key key = ClaimKey(snapshot);
  const auto claim = store_.Find(PersistentVolumeClaim::kResource, key);
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
  const auto volume = store_.Find(PersistentVolume::kResource, {"", volume_name});
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
  Source source{.class_name = std::string(Text(snapshot, {"spec", "volumeSnapshotClassName"})),
                .driver = std::string(Text(*volume, {"spec", "csi", "driver"})),
                .volume_handle = std::string(Text(*volume, {"spec", "csi", "volumeHandle"})),
                .volume_mode = std::string(Text(*volume, {"spec", "volumeMode"}))};
  if (const auto made_by = store_.Find(VolumeSnapshotClass::kResource, {"", source.class_name})) {
    source.deletion_policy = Text(*made_by, {"deletionPolicy"});
    source.driver = Text(*made_by, {"driver"});
  }
  return source;
}

api::Result<std::string> SnapshotController::FindDefaultClass(const std::string& driver) const {
  std::vector<std::string> names;
  store_.ForEach(VolumeSnapshotClass::kResource, [&](const json::object& object) {
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

bool SnapshotController::IsBeingRestored(const json::object& snapshot) const {
  const auto claims = claims_of_snapshot_.find(KeyOf(snapshot));
  if (claims == claims_of_snapshot_.end()) return false;
  for (const Key& key : claims->second) {
    const auto claim = store_.Find(PersistentVolumeClaim::kResource, key);
    if (claim && Text(*claim, {"status", "phase"}) == "Pending") return true;
  }
  return false;
}

// A snapshot other than `but_for` is still made from the claim.
bool SnapshotController::IsClaimNeeded(const std::string& ns, const std::string& claim,
                                       const std::string& but_for) const {
  const auto snapshots = snapshots_of_claim_.find({ns, claim});
  if (snapshots == snapshots_of_claim_.end()) return false;
  for (const Key& key : snapshots->second) {
    if (key.name == but_for) continue;
    const auto snapshot = store_.Find(VolumeSnapshot::kResource, key);
    if (snapshot && !IsReady(*snapshot)) return true;
  }
  return false;
}

}  // namespace stillpoint::sim
