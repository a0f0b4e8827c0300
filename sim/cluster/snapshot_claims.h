// SnapshotClaims: which snapshots are made from which claims, and which claims from which
// snapshots.
#pragma once

#include "api/meta.h"
#include "sim/cluster/store.h"

#include <boost/json/object.hpp>

#include <map>
#include <set>
#include <string>

namespace stillpoint::sim {

class SnapshotClaims {
 public:
  explicit SnapshotClaims(Store& store);

  // A claim that is made from the snapshot is still Pending.
  [[nodiscard]] bool IsBeingRestored(const boost::json::object& snapshot) const;

  // A snapshot other than `but_for` is still made from the claim.
  [[nodiscard]] bool IsClaimNeeded(const api::NamespacedName& claim,
                                   const std::string& but_for) const;

 private:
  using Key = api::NamespacedName;

  Store& store_;
  std::map<Key, std::set<Key>> unready_of_claim_;  // snapshots that are not ready
  std::map<Key, std::set<Key>> claims_of_snapshot_;
};

}  // namespace stillpoint::sim
