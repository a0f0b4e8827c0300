// ReplicaSetController: as many pods as a ReplicaSet wants. Contract: k8s.io/kubernetes/pkg/
// controller/replicaset. Not modelled: adoption of pods that it did not make, minReadySeconds.
#pragma once

#include "sim/cluster/knobs.h"
#include "sim/cluster/owned.h"
#include "sim/cluster/store.h"
#include "sim/cluster/workload_loop.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`.
class ReplicaSetController {
 public:
  ReplicaSetController(Store& store, const WorkloadKnobs& knobs);

 private:
  void Work(const boost::json::object& set);
  void AddPods(const boost::json::object& set, std::int64_t count);
  void RemovePods(const boost::json::object& set, std::int64_t count);
  void WriteStatus(const boost::json::object& set);

  Store& store_;
  WorkloadLoop sets_;
  std::uint64_t last_pod_ = 0;
  Owned pods_;
};

}  // namespace stillpoint::sim
