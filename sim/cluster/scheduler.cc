#include "sim/cluster/scheduler.h"

#include "api/core.h"
#include "api/storage.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/resources.h"
#include "sim/cluster/volume_binder.h"

#include <fmt/format.h>

#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using api::PersistentVolumeClaim;
using api::Pod;
using Key = api::NamespacedName;

Scheduler::Scheduler(Store& store, const ClaimUsers& users, const NodeKnobs& knobs)
    : store_(store),
      users_(users),
      node_(knobs.name),
      pods_(store.timeline(), {.latency = knobs.schedule},
            [this](const Key& key, const WorkLoop::Done& done) {
              Work(key);
              done(After::kNothing);
            }) {
  store_.On(Pod::kResource, [this](const Change& change) {
    if (change.now && !change.before) pods_.Add(KeyOf(*change.now));
  });
  store_.On(PersistentVolumeClaim::kResource, [this](const Change& change) {
    if (!change.now) return;
    for (const Key& pod : users_.PodsOf(KeyOf(*change.now))) {
      const auto object = store_.Find(Pod::kResource, pod);
      if (object && Text(*object, {"spec", "nodeName"}).empty()) pods_.Add(pod);
    }
  });
  store_.On(kNodes, [this](const Change&) {
    store_.ForEach(Pod::kResource, [this](const json::object& pod) {
      if (Text(pod, {"spec", "nodeName"}).empty()) pods_.Add(KeyOf(pod));
    });
  });
}

void Scheduler::Work(const Key& key) {
  const StoredObject pod = store_.Find(Pod::kResource, key);
  if (!pod || IsTerminating(*pod) || !Text(*pod, {"spec", "nodeName"}).empty()) return;
  std::string trouble;
  for (const auto& mount : ClaimMounts(*pod)) {
    const std::string why = Trouble({key.ns, mount.claim});
    if (trouble.empty()) trouble = why;
  }
  if (trouble.empty() && !NodeIsReady()) {
    trouble = "1 node(s) had untolerated taint(s)";
  }
  store_.Edit(Pod::kResource, key, [&](json::object& object) {
    Into(object, {"status"})["phase"] = "Pending";
    if (trouble.empty()) {
      Into(object, {"spec"})["nodeName"] = node_;
      SetStatusCondition(object, "PodScheduled", true, "", "", store_.Now());
    } else {
      SetStatusCondition(object, "PodScheduled", false, "Unschedulable",
                         fmt::format("0/1 nodes are available: {}.", trouble), store_.Now());
    }
  });
}

std::string Scheduler::Trouble(const Key& key) {
  const StoredObject claim = store_.Find(PersistentVolumeClaim::kResource, key);
  if (!claim) return fmt::format("persistentvolumeclaim \"{}\" not found", key.name);
  if (IsTerminating(*claim)) {
    return fmt::format("persistentvolumeclaim \"{}\" is being deleted", key.name);
  }
  if (Text(*claim, {"status", "phase"}) == "Bound") return "";
  if (Text(*claim, {"status", "phase"}) == "Lost") {
    return fmt::format("persistentvolumeclaim \"{}\" bound to non-existent persistentvolume \"{}\"",
                       key.name, Text(*claim, {"spec", "volumeName"}));
  }
  const std::string name(Text(*claim, {"spec", "storageClassName"}));
  const auto storage_class = store_.Find(api::StorageClass::kResource, {"", name});
  const bool waits =
      storage_class && Text(*storage_class, {"volumeBindingMode"}) == "WaitForFirstConsumer";
  if (waits && Annotation(*claim, kSelectedNode).empty()) {
    store_.Edit(PersistentVolumeClaim::kResource, key,
                [&](json::object& object) { SetAnnotation(object, kSelectedNode, node_); });
  }
  return waits ? "pod is waiting for its volume to be provisioned"
               : "pod has unbound immediate PersistentVolumeClaims";
}

bool Scheduler::NodeIsReady() const {
  const auto node = store_.Find(kNodes, {"", node_});
  return node && ConditionStatus(*node, "Ready") == "True";
}

}  // namespace stillpoint::sim
