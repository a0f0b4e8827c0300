#include "sim/cluster/csi_snapshotter.h"

#include "api/snapshot.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/snapshot_loop.h"
#include "sim/cluster/snapshot_names.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using api::VolumeSnapshotContent;

namespace {

constexpr auto& kResource = VolumeSnapshotContent::kResource;

bool IsReady(const json::object& content) {
  return Flag(content, {"status", "readyToUse"});
}

// The metadata without what the sidecar writes to it.
json::object OthersMetadata(const json::object& content) {
  json::object object{{"metadata", *Map(content, {"metadata"})}};
  RemoveAnnotation(object, kBeingCreated);
  json::object& metadata = Into(object, {"metadata"});
  metadata.erase("resourceVersion");
  metadata.erase("finalizers");
  const auto* annotations = Map(object, {"metadata", "annotations"});
  if (annotations != nullptr && annotations->empty()) metadata.erase("annotations");
  return std::move(metadata);
}

// As ShouldEnqueueContentChange: the sidecar's own writes do not concern it, but for readyToUse.
bool Concerns(const json::object& before, const json::object& now) {
  if (!IsReady(before) && IsReady(now)) return true;
  if (Compare(before, now) == Difference::kWish) return true;
  return OthersMetadata(before) != OthersMetadata(now);
}

// Whether the driver has for sure not taken the snapshot and will not.
bool IsFinal(const api::Error& error) {
  return error.code != api::Code::kTimeout && error.code != api::Code::kUnavailable &&
         error.code != api::Code::kCancelled && error.code != api::Code::kTooManyRequests;
}

// The gRPC status as the sidecar prints it.
std::string DriverError(const api::Error& error) {
  const char* code = "Internal";
  if (error.code == api::Code::kTimeout) code = "DeadlineExceeded";
  if (error.code == api::Code::kUnavailable) code = "Unavailable";
  if (error.code == api::Code::kNotFound) code = "NotFound";
  if (error.code == api::Code::kTooManyRequests) code = "ResourceExhausted";
  if (error.code == api::Code::kCancelled) code = "Canceled";
  if (error.code == api::Code::kInvalid) code = "InvalidArgument";
  return fmt::format("rpc error: code = {} desc = {}", code, error.message);
}

}  // namespace

CsiSnapshotter::CsiSnapshotter(Store& store, VolumeBackend& backend, std::string driver,
                               const SnapshotKnobs& knobs)
    : store_(store),
      backend_(backend),
      driver_(std::move(driver)),
      knobs_(knobs),
      api_(store.timeline(), knobs.qps, knobs.burst, knobs.call),
      contents_(store.timeline(), SnapshotLoop(knobs),
                [this](const Key& key, const Done& done) { Work(key, done); }) {
  store_.On(kResource, [this](const Change& change) { See(change); });
}

void CsiSnapshotter::See(const Change& change) {
  if (!change.now) {
    written_.erase(KeyOf(*change.before));
    return;
  }
  if (Text(*change.now, {"spec", "driver"}) != driver_) return;
  const Key key = KeyOf(*change.now);
  if (change.before && !Concerns(*change.before, *change.now)) return;
  if (!change.before) Resync(key, UidOf(*change.now));
  contents_.Add(key);
}

// For as long as it exists.
void CsiSnapshotter::Resync(const Key& key, const std::string& uid) {
  store_.timeline().After(knobs_.resync, [this, key, uid] {
    const auto content = store_.Find(kResource, key);
    if (!content || UidOf(*content) != uid) return;
    contents_.Add(key);
    Resync(key, uid);
  });
}

void CsiSnapshotter::Work(const Key& key, const Done& done) {
  const StoredObject content = store_.Find(kResource, key);
  if (!content) return done(After::kNothing);
  // Its cache does not show its own last write yet, and it takes no older object for a newer one:
  // what woke it is forgotten.
  const auto written = written_.find(key);
  if (written != written_.end() && store_.Now() < written->second + knobs_.watch) {
    return done(After::kNothing);
  }
  const bool creating = !Annotation(*content, kBeingCreated).empty();
  if (IsTerminating(*content) && !creating && !Annotation(*content, kBeingDeleted).empty()) {
    return Delete(key, *content, done);
  }
  if (!IsReady(*content)) return Cut(key, done);
  if (!creating) return done(After::kNothing);
  api_.Call(1, [this, key, done] {
    Edit(key, [](json::object& object) { RemoveAnnotation(object, kBeingCreated); });
    done(After::kNothing);
  });
}

void CsiSnapshotter::Edit(const Key& key, const std::function<void(json::object&)>& change) {
  if (store_.Edit(kResource, key, change)) written_[key] = store_.Now();
}

// ---- the end ------------------------------------------------------------------------------------

