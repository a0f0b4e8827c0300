// CsiSnapshotter: the sidecar csi-snapshotter of external-snapshotter 8.7. It lets the driver take
// the snapshot of a VolumeSnapshotContent, writes down what the driver says, and lets the driver
// delete it.
//
// Source of the contract: pkg/sidecar-controller/snapshot_controller.go. What is true there is true
// here: a content on which a cut may be under way (annotation being-created) is not deleted; what
// the sidecar itself writes does not wake it, but for readyToUse; a content that was deleted while
// it was worked on may so stay Terminating until the next resync. Not modelled: group snapshots,
// pre-provisioned contents, credentials.
#pragma once

#include "sim/cluster/knobs.h"
#include "sim/cluster/store.h"
#include "sim/cluster/volume_backend.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`, and its calls to `backend`.
class CsiSnapshotter {
 public:
  CsiSnapshotter(Store& store, VolumeBackend& backend, std::string driver,
                 const SnapshotKnobs& knobs);

 private:
  using Key = api::NamespacedName;
  using Done = WorkLoop::Done;
  using Answered = std::function<void(api::Result<CutAnswer>)>;

  void See(const Change& change);
  void Resync(const Key& key, const std::string& uid);
  void Work(const Key& key, const Done& done);
  void Edit(const Key& key, const std::function<void(boost::json::object&)>& change);
  void Delete(const Key& key, const boost::json::object& content, const Done& done);
  void RemoveFinalizer(const Key& key, const Done& done);
  void Cut(const Key& key, const Done& done);
  void CallDriver(const CutRequest& request, Answered answered);
  void OnCut(const Key& key, const std::string& handle, const CutAnswer& answer, const Done& done);
  void OnCutFailed(const Key& key, const api::Error& error, const Done& done);
  void SetError(const Key& key, const std::string& message, const Done& done);

  Store& store_;
  VolumeBackend& backend_;
  const std::string driver_;
  const SnapshotKnobs knobs_;
  RateLimit api_;
  WorkLoop contents_;
  std::map<Key, api::Time> written_;  // when the sidecar last wrote to it; while it exists
};

}  // namespace stillpoint::sim
