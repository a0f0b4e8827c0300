#include "sim/cluster/objects.h"

#include "api/time.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

// What the cluster itself does to Objects; what clients do is in client_writes.cc.
namespace stillpoint::sim {

namespace json = boost::json;
using kube::Request;

// ---- tables -----------------------------------------------------------------------------------

Table& Objects::TableOf(const api::Resource& resource) {
  if (const auto found = tables_.find(resource); found != tables_.end()) return found->second;
  return tables_.try_emplace({std::string(resource.plural), std::string(resource.group)}, resource)
      .first->second;
}

const Table* Objects::FindTable(const api::Resource& resource) const {
  const auto found = tables_.find(resource);
  return found == tables_.end() ? nullptr : &found->second;
}

const Entry* Objects::Find(const api::Resource& resource, const api::NamespacedName& key) const {
  const Table* table = FindTable(resource);
  if (!table) return nullptr;
  const auto entry = table->entries.find(key);
  return entry == table->entries.end() ? nullptr : &entry->second;
}

StoredObject Objects::Peek(const api::Resource& resource, const api::NamespacedName& key) const {
  const Entry* entry = Find(resource, key);
  return entry ? entry->object : nullptr;
}

std::vector<StoredObject> Objects::List(const api::Resource& resource,
                                        const Selector& selector) const {
  std::vector<StoredObject> list;
  const Table* table = FindTable(resource);
  if (!table) return list;
  auto at = table->entries.lower_bound({selector.ns(), ""});
  for (; at != table->entries.end(); ++at) {
    if (!selector.ns().empty() && at->first.ns != selector.ns()) break;
    if (selector.Matches(*at->second.object)) list.push_back(at->second.object);
  }
  return list;
}

void Objects::ForEach(const api::Resource& resource,
                      const std::function<void(const json::object&)>& visit) const {
  const Table* table = FindTable(resource);
  if (!table) return;
  for (const auto& [key, entry] : table->entries) visit(*entry.object);
}

api::Result<StoredObject> Objects::Get(const Request& request) const {
  const auto* entry = Find(request.resource, KeyOf(request));
  if (!entry) return NotFound(request);
  return entry->object;
}

// ---- writes of the cluster --------------------------------------------------------------------

StoredObject Objects::Put(const api::Resource& resource, json::object object) {
  Table& table = TableOf(resource);
  auto& metadata = MetadataOf(object);
  const api::NamespacedName key{resource.namespaced ? TextOf(metadata, "namespace") : "",
                                TextOf(metadata, "name")};
  const auto found = table.entries.find(key);
  if (found != table.entries.end()) {
    const StoredObject before = found->second.object;
    metadata["uid"] = MetadataOf(*before).at("uid");
    metadata["creationTimestamp"] = MetadataOf(*before).at("creationTimestamp");
    CountGeneration(resource, *before, Compare(*before, object), object);
    return Store(table, key, std::move(object), before);
  }
  Begin(resource, object);
  return Store(table, key, std::move(object), nullptr);
}

void Objects::Begin(const api::Resource& resource, json::object& object) {
  json::object& metadata = MetadataOf(object);
  if (TextOf(metadata, "uid").empty()) {
    metadata["uid"] = fmt::format("00000000-0000-4000-8000-{:012x}", ++last_uid_);
  }
  if (TextOf(metadata, "creationTimestamp").empty()) metadata["creationTimestamp"] = Stamp();
  if (HasGeneration(resource)) metadata["generation"] = 1;
}

bool Objects::Edit(const api::Resource& resource, const api::NamespacedName& key,
                   const std::function<void(json::object&)>& change) {
  Table& table = TableOf(resource);
  const auto found = table.entries.find(key);
  if (found == table.entries.end()) return false;
  const StoredObject before = found->second.object;
  json::object now(*before, memory_);
  change(now);
  const Difference difference = Compare(*before, now);
  if (difference == Difference::kNone) return true;
  if (IsLastWrite(*before, now)) {
    Erase(table, key, std::make_shared<const json::object>(std::move(now)));
    return true;
  }
  CountGeneration(resource, *before, difference, now);
  Store(table, key, std::move(now), before);
  return true;
}

bool Objects::Remove(const api::Resource& resource, const api::NamespacedName& key) {
  const StoredObject object = Peek(resource, key);
  if (object) Erase(TableOf(resource), key, object);
  return object != nullptr;
}

// ---- storage ----------------------------------------------------------------------------------

void Objects::AddBookmark() {
  for (auto& [key, table] : tables_) table.Add({resource_version_, nullptr, nullptr});
}

StoredObject Objects::Store(Table& table, const api::NamespacedName& key, json::object object,
                            StoredObject before) {
  const api::Resource& resource = table.resource();
  MetadataOf(object)["resourceVersion"] = std::to_string(++resource_version_);
  object["kind"] = resource.kind;
  object["apiVersion"] = resource.group.empty()
                             ? std::string(resource.version)
                             : fmt::format("{}/{}", resource.group, resource.version);
  auto stored = std::make_shared<const json::object>(std::move(object), memory_);
  table.entries[key].object = stored;
  Announce(table, {resource_version_, std::move(before), stored});
  return stored;
}

void Objects::Erase(Table& table, const api::NamespacedName& key, StoredObject object) {
  table.entries.erase(key);
  Announce(table, {++resource_version_, std::move(object), nullptr});
}

void Objects::Announce(Table& table, Change change) {
  table.Add(change);
  table.Trim(keep_);
  for (const auto& handler : handlers_) handler(table.resource(), change);
}

std::string Objects::Stamp() const {
  return api::FormatTime(std::chrono::floor<std::chrono::seconds>(now_()));
}

}  // namespace stillpoint::sim