void CsiSnapshotter::Delete(const Key& key, const json::object& content, const Done& done) {
  const std::string handle(Text(content, {"status", "snapshotHandle"}));
  if (Text(content, {"spec", "deletionPolicy"}) != "Delete" || handle.empty()) {
    return RemoveFinalizer(key, done);
  }
  backend_.DeleteSnapshot(handle, [this, key, done](const api::Result<void>& deleted) {
    if (!deleted) return done(After::kBackoff);
    api_.Call(2, [this, key, done] {
      Edit(key, [](json::object& object) {
        auto& status = Into(object, {"status"});
        for (const char* member : {"snapshotHandle", "readyToUse", "creationTime", "restoreSize"}) {
          status.erase(member);
        }
      });
      RemoveFinalizer(key, done);
    });
  });
}

void CsiSnapshotter::RemoveFinalizer(const Key& key, const Done& done) {
  api_.Call(1, [this, key, done] {
    Edit(key, [](json::object& object) { sim::RemoveFinalizer(object, kContentFinalizer); });
    done(After::kNothing);
  });
}

// ---- the cut ------------------------------------------------------------------------------------

void CsiSnapshotter::Cut(const Key& key, const Done& done) {
  const StoredObject content = store_.Find(kResource, key);
  if (!content) return done(After::kNothing);
  if (Annotation(*content, kBeingCreated).empty()) {
    api_.Call(1, [this, key, done] {
      Edit(key, [](json::object& object) { SetAnnotation(object, kBeingCreated, "yes"); });
      Cut(key, done);
    });
    return;
  }
  CutRequest request{
      .snapshot_handle =
          fmt::format("snapshot-{}", Text(*content, {"spec", "volumeSnapshotRef", "uid"})),
      .volume_handle = std::string(Text(*content, {"spec", "source", "volumeHandle"}))};
  CallDriver(request, [this, key, handle = request.snapshot_handle,
                       done](const api::Result<CutAnswer>& answer) {
    if (!answer) return OnCutFailed(key, answer.error(), done);
    OnCut(key, handle, *answer, done);
  });
}

// One answer: the driver's, or that its time is over.
void CsiSnapshotter::CallDriver(const CutRequest& request, Answered answered) {
  const auto open = std::make_shared<Answered>(std::move(answered));
  const auto answer = [open](api::Result<CutAnswer> result) {
    if (!*open) return;
    std::exchange(*open, nullptr)(std::move(result));
  };
  store_.timeline().After(knobs_.csi_timeout, [answer] {
    answer(api::Error{api::Code::kTimeout, "context deadline exceeded"});
  });
  backend_.Cut(request, answer);
}

void CsiSnapshotter::OnCut(const Key& key, const std::string& handle, const CutAnswer& answer,
                           const Done& done) {
  // One call to read the content, one for its status, one for the annotation.
  api_.Call(2, [this, key, handle, answer, done] {
    Edit(key, [&](json::object& object) {
      auto& status = Into(object, {"status"});
      if (answer.ready && !IsReady(object)) status.erase("error");
      status["readyToUse"] = answer.ready;
      if (!status.contains("snapshotHandle")) status["snapshotHandle"] = handle;
      if (!status.contains("creationTime")) {
        status["creationTime"] = std::chrono::nanoseconds(answer.cut_at.time_since_epoch()).count();
      }
      if (!status.contains("restoreSize") && answer.bytes > 0) {
        status["restoreSize"] = answer.bytes;
      }
    });
    api_.Call(1, [this, key, ready = answer.ready, done] {
      Edit(key, [](json::object& object) { RemoveAnnotation(object, kBeingCreated); });
      done(ready ? After::kNothing : After::kBackoff);
    });
  });
}

void CsiSnapshotter::OnCutFailed(const Key& key, const api::Error& error, const Done& done) {
  const StoredObject content = store_.Find(kResource, key);
  if (!content) return done(After::kNothing);
  const bool first = At(*content, {"status"}) == nullptr;
  const std::string message = fmt::format(
      "{}: failed to take snapshot of the volume {}: \"{}\"",
      first ? "Failed to create snapshot" : "Failed to check and update snapshot content",
      Text(*content, {"spec", "source", "volumeHandle"}), DriverError(error));
  if (!IsFinal(error)) return SetError(key, message, done);
  api_.Call(1, [this, key, message, done] {
    Edit(key, [](json::object& object) { RemoveAnnotation(object, kBeingCreated); });
    SetError(key, message, done);
  });
}

void CsiSnapshotter::SetError(const Key& key, const std::string& message, const Done& done) {
  const auto content = store_.Find(kResource, key);
  if (!content || Text(*content, {"status", "error", "message"}) == message) {
    return done(After::kBackoff);
  }
  api_.Call(1, [this, key, message, done] {
    Edit(key, [&](json::object& object) {
      auto& status = Into(object, {"status"});
      status["error"] = {{"message", message}, {"time", Seconds(store_.Now())}};
      status["readyToUse"] = false;
    });
    done(After::kBackoff);
  });
}

}  // namespace stillpoint::sim
