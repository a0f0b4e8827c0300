#include "sim/cluster/replica_set_controller.h"

#include "api/apps.h"
#include "sim/cluster/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using Key = api::NamespacedName;

namespace {
constexpr auto& kSets = api::ReplicaSet::kResource;
constexpr auto& kPods = api::Pod::kResource;
}  // namespace

ReplicaSetController::ReplicaSetController(Store& store, const WorkloadKnobs& knobs)
    : store_(store),
      sets_(store.timeline(), {.latency = knobs.watch},
            [this](const Key& key, const WorkLoop::Done& done) {
              Work(key);
              done(After::kNothing);
            }),
      pods_(store, kPods, [this](const std::string& owner) {
        if (const auto set = keys_.find(owner); set != keys_.end()) sets_.Add(set->second);
      }) {
  store_.On(kSets, [this](const Change& change) {
    if (!change.now) {
      keys_.erase(UidOf(*change.before));
      return;
    }
    keys_[UidOf(*change.now)] = KeyOf(*change.now);
    sets_.Add(KeyOf(*change.now));
  });
}

void ReplicaSetController::Work(const Key& key) {
  const StoredObject set = store_.Find(kSets, key);
  if (!set || IsTerminating(*set)) return;
  const std::int64_t wanted = Int(*set, {"spec", "replicas"}, 1);
  const std::int64_t there = CountPods(pods_.Of(UidOf(*set))).all;
  if (there < wanted) AddPods(*set, wanted - there);
  if (there > wanted) RemovePods(*set, there - wanted);
  WriteStatus(key);
}

void ReplicaSetController::AddPods(const json::object& set, std::int64_t count) {
  const std::string name(Text(set, {"metadata", "name"}));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string suffix = ShortHash(HashOfText(fmt::format("{}/{}", UidOf(set), ++last_pod_)));
    store_.Create(kPods, MakePod(set, TemplateOf(set), name + "-" + suffix.substr(0, 5)));
  }
}

// Those that are not ready first, then the newest.
void ReplicaSetController::RemovePods(const json::object& set, std::int64_t count) {
  std::vector<StoredObject> pods = pods_.Of(UidOf(set));
  std::erase_if(pods, [](const auto& pod) { return !IsActive(*pod); });
  std::ranges::sort(pods, [](const auto& a, const auto& b) {
    const bool ready_a = IsPodReady(*a);
    const bool ready_b = IsPodReady(*b);
    const auto made_a = Text(*a, {"metadata", "creationTimestamp"});
    const auto made_b = Text(*b, {"metadata", "creationTimestamp"});
    return std::tuple(ready_a, made_b, KeyOf(*a)) < std::tuple(ready_b, made_a, KeyOf(*b));
  });
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& pod = *pods[static_cast<std::size_t>(i)];
    store_.Delete(kPods, KeyOf(pod), UidOf(pod));
  }
}

void ReplicaSetController::WriteStatus(const Key& key) {
  const StoredObject set = store_.Find(kSets, key);
  const PodCounts counts = CountPods(pods_.Of(UidOf(*set)));
  const json::object status{{"replicas", counts.all},
                            {"fullyLabeledReplicas", counts.all},
                            {"readyReplicas", counts.ready},
                            {"availableReplicas", counts.ready},
                            {"observedGeneration", Int(*set, {"metadata", "generation"})}};
  const auto* before = Map(*set, {"status"});
  if (before != nullptr && *before == status) return;
  store_.Edit(kSets, key, [&](json::object& object) { object["status"] = status; });
}

}  // namespace stillpoint::sim
