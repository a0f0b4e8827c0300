// Breakage: what breaks in the cluster itself, at somebody's command: the driver, the node, a
// container. Calls of the controller that get lost are faults of sim/world.
#pragma once

#include "api/meta.h"
#include "sim/cluster/kubelet.h"
#include "sim/cluster/sim_cluster.h"
#include "sim/cluster/sim_storage.h"
#include "sim/cluster/timeline.h"
#include "sim/run/evidence.h"
#include "sim/run/scenario.h"

#include <chrono>
#include <string>
#include <vector>

namespace stillpoint::sim::run {

// Threads: one. Lifetime: everything given must outlive what it has put on `timeline`.
class Breakage {
 public:
  // Sets the storage's on_cut. Where knobs.heals is false nothing that breaks is ever repaired.
  Breakage(Timeline& timeline, SimCluster& cluster, const Knobs& knobs);

  void LoseNode(NodeState state, std::chrono::milliseconds length);
  void BreakDriver(std::chrono::milliseconds length);
  void StallDriver(std::chrono::milliseconds length);
  void KeepFromReady(std::chrono::milliseconds length);
  void KillContainer(const std::string& pod_uid, const std::string& container);
  void KillHooks(const std::string& pod_uid, const std::string& container);

  // When the last of all that heals is repaired.
  [[nodiscard]] api::Time healed_at() const { return healed_at_; }
  [[nodiscard]] bool Reachable() const { return !Lasts(node_gone_until_); }
  // In which nobody could run a command in a pod.
  [[nodiscard]] const std::vector<Period>& out_of_reach() const { return out_of_reach_; }

 private:
  [[nodiscard]] api::Time EndOf(std::chrono::milliseconds length);
  [[nodiscard]] CutBehaviour Cut() const;
  [[nodiscard]] bool Lasts(api::Time end) const { return end > timeline_.Now(); }
  [[nodiscard]] std::chrono::milliseconds Left(api::Time end) const;

  Timeline& timeline_;
  SimCluster& cluster_;
  const Knobs knobs_;
  api::Time broken_until_{};
  api::Time stalled_until_{};
  api::Time unready_until_{};
  api::Time node_gone_until_{};
  api::Time healed_at_{};
  std::vector<Period> out_of_reach_;
};

}  // namespace stillpoint::sim::run
