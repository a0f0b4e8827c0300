#include "sim/cluster/owned.h"

#include "sim/cluster/fields.h"

#include <fmt/format.h>

#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;

Owned::Owned(Store& store, const api::Resource& resource,
             std::function<void(const std::string& owner_uid)> on_change)
    : store_(store), resource_(resource) {
  store_.On(resource, [this, on_change = std::move(on_change)](const Change& change) {
    const std::string before = change.before ? ControllerOf(*change.before) : "";
    const std::string now = change.now ? ControllerOf(*change.now) : "";
    if (!before.empty() && before != now) {
      keys_[before].erase(KeyOf(*change.before));
      if (keys_[before].empty()) keys_.erase(before);
      on_change(before);
    }
    if (now.empty()) return;
    keys_[now].insert(KeyOf(*change.now));
    on_change(now);
  });
}

std::vector<StoredObject> Owned::Of(const std::string& owner_uid) const {
  std::vector<StoredObject> objects;
  const auto keys = keys_.find(owner_uid);
  if (keys == keys_.end()) return objects;
  for (const auto& key : keys->second) {
    if (auto object = store_.Find(resource_, key)) objects.push_back(std::move(object));
  }
  return objects;
}

bool IsActive(const json::object& pod) {
  const std::string_view phase = Text(pod, {"status", "phase"});
  return !IsTerminating(pod) && phase != "Succeeded" && phase != "Failed";
}

bool IsPodReady(const json::object& pod) {
  return ConditionStatus(pod, "Ready") == "True";
}

json::object MakePod(const json::object& owner, const json::object& pod_template,
                     const std::string& name) {
  json::object pod;
  json::object metadata{{"name", name}, {"namespace", Text(owner, {"metadata", "namespace"})}};
  for (const char* member : {"labels", "annotations"}) {
    if (const auto* map = Map(pod_template, {"metadata", member})) metadata[member] = *map;
  }
  metadata["ownerReferences"] = json::array{ControllerReference(owner)};
  pod["metadata"] = std::move(metadata);
  json::object spec;
  if (const auto* given = Map(pod_template, {"spec"})) spec = *given;
  if (!spec.contains("restartPolicy")) spec["restartPolicy"] = "Always";
  if (!spec.contains("terminationGracePeriodSeconds")) spec["terminationGracePeriodSeconds"] = 30;
  pod["spec"] = std::move(spec);
  pod["status"] = {{"phase", "Pending"}};
  return pod;
}

std::string NameOfPod(const json::object& owner, std::uint64_t number) {
  const std::string suffix = ShortHash(HashOfText(fmt::format("{}/{}", UidOf(owner), number)));
  return fmt::format("{}-{}", Text(owner, {"metadata", "name"}), suffix.substr(0, 5));
}

json::object TemplateOf(const json::object& owner) {
  const auto* found = Map(owner, {"spec", "template"});
  return found != nullptr ? *found : json::object();
}

std::string TemplateHash(const json::object& owner) {
  const auto* found = Map(owner, {"spec", "template"});
  return ShortHash(found != nullptr ? HashOf(*found) : 0);
}

PodCounts CountPods(const std::vector<StoredObject>& pods) {
  PodCounts counts;
  for (const auto& pod : pods) {
    if (!IsActive(*pod)) continue;
    ++counts.all;
    if (IsPodReady(*pod)) ++counts.ready;
  }
  return counts;
}

}  // namespace stillpoint::sim
