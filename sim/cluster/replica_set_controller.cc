#include "sim/cluster/replica_set_controller.h"

#include "api/apps.h"
#include "sim/cluster/fields.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {
constexpr auto& kSets = api::ReplicaSet::kResource;
constexpr auto& kPods = api::Pod::kResource;
}  // namespace

ReplicaSetController::ReplicaSetController(Store& store, const WorkloadKnobs& knobs)
    : store_(store),
      sets_(store, kSets, knobs, [this](const StoredObject& set) { Work(*set); }),
      pods_(store, kPods, [this](const std::string& owner) { sets_.Add(owner); }) {}

void ReplicaSetController::Work(const json::object& set) {
  const std::int64_t wanted = Int(set, {"spec", "replicas"}, 1);
  const std::int64_t there = CountPods(pods_.Of(UidOf(set))).all;
  if (there < wanted) AddPods(set, wanted - there);
  if (there > wanted) RemovePods(set, there - wanted);
  WriteStatus(set);
}

void ReplicaSetController::AddPods(const json::object& set, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    store_.Create(kPods, MakePod(set, TemplateOf(set), NameOfPod(set, ++last_pod_)));
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

void ReplicaSetController::WriteStatus(const json::object& set) {
  const PodCounts counts = CountPods(pods_.Of(UidOf(set)));
  const json::object status{{"replicas", counts.all},
                            {"fullyLabeledReplicas", counts.all},
                            {"readyReplicas", counts.ready},
                            {"availableReplicas", counts.ready},
                            {"observedGeneration", Int(set, {"metadata", "generation"})}};
  sets_.WriteStatus(set, status);
}

}  // namespace stillpoint::sim
