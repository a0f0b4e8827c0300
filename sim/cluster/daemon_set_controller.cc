#include "sim/cluster/daemon_set_controller.h"

#include "api/apps.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/resources.h"

#include <algorithm>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {
constexpr auto& kSets = api::DaemonSet::kResource;
constexpr auto& kPods = api::Pod::kResource;
constexpr char kHash[] = "controller-revision-hash";
}  // namespace

DaemonSetController::DaemonSetController(Store& store, const WorkloadKnobs& knobs, std::string node)
    : store_(store),
      node_(std::move(node)),
      sets_(store, kSets, knobs, [this](const StoredObject& set) { Work(*set); }),
      pods_(store, kPods, [this](const std::string& owner) { sets_.Add(owner); }) {}

bool DaemonSetController::IsWanted(const json::object& set) const {
  const auto node = store_.Find(kNodes, {"", node_});
  if (!node) return false;
  const auto* selector = Map(set, {"spec", "template", "spec", "nodeSelector"});
  if (selector == nullptr) return true;
  return std::ranges::all_of(*selector, [&](const auto& wish) {
    const std::string_view has = Text(*node, {"metadata", "labels", wish.key()});
    return wish.value().is_string() && has == std::string_view(wish.value().get_string());
  });
}

void DaemonSetController::Work(const json::object& set) {
  json::object pod_template = TemplateOf(set);
  const std::string hash = TemplateHash(set);
  const bool wanted = IsWanted(set);
  const bool rolls = Text(set, {"spec", "updateStrategy", "type"}) != "OnDelete";
  const auto pods = pods_.Of(UidOf(set));
  for (const auto& pod : pods) {
    const bool old = Text(*pod, {"metadata", "labels", kHash}) != hash;
    const bool stays = wanted && IsActive(*pod) && !(old && rolls);
    if (!stays && !IsTerminating(*pod)) store_.Delete(kPods, KeyOf(*pod), UidOf(*pod));
  }
  if (wanted && pods.empty()) {  // never two at once, terminating ones included
    Into(pod_template, {"metadata", "labels"})[kHash] = hash;
    store_.Create(kPods, MakePod(set, pod_template, NameOfPod(set, ++last_pod_)));
  }
  WriteStatus(set, wanted);
}

void DaemonSetController::WriteStatus(const json::object& set, bool wanted) {
  const std::string hash = TemplateHash(set);
  const auto pods = pods_.Of(UidOf(set));
  const PodCounts counts = CountPods(pods);
  const auto updated = std::ranges::count_if(pods, [&](const auto& pod) {
    return IsActive(*pod) && Text(*pod, {"metadata", "labels", kHash}) == hash;
  });
  const std::int64_t desired = wanted ? 1 : 0;
  const json::object status{{"observedGeneration", Int(set, {"metadata", "generation"})},
                            {"desiredNumberScheduled", desired},
                            {"currentNumberScheduled", counts.all},
                            {"updatedNumberScheduled", updated},
                            {"numberReady", counts.ready},
                            {"numberAvailable", counts.ready},
                            {"numberUnavailable", desired - std::min(desired, counts.ready)},
                            {"numberMisscheduled", 0}};
  sets_.WriteStatus(set, status);
}

}  // namespace stillpoint::sim
