// SnapshotController: the snapshot-controller of external-snapshotter 8.7. It makes the
// VolumeSnapshotContent of a VolumeSnapshot, and copies what the content's status says into the
// snapshot's, under a rate limit: which is why the latter comes so late.
//
// Source of the contract: pkg/common-controller/snapshot_controller.go. Not modelled: group
// snapshots, pre-provisioned snapshots, Events, metrics, conflicts of its own writes.
#pragma once

#include "sim/cluster/knobs.h"
#include "sim/cluster/snapshot_claims.h"
#include "sim/cluster/snapshot_content_controller.h"
#include "sim/cluster/snapshot_source.h"
#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`.
class SnapshotController {
 public:
  SnapshotController(Store& store, const SnapshotKnobs& knobs);

 private:
  using Key = api::NamespacedName;
  using Done = WorkLoop::Done;

  void WorkOnSnapshot(const Key& key, const Done& done);
  void AddFinalizers(const Key& key, const StoredObject& seen, bool bind, const Done& done);
  void ReleaseClaim(const Key& key, const boost::json::object& snapshot, const Done& done);
  void ChooseClass(const Key& key, const boost::json::object& snapshot, const Done& done);
  void MakeContent(const Key& key, const StoredObject& snapshot, const Done& done);
  void CreateContent(const Key& key, const StoredObject& snapshot, const SnapshotSource& source,
                     const Done& done);
  // Reads the snapshot `reads` times through the API and writes to it what `content` says, as that
  // was seen when the pass began.
  void CopyStatus(const Key& key, const StoredObject& content, int reads, const Done& done);
  void DeleteSnapshot(const Key& key, const boost::json::object& snapshot, const Done& done);
  void RemoveFinalizers(const Key& key, bool content_stays, const Done& done);
  void SetError(const Key& key, std::string message, bool not_ready, const Done& done);

  Store& store_;
  RateLimit snapshot_api_;
  RateLimit core_api_;
  WorkLoop snapshots_;
  SnapshotContentController contents_;
  SnapshotClaims claims_;
};

}  // namespace stillpoint::sim
