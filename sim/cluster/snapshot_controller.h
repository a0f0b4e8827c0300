// SnapshotController: the snapshot-controller of external-snapshotter 8.7. It makes the
// VolumeSnapshotContent of a VolumeSnapshot, and copies what the content's status says into the
// snapshot's, under a rate limit: which is why the latter comes so late.
//
// Source of the contract: pkg/common-controller/snapshot_controller.go. Not modelled: group
// snapshots, pre-provisioned snapshots, Events, metrics, conflicts of its own writes.
#pragma once

#include "api/error.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`.
class SnapshotController {
 public:
  SnapshotController(Store& store, const SnapshotKnobs& knobs);

 private:
  using Key = api::NamespacedName;
  using Done = WorkLoop::Done;
  struct Source;  // what a content is made of

  void SeeSnapshot(const Change& change);
  void SeeContent(const Change& change);
  void SeeClaim(const Change& change);

  void WorkOnSnapshot(const Key& key, const Done& done);
  void ReleaseClaim(const Key& key, const boost::json::object& snapshot, const Done& done);
  void ChooseClass(const Key& key, const boost::json::object& snapshot, const Done& done);
  void MakeContent(const Key& key, const boost::json::object& snapshot, const Done& done);
  void CreateContent(const Key& key, const Source& source, const Done& done);
  // The snapshot was read `reads` times through the API, and is written if the content says more.
  void CopyStatus(const Key& key, const std::string& content, int reads, const Done& done);
  void DeleteSnapshot(const Key& key, const boost::json::object& snapshot, const Done& done);
  void RemoveFinalizers(const Key& key, bool content_stays, const Done& done);
  void SetError(const Key& key, std::string message, bool not_ready, const Done& done);
  void WorkOnContent(const Key& key, const Done& done);

  [[nodiscard]] api::Result<Source> FindSource(const boost::json::object& snapshot) const;
  [[nodiscard]] api::Result<std::string> FindDefaultClass(const std::string& driver) const;
  [[nodiscard]] bool IsBeingRestored(const boost::json::object& snapshot) const;
  [[nodiscard]] bool IsClaimNeeded(const std::string& ns, const std::string& claim,
                                   const std::string& but_for) const;

  Store& store_;
  RateLimit snapshot_api_;
  RateLimit core_api_;
  WorkLoop snapshots_;
  WorkLoop contents_;
  std::map<Key, std::set<Key>> snapshots_of_claim_;
  std::map<Key, std::set<Key>> claims_of_snapshot_;  // that are made from it
};

}  // namespace stillpoint::sim
