// ClusterKnobs: how long the parts of the model cluster take and how many calls they may make. The
// defaults are what was measured on a real cluster of one node with the components' own defaults;
// the simulator draws others.
#pragma once

#include <chrono>
#include <string>

namespace stillpoint::sim {

struct SnapshotKnobs {
  // Of the snapshot-controller's and of the csi-snapshotter's client each: --kube-api-qps, -burst.
  double qps = 5;
  int burst = 10;
  std::chrono::milliseconds call{2};   // one call of the API
  std::chrono::milliseconds watch{1};  // from a write until the components work on it
  int workers = 10;
  std::chrono::milliseconds retry_start{std::chrono::seconds(1)};  // --retry-interval-start
  std::chrono::milliseconds retry_max{std::chrono::minutes(5)};    // --retry-interval-max
  std::chrono::milliseconds csi_timeout{std::chrono::minutes(1)};  // of a call to the driver
  std::chrono::milliseconds resync{std::chrono::minutes(15)};
};

struct VolumeKnobs {
  std::chrono::milliseconds watch{2};  // from a write until binder and provisioner work on it
  std::chrono::milliseconds retry_start{std::chrono::seconds(1)};
  std::chrono::milliseconds retry_max{std::chrono::minutes(5)};
};

struct WorkloadKnobs {
  std::chrono::milliseconds watch{2};  // from a write until the workload's controller works on it
};

struct NodeKnobs {
  std::string name = "n1";
  std::chrono::milliseconds schedule{2};
  std::chrono::milliseconds pod_start{300};  // from the node to the first container
  std::chrono::milliseconds status{20};      // from an event in a container to the pod's status
  std::chrono::milliseconds restart_backoff{std::chrono::seconds(10)};  // the second restart
  std::chrono::milliseconds max_restart_backoff{std::chrono::minutes(5)};
  std::chrono::milliseconds not_ready_after{std::chrono::seconds(40)};  // a node that is silent
  std::chrono::milliseconds evict_after{std::chrono::minutes(5)};       // from then on
};

struct ClusterKnobs {
  SnapshotKnobs snapshots;
  VolumeKnobs volumes;
  WorkloadKnobs workloads;
  NodeKnobs node;
  std::chrono::milliseconds garbage_collection{10};
};

}  // namespace stillpoint::sim
