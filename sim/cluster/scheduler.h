// Scheduler: gives a pod the one node, once its claims can be used there. A claim of a class that
// waits for its first consumer is told which node that will be.
//
// Source of the contract: kube-scheduler, plugin VolumeBinding.
#pragma once

#include "sim/cluster/claim_users.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`; `users` outlives it.
class Scheduler {
 public:
  Scheduler(Store& store, const ClaimUsers& users, const NodeKnobs& knobs);

 private:
  using Key = api::NamespacedName;

  void Work(const Key& key);
  // Why the claim cannot be used; empty: it can.
  [[nodiscard]] std::string Trouble(const Key& claim);
  [[nodiscard]] bool NodeIsReady() const;

  Store& store_;
  const ClaimUsers& users_;
  const std::string node_;
  WorkLoop pods_;
};

}  // namespace stillpoint::sim
