// Provisioner: the sidecar csi-provisioner. It makes volumes for claims that ask its driver for
// one, empty or from a snapshot, and deletes released volumes whose reclaim policy says so.
//
// Source of the contract: external-provisioner, sig-storage-lib-external-provisioner. Not modelled:
// its own API rate limit, cloning of claims, topology.
#pragma once

#include "api/error.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/store.h"
#include "sim/cluster/volume_backend.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`, and its calls to `backend`.
class Provisioner {
 public:
  Provisioner(Store& store, VolumeBackend& backend, std::string driver, const VolumeKnobs& knobs);

 private:
  using Key = api::NamespacedName;
  using Done = WorkLoop::Done;

  void Provision(const Key& key, const Done& done);
  void MakeVolume(const StoredObject& claim, std::int64_t bytes);
  void Reclaim(const Key& key, const Done& done);
  void Forget(const Key& key, const std::string& uid);

  // The handle of the snapshot that the claim is to be made from; empty: none.
  [[nodiscard]] api::Result<std::string> FindSnapshot(const boost::json::object& claim,
                                                      std::int64_t bytes) const;

  Store& store_;
  VolumeBackend& backend_;
  const std::string driver_;
  WorkLoop claims_;
  WorkLoop volumes_;
};

}  // namespace stillpoint::sim
