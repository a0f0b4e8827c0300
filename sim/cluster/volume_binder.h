// VolumeBinder: the part of the kube-controller-manager that brings claims and volumes together:
// binding, the phases of both, and the finalizers that protect what is in use.
//
// Source of the contract: k8s.io/kubernetes/pkg/controller/volume/{persistentvolume,pvcprotection,
// pvprotection}. Not modelled: claims that take any free volume that fits (a volume is found by
// name, from either side), resizing.
#pragma once

#include "sim/cluster/claim_users.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <map>
#include <set>
#include <string>

namespace stillpoint::sim {

inline constexpr char kClaimProtection[] = "kubernetes.io/pvc-protection";
inline constexpr char kVolumeProtection[] = "kubernetes.io/pv-protection";
inline constexpr char kSelectedNode[] = "volume.kubernetes.io/selected-node";
inline constexpr char kProvisionerOfClaim[] = "volume.kubernetes.io/storage-provisioner";
inline constexpr char kBindCompleted[] = "pv.kubernetes.io/bind-completed";
inline constexpr char kBoundByController[] = "pv.kubernetes.io/bound-by-controller";
inline constexpr char kDefaultStorageClass[] = "storageclass.kubernetes.io/is-default-class";

// Lifetime: must outlive what it has put on the timeline of `store`; `users` outlives it.
class VolumeBinder {
 public:
  VolumeBinder(Store& store, const ClaimUsers& users, const VolumeKnobs& knobs);

 private:
  using Key = api::NamespacedName;

  void SeeClaim(const Change& change);
  void SeeVolume(const Change& change);
  void SeePod(const Change& change);

  void WorkOnClaim(const Key& key);
  void Prepare(const Key& key);
  void Unprotect(const Key& key);
  void BindByName(const Key& key, const std::string& volume);
  void CheckBinding(const Key& key, const boost::json::object& claim);
  void AskForVolume(const Key& key, const boost::json::object& claim);
  void Bind(const Key& key, const std::string& volume);

  void WorkOnVolume(const Key& key);
  [[nodiscard]] const char* PhaseOf(const boost::json::object& volume);
  [[nodiscard]] std::string ReservedFor(const boost::json::object& claim) const;

  Store& store_;
  const ClaimUsers& users_;
  WorkLoop claims_;
  WorkLoop volumes_;
  std::map<Key, std::set<std::string>> volumes_of_claim_;  // by claimRef
};

}  // namespace stillpoint::sim
