// Cluster: all that a real cluster of one node does around its API, wired together: claims and
// volumes, snapshots, workloads, pods, garbage. Time comes from a Timeline and the hardware from
// two interfaces, so that the simulator and the embedded cluster have the same one.
//
// It registers its Node itself. Namespaces, StorageClasses and VolumeSnapshotClasses are the
// user's.
#pragma once

#include "sim/cluster/api_server.h"
#include "sim/cluster/claim_users.h"
#include "sim/cluster/container_runtime.h"
#include "sim/cluster/csi_snapshotter.h"
#include "sim/cluster/daemon_set_controller.h"
#include "sim/cluster/deployment_controller.h"
#include "sim/cluster/garbage_collector.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/kubelet.h"
#include "sim/cluster/provisioner.h"
#include "sim/cluster/replica_set_controller.h"
#include "sim/cluster/scheduler.h"
#include "sim/cluster/snapshot_controller.h"
#include "sim/cluster/stateful_set_controller.h"
#include "sim/cluster/store.h"
#include "sim/cluster/timeline.h"
#include "sim/cluster/volume_backend.h"
#include "sim/cluster/volume_binder.h"

#include <string>

namespace stillpoint::sim {

// The one CSI driver, where nobody gives it another name.
inline constexpr char kDriver[] = "csi.stillpoint.test";

// Threads: one. Lifetime: what it is given outlives it; it outlives all writes to `api` and all
// that it has put on `timeline`.
class Cluster {
 public:
  Cluster(ApiServer& api, Timeline& timeline, VolumeBackend& volumes, ContainerRuntime& runtime,
          const ClusterKnobs& knobs = {}, const std::string& driver = kDriver);

  [[nodiscard]] Kubelet& kubelet() { return kubelet_; }
  [[nodiscard]] Store& store() { return store_; }

 private:
  Store store_;
  ClaimUsers claim_users_;
  VolumeBinder volume_binder_;
  Provisioner provisioner_;
  SnapshotController snapshot_controller_;
  CsiSnapshotter csi_snapshotter_;
  DeploymentController deployments_;
  ReplicaSetController replica_sets_;
  StatefulSetController stateful_sets_;
  DaemonSetController daemon_sets_;
  Scheduler scheduler_;
  Kubelet kubelet_;
  GarbageCollector garbage_collector_;
};

}  // namespace stillpoint::sim
