#include "sim/cluster/snapshot_controller.h"

#include "api/core.h"
#include "api/snapshot.h"
#include "api/time.h"
#include "sim/cluster/binary_quantity.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/snapshot_loop.h"
#include "sim/cluster/snapshot_names.h"

#include <fmt/format.h>

#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using api::PersistentVolumeClaim;
using api::VolumeSnapshot;
using api::VolumeSnapshotClass;
using api::VolumeSnapshotContent;
using Key = api::NamespacedName;

namespace {

std::string ContentName(const json::object& snapshot) {
  return "snapcontent-" + UidOf(snapshot);
}

bool IsReady(const json::object& object) {
  return Flag(object, {"status", "readyToUse"});
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
    status["restoreSize"] = BinaryQuantity(size);
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

SnapshotController::SnapshotController(Store& store, const SnapshotKnobs& knobs)
    : store_(store),
      snapshot_api_(store.timeline(), knobs.qps, knobs.burst, knobs.call),
      core_api_(store.timeline(), knobs.qps, knobs.burst, knobs.call),
      snapshots_(store.timeline(), SnapshotLoop(knobs),
                 [this](const Key& key, const Done& done) { WorkOnSnapshot(key, done); }),
      contents_(store, snapshot_api_, snapshots_, knobs),
      claims_(store) {
  store_.On(VolumeSnapshot::kResource, [this](const Change& change) {
    if (change.now) snapshots_.Add(KeyOf(*change.now));
  });
}

// ---- a snapshot ---------------------------------------------------------------------------------

void SnapshotController::WorkOnSnapshot(const Key& key, const Done& done) {
  const StoredObject snapshot = store_.Find(VolumeSnapshot::kResource, key);
  if (!snapshot) return done(After::kNothing);
  const auto claim = store_.Find(PersistentVolumeClaim::kResource, SourceClaim(*snapshot));
  const bool held = claim && HasFinalizer(*claim, kClaimFinalizer);
  if (held && !claims_.IsClaimNeeded(SourceClaim(*snapshot), "")) {
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
    return AddFinalizers(key, snapshot, bind, done);
  }
  const bool bound = !Text(*snapshot, {"status", "boundVolumeSnapshotContentName"}).empty();
  if (!IsReady(*snapshot) || !bound) {
    if (content) return CopyStatus(key, content, 2, done);
    return MakeContent(key, snapshot, done);
  }
  if (!content) return SetError(key, "VolumeSnapshotContent is missing", true, done);
  done(After::kNothing);
}

// One that was deleted before it had any finalizer is gone now, and gets its content all the same,
// which nobody deletes: measured on a real cluster.
void SnapshotController::AddFinalizers(const Key& key, const StoredObject& seen, bool bind,
                                       const Done& done) {
  snapshot_api_.Call(1, [this, key, seen, bind, done] {
    const bool there = store_.Edit(VolumeSnapshot::kResource, key, [&](json::object& object) {
      if (IsTerminating(object)) return;
      AddFinalizer(object, kAsSourceFinalizer);
      if (bind) AddFinalizer(object, kBoundFinalizer);
    });
    if (!there && !bind) return MakeContent(key, seen, done);
    WorkOnSnapshot(key, done);
  });
}

// Nobody cuts its claim any more.
void SnapshotController::ReleaseClaim(const Key& key, const json::object& snapshot,
                                      const Done& done) {
  core_api_.Call(2, [this, key, claim = SourceClaim(snapshot), done] {
    store_.Edit(PersistentVolumeClaim::kResource, claim,
                [](json::object& object) { RemoveFinalizer(object, kClaimFinalizer); });
    WorkOnSnapshot(key, done);
  });
}

void SnapshotController::ChooseClass(const Key& key, const json::object& snapshot,
                                     const Done& done) {
  api::Result<std::string> name = [&]() -> api::Result<std::string> {
    const auto source = FindSnapshotSource(store_, snapshot);
    if (!source) return source.error();
    return FindDefaultSnapshotClass(store_, source->driver);
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

void SnapshotController::MakeContent(const Key& key, const StoredObject& snapshot,
                                     const Done& done) {
  constexpr char kFailed[] = "Failed to create snapshot content with error ";
  const auto claim = store_.Find(PersistentVolumeClaim::kResource, SourceClaim(*snapshot));
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
                                  kFailed, SourceClaim(*snapshot).name),
                      true, done);
    }
    core_api_.Call(1, [this, key, snapshot, done] {
      store_.Edit(PersistentVolumeClaim::kResource, SourceClaim(*snapshot),
                  [](json::object& object) {
                    if (!IsTerminating(object)) AddFinalizer(object, kClaimFinalizer);
                  });
      MakeContent(key, snapshot, done);
    });
    return;
  }
  const auto source = FindSnapshotSource(store_, *snapshot);
  if (!source) {
    return SetError(key,
                    fmt::format("{}failed to get input parameters to create snapshot {}: \"{}\"",
                                kFailed, key.name, source.error().message),
                    true, done);
  }
  CreateContent(key, snapshot, *source, done);
}

void SnapshotController::CreateContent(const Key& key, const StoredObject& snapshot,
                                       const SnapshotSource& source, const Done& done) {
  // getVolumeFromVolumeSnapshot asks the API for the volume.
  core_api_.Call(1, [this, key, snapshot, source, done] {
    snapshot_api_.Call(1, [this, key, snapshot, source, done] {
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
      CopyStatus(key, store_.Find(VolumeSnapshotContent::kResource, {"", name}), 1, done);
    });
  });
}

void SnapshotController::CopyStatus(const Key& key, const StoredObject& content, int reads,
                                    const Done& done) {
  snapshot_api_.Call(reads, [this, key, content, done] {
    const auto snapshot = store_.Find(VolumeSnapshot::kResource, key);
    if (!snapshot || UidOf(*snapshot) != Text(*content, {"spec", "volumeSnapshotRef", "uid"})) {
      return done(After::kNothing);
    }
    json::object probe = *snapshot;
    if (!TakeStatus(probe, *content)) return done(After::kNothing);
    snapshot_api_.Call(1, [this, key, content, done] {
      store_.Edit(VolumeSnapshot::kResource, key,
                  [&](json::object& object) { TakeStatus(object, *content); });
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
  if (claims_.IsBeingRestored(snapshot)) return done(After::kBackoff);
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
  const Key claim = SourceClaim(*snapshot);
  const auto source = store_.Find(PersistentVolumeClaim::kResource, claim);
  if (source && HasFinalizer(*source, kClaimFinalizer) && !claims_.IsClaimNeeded(claim, key.name)) {
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

}  // namespace stillpoint::sim
