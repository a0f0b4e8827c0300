// StatefulSetController: pods with numbers and claims of their own. Contract:
// k8s.io/kubernetes/pkg/controller/statefulset. Not modelled: ControllerRevision objects (a
// revision is the hash of its template), minReadySeconds, start ordinals; a pod that is lost in the
// middle of a rollout comes back with the new template.
#pragma once

#include "sim/cluster/knobs.h"
#include "sim/cluster/owned.h"
#include "sim/cluster/store.h"
#include "sim/cluster/workload_loop.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`.
class StatefulSetController {
 public:
  StatefulSetController(Store& store, const WorkloadKnobs& knobs);

 private:
  using Pods = std::map<std::int64_t, StoredObject>;  // by ordinal

  void Work(const boost::json::object& set);
  // One step each; false: wait for what is under way.
  bool FillUp(const boost::json::object& set, const Pods& pods);
  bool ShrinkTo(const boost::json::object& set, const Pods& pods);
  void Update(const boost::json::object& set, const Pods& pods);
  void MakePodAt(const boost::json::object& set, std::int64_t ordinal);
  void MakeClaims(const boost::json::object& set, const std::string& pod);
  void DropClaims(const boost::json::object& set, const Pods& pods);
  void WriteStatus(const boost::json::object& set);
  [[nodiscard]] Pods PodsOf(const boost::json::object& set) const;

  Store& store_;
  WorkloadLoop sets_;
  Owned pods_;
};

}  // namespace stillpoint::sim
