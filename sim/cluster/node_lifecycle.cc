#include "sim/cluster/node_lifecycle.h"

#include "api/core.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/resources.h"

#include <algorithm>
#include <memory>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {
constexpr auto& kPods = api::Pod::kResource;
}  // namespace

NodeLifecycle::NodeLifecycle(Store& store, const NodeKnobs& knobs) : store_(store), knobs_(knobs) {
  store_.Create(
      kNodes,
      {{"metadata", {{"name", knobs_.name}, {"labels", {{"kubernetes.io/hostname", knobs_.name}}}}},
       {"spec", json::object()}});
  Report(true);
}

void NodeLifecycle::SetHeard(bool heard) {
  const std::uint64_t spell = ++spell_;
  if (heard) return Report(true);
  store_.timeline().After(knobs_.not_ready_after, [this, spell] { GiveUp(spell); });
}

void NodeLifecycle::Report(bool ready) {
  store_.Edit(kNodes, {"", knobs_.name}, [&](json::object& node) {
    SetStatusCondition(
        node, "Ready", ready, ready ? "KubeletReady" : "NodeStatusUnknown",
        ready ? "kubelet is posting ready status" : "Kubelet stopped posting node status.",
        store_.Now());
  });
}

std::vector<StoredObject> NodeLifecycle::Pods() const {
  std::vector<StoredObject> pods;
  store_.ForEach(kPods, [&](const json::object& pod) {
    if (Text(pod, {"spec", "nodeName"}) == knobs_.name) {
      pods.push_back(store_.Find(kPods, KeyOf(pod)));
    }
  });
  return pods;
}

void NodeLifecycle::GiveUp(std::uint64_t spell) {
  if (spell != spell_) return;
  Report(false);
  for (const auto& pod : Pods()) {
    store_.Edit(kPods, KeyOf(*pod), [&](json::object& object) {
      SetStatusCondition(object, "Ready", false, "NodeNotReady", "", store_.Now());
    });
  }
  store_.timeline().After(knobs_.evict_after, [this, spell] { DeletePods(spell); });
}

void NodeLifecycle::DeletePods(std::uint64_t spell) {
  if (spell != spell_) return;
  for (const auto& pod : Pods()) {
    const auto* owners = List(*pod, {"metadata", "ownerReferences"});
    const bool tolerates =
        owners != nullptr && std::ranges::any_of(*owners, [](const auto& owner) {
          return owner.is_object() && Text(owner.get_object(), {"kind"}) == "DaemonSet";
        });
    if (!tolerates) store_.Delete(kPods, KeyOf(*pod), UidOf(*pod));
  }
}

}  // namespace stillpoint::sim
