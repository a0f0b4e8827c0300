#include "sim/cluster/cluster.h"

namespace stillpoint::sim {

Cluster::Cluster(ApiServer& api, Timeline& timeline, VolumeBackend& volumes,
                 ContainerRuntime& runtime, const ClusterKnobs& knobs, const std::string& driver)
    : store_(api.objects(), timeline),
      claim_users_(store_),
      volume_binder_(store_, claim_users_, knobs.volumes),
      provisioner_(store_, volumes, driver, knobs.volumes),
      snapshot_controller_(store_, knobs.snapshots),
      csi_snapshotter_(store_, volumes, driver, knobs.snapshots),
      deployments_(store_, knobs.workloads),
      replica_sets_(store_, knobs.workloads),
      stateful_sets_(store_, knobs.workloads),
      daemon_sets_(store_, knobs.workloads, knobs.node.name),
      scheduler_(store_, claim_users_, knobs.node),
      kubelet_(store_, runtime, knobs.node),
      garbage_collector_(store_, knobs.garbage_collection) {}

}  // namespace stillpoint::sim
