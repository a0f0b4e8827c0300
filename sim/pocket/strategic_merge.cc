#include "sim/pocket/strategic_merge.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";

// The merge keys of the lists in the kinds that are served.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kMergeKeys{{
    {"containers", "name"},
    {"initContainers", "name"},
    {"ephemeralContainers", "name"},
    {"volumes", "name"},
    {"env", "name"},
    {"imagePullSecrets", "name"},
    {"volumeMounts", "mountPath"},
    {"volumeDevices", "devicePath"},
    {"ports", "containerPort"},
    {"conditions", "type"},
    {"ownerReferences", "uid"},
}};

std::string_view MergeKey(std::string_view list) {
  const auto found =
      std::ranges::find(kMergeKeys, list, &std::pair<std::string_view, std::string_view>::first);
  return found == kMergeKeys.end() ? "" : found->second;
}

std::string_view Directive(const json::value& value) {
  const auto* object = value.if_object();
  const auto* directive = object ? object->if_contains("$patch") : nullptr;
  return directive && directive->is_string() ? std::string_view(directive->get_string()) : "";
}

json::array::iterator FindItem(json::array& list, std::string_view key, const json::value& like) {
  const auto* wanted = like.is_object() ? like.get_object().if_contains(key) : nullptr;
  return std::ranges::find_if(list, [&](const json::value& item) {
    const auto* own = item.is_object() ? item.get_object().if_contains(key) : nullptr;
    return wanted && own && *own == *wanted;
  });
}

void MergeList(std::string_view key, json::array& target, const json::array& patch) {
  for (const json::value& item : patch) {
    if (Directive(item) == "replace") {
      target.clear();
      continue;
    }
    const auto found = FindItem(target, key, item);
    if (Directive(item) == "delete") {
      if (found != target.end()) target.erase(found);
    } else if (found != target.end()) {
      StrategicMerge(*found, item);
    } else {
      StrategicMerge(target.emplace_back(json::object()), item);
    }
  }
}

void RemoveValues(json::object& target, std::string_view list, const json::value& values) {
  auto* found = target.if_contains(list);
  if (!found || !found->is_array() || !values.is_array()) return;
  for (const json::value& value : values.get_array()) {
    auto& items = found->get_array();
    if (const auto it = std::ranges::find(items, value); it != items.end()) items.erase(it);
  }
}

void RetainKeys(json::object& target, const json::value& keys) {
  json::object kept;
  for (const json::value& key : keys.as_array()) {
    if (const auto* value = target.if_contains(key.as_string())) kept[key.as_string()] = *value;
  }
  target = std::move(kept);
}

// finalizers are a set; other lists without a key are replaced.
void MergePlainList(std::string_view name, json::value& target, const json::array& patch) {
  if (name != "finalizers" || !target.is_array()) {
    target = patch;
    return;
  }
  for (const json::value& value : patch) {
    auto& items = target.get_array();
    if (std::ranges::find(items, value) == items.end()) items.push_back(value);
  }
}

void MergeMember(json::object& target, std::string_view name, const json::value& value) {
  if (name.starts_with(kDeleteFromList)) {
    return RemoveValues(target, name.substr(kDeleteFromList.size()), value);
  }
  if (name.starts_with("$")) return;  // $patch, $retainKeys, $setElementOrder
  if (value.is_null() || Directive(value) == "delete") {
    target.erase(name);
    return;
  }
  json::value& member = target[name];
  if (const auto* list = value.if_array()) {
    const auto key = MergeKey(name);
    if (key.empty()) return MergePlainList(name, member, *list);
    if (!member.is_array()) member = json::array();
    return MergeList(key, member.get_array(), *list);
  }
  StrategicMerge(member, value);
}

}  // namespace

void StrategicMerge(json::value& target, const json::value& patch) {
  const auto* from = patch.if_object();
  if (!from) {
    target = patch;
    return;
  }
  if (!target.is_object() || Directive(patch) == "replace") target = json::object();
  json::object& to = target.get_object();
  if (const auto* keys = from->if_contains("$retainKeys")) RetainKeys(to, *keys);
  for (const auto& [name, value] : *from) MergeMember(to, name, value);
}

}  // namespace stillpoint::sim::pocket
