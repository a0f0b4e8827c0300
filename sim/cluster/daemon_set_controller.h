// DaemonSetController: one pod on the one node, if its template's nodeSelector allows. Contract:
// k8s.io/kubernetes/pkg/controller/daemon. Not modelled: surge, taints.
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
class DaemonSetController {
 public:
  DaemonSetController(Store& store, const WorkloadKnobs& knobs, std::string node);

 private:
  void Work(const boost::json::object& set);
  void WriteStatus(const boost::json::object& set, bool wanted);
  [[nodiscard]] bool IsWanted(const boost::json::object& set) const;

  Store& store_;
  const std::string node_;
  WorkloadLoop sets_;
  std::uint64_t last_pod_ = 0;
  Owned pods_;
};

}  // namespace stillpoint::sim
