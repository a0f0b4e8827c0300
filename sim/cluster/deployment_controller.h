// DeploymentController: brings a Deployment's pods to its template through ReplicaSets, one per
// template. Contract: k8s.io/kubernetes/pkg/controller/deployment. Not modelled: minReadySeconds,
// rollback by ControllerRevision, hash collisions, proportional scaling while it is paused.
#pragma once

#include "sim/cluster/knobs.h"
#include "sim/cluster/owned.h"
#include "sim/cluster/store.h"
#include "sim/cluster/workload_loop.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`.
class DeploymentController {
 public:
  DeploymentController(Store& store, const WorkloadKnobs& knobs);

 private:
  struct Rollout {
    StoredObject deployment;
    std::int64_t desired = 0;
    std::int64_t max_total = 0;      // desired and surge
    std::int64_t min_available = 0;  // desired without the unavailable
    StoredObject newest;             // null: not made yet
    std::vector<StoredObject> old;
  };
  struct Progress {
    std::string counts;  // that moved last
    api::Time since{};
  };

  void Work(const StoredObject& deployment);
  [[nodiscard]] Rollout Look(const StoredObject& deployment) const;
  void Recreate(const Rollout& rollout);
  void Roll(const Rollout& rollout);
  void ScaleOldDown(const Rollout& rollout);
  void MakeNewest(const Rollout& rollout, std::int64_t replicas);
  void Scale(const StoredObject& set, std::int64_t replicas);
  void ForgetOldest(const Rollout& rollout);
  void WriteStatus(const StoredObject& deployment);
  [[nodiscard]] bool IsExceeded(const Rollout& rollout, const std::string& counts, bool complete);

  Store& store_;
  WorkloadLoop deployments_;
  std::map<std::string, Progress> progress_;   // by UID
  std::map<std::string, std::string> owners_;  // UID of the Deployment by that of its ReplicaSet
  Owned sets_;
  Owned pods_;
};

}  // namespace stillpoint::sim
