// NodeLifecycle: the Node object, and what becomes of the pods of a node that nobody hears of.
// Contract: the node lifecycle controller and the taint manager of the kube-controller-manager.
#pragma once

#include "sim/cluster/knobs.h"
#include "sim/cluster/store.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <vector>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`.
class NodeLifecycle {
 public:
  // Registers the node, ready.
  NodeLifecycle(Store& store, const NodeKnobs& knobs);

  // Silent for long, the node is not ready any more and neither are its pods; later these are
  // deleted, but stay as objects until the node is back. A DaemonSet's pods tolerate it.
  void SetHeard(bool heard);

 private:
  void Report(bool ready);
  void GiveUp(std::uint64_t spell);
  void DeletePods(std::uint64_t spell);
  [[nodiscard]] std::vector<StoredObject> Pods() const;

  Store& store_;
  const NodeKnobs knobs_;
  std::uint64_t spell_ = 0;  // counts changes of being heard
};

}  // namespace stillpoint::sim
