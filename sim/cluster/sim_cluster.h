// SimCluster: a Cluster on the simulator's own hardware, whose truth is known.
#pragma once

#include "sim/cluster/api_server.h"
#include "sim/cluster/cluster.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/sim_runtime.h"
#include "sim/cluster/sim_storage.h"
#include "sim/cluster/timeline.h"
#include "sim/cluster/truth.h"

#include <string>

namespace stillpoint::sim {

// Threads: one. Lifetime: as Cluster.
class SimCluster {
 public:
  SimCluster(ApiServer& api, Timeline& timeline, const ClusterKnobs& knobs = {},
             const RuntimeKnobs& runtime_knobs = {});

  // A claim with a volume that is bound to it, as if both had been there for long.
  void AddBoundClaim(const std::string& ns, const std::string& name,
                     const std::string& storage_class, const std::string& size = "1Gi");

  // Power off and on; `SetNode` of the kubelet for all else.
  void KillNode();

  [[nodiscard]] Truth& truth() { return truth_; }
  [[nodiscard]] SimStorage& storage() { return storage_; }
  [[nodiscard]] SimRuntime& runtime() { return runtime_; }
  [[nodiscard]] Kubelet& kubelet() { return cluster_.kubelet(); }
  [[nodiscard]] Store& store() { return cluster_.store(); }

 private:
  Truth truth_;
  SimStorage storage_;
  SimRuntime runtime_;
  Cluster cluster_;
};

}  // namespace stillpoint::sim
