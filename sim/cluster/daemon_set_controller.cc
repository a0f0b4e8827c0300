#include "sim/cluster/daemon_set_controller.h"

#include "api/apps.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using Key = api::NamespacedName;

namespace {
constexpr auto& kSets = api::DaemonSet::kResource;
constexpr auto& kPods = api::Pod::kResource;
constexpr char kHash[] = "controller-revision-hash";
}  // namespace

DaemonSetController::DaemonSetController(Store& store, const WorkloadKnobs& knobs, std::string node)
    : store_(store),
      node_(std::move(node)),
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

void DaemonSetController::Work(const Key& key) {
  const StoredObject set = store_.Find(kSets, key);
  if (!set || IsTerminating(*set)) return;
  json::object pod_template = TemplateOf(*set);
  const std::string hash = TemplateHash(*set);
  const bool wanted = IsWanted(*set);
  const bool rolls = Text(*set, {"spec", "updateStrategy", "type"}) != "OnDelete";
  const auto pods = pods_.Of(UidOf(*set));
  for (const auto& pod : pods) {
    const bool old = Text(*pod, {"metadata", "labels", kHash}) != hash;
    const bool stays = wanted && IsActive(*pod) && !(old && rolls);
    if (!stays && !IsTerminating(*pod)) store_.Delete(kPods, KeyOf(*pod), UidOf(*pod));
  }
  if (wanted && pods.empty()) {  // never two at once, terminating ones included
    Into(pod_template, {"metadata", "labels"})[kHash] = hash;
    const std::string suffix =
        ShortHash(HashOfText(fmt::format("{}/{}", UidOf(*set), ++last_pod_)));
    store_.Create(kPods, MakePod(*set, pod_template, key.name + "-" + suffix.substr(0, 5)));
  }
  WriteStatus(key, wanted);
}

void DaemonSetController::WriteStatus(const Key& key, bool wanted) {
  const StoredObject set = store_.Find(kSets, key);
  const std::string hash = TemplateHash(*set);
  const auto pods = pods_.Of(UidOf(*set));
  const PodCounts counts = CountPods(pods);
  const auto updated = std::ranges::count_if(pods, [&](const auto& pod) {
    return IsActive(*pod) && Text(*pod, {"metadata", "labels", kHash}) == hash;
  });
  const std::int64_t desired = wanted ? 1 : 0;
  const json::object status{{"observedGeneration", Int(*set, {"metadata", "generation"})},
                            {"desiredNumberScheduled", desired},
                            {"currentNumberScheduled", counts.all},
                            {"updatedNumberScheduled", updated},
                            {"numberReady", counts.ready},
                            {"numberAvailable", counts.ready},
                            {"numberUnavailable", desired - std::min(desired, counts.ready)},
                            {"numberMisscheduled", 0}};
  const auto* before = Map(*set, {"status"});
  if (before != nullptr && *before == status) return;
  store_.Edit(kSets, key, [&](json::object& object) { object["status"] = status; });
}

}  // namespace stillpoint::sim
