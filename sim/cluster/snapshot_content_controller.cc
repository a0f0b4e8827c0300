#include "sim/cluster/snapshot_content_controller.h"

#include "api/snapshot.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/snapshot_loop.h"
#include "sim/cluster/snapshot_names.h"

#include <string>

namespace stillpoint::sim {

namespace json = boost::json;
using api::VolumeSnapshot;
using api::VolumeSnapshotContent;

SnapshotContentController::SnapshotContentController(Store& store, RateLimit& api,
                                                     WorkLoop& snapshots,
                                                     const SnapshotKnobs& knobs)
    : store_(store),
      api_(api),
      snapshots_(snapshots),
      contents_(store.timeline(), SnapshotLoop(knobs),
                [this](const Key& key, const Done& done) { Work(key, done); }) {
  store_.On(VolumeSnapshotContent::kResource, [this](const Change& change) { See(change); });
}

void SnapshotContentController::See(const Change& change) {
  const json::object& content = change.now ? *change.now : *change.before;
  if (change.now) {
    contents_.Add(KeyOf(content));
    return;
  }
  snapshots_.Add({std::string(Text(content, {"spec", "volumeSnapshotRef", "namespace"})),
                  std::string(Text(content, {"spec", "volumeSnapshotRef", "name"}))});
}

void SnapshotContentController::Work(const Key& key, const Done& done) {
  const StoredObject content = store_.Find(VolumeSnapshotContent::kResource, key);
  if (!content) return done(After::kNothing);
  if (!IsTerminating(*content) && !HasFinalizer(*content, kContentFinalizer)) {
    api_.Call(1, [this, key, done] {
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
  api_.Call(1, [this, key, done] {
    store_.Edit(VolumeSnapshotContent::kResource, key,
                [](json::object& object) { SetAnnotation(object, kBeingDeleted, "yes"); });
    done(After::kNothing);
  });
}

}  // namespace stillpoint::sim
