#include "sim/cluster/garbage_collector.h"

#include "api/core.h"
#include "sim/cluster/fields.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {

std::vector<std::string> OwnersOf(const json::object& object) {
  std::vector<std::string> uids;
  const auto* owners = List(object, {"metadata", "ownerReferences"});
  if (owners == nullptr) return uids;
  for (const auto& owner : *owners) {
    if (owner.is_object()) uids.emplace_back(Text(owner.get_object(), {"uid"}));
  }
  return uids;
}

}  // namespace

GarbageCollector::GarbageCollector(Store& store, std::chrono::milliseconds delay)
    : store_(store), delay_(delay) {
  store_.OnAny(
      [this](const api::Resource& resource, const Change& change) { See(resource, change); });
}

void GarbageCollector::See(const api::Resource& resource, const Change& change) {
  if (!change.now && !change.before) return;
  if (change.before && change.now && OwnersOf(*change.before) == OwnersOf(*change.now)) {
    return;
  }
  const json::object& object = change.now ? *change.now : *change.before;
  const Place place{{std::string(resource.group), std::string(resource.version),
                     std::string(resource.kind), std::string(resource.plural), resource.namespaced},
                    KeyOf(object)};
  if (change.before) Track(place, *change.before, false);
  if (change.now) Track(place, *change.now, true);
  const std::string uid = UidOf(object);
  if (!change.now) {
    live_.erase(uid);
    store_.timeline().After(delay_, [this, uid] { CollectDependents(uid); });
    if (resource.plural == api::Namespace::kResource.plural && resource.group.empty()) {
      store_.timeline().After(delay_, [this, ns = place.key.name] { EmptyNamespace(ns); });
    }
    return;
  }
  live_.insert(uid);
  if (OwnersOf(object).empty()) return;
  store_.timeline().After(delay_, [this, place] { CollectIfOrphan(place); });
}

void GarbageCollector::Track(const Place& place, const json::object& object, bool there) {
  const auto set = [&](std::map<std::string, std::set<Place>>& index, const std::string& under) {
    if (there) {
      index[under].insert(place);
    } else if (const auto at = index.find(under); at != index.end()) {
      at->second.erase(place);
      if (at->second.empty()) index.erase(at);
    }
  };
  for (const auto& owner : OwnersOf(object)) set(dependents_, owner);
  if (place.kind.namespaced) set(contents_, place.key.ns);
}

void GarbageCollector::CollectDependents(const std::string& owner_uid) {
  const auto dependents = dependents_.find(owner_uid);
  if (dependents == dependents_.end()) return;
  for (const Place& place : std::vector(dependents->second.begin(), dependents->second.end())) {
    CollectIfOrphan(place);
  }
}

// With owners none of which exists any more it goes; if one does, it loses its references to the
// others.
void GarbageCollector::CollectIfOrphan(const Place& place) {
  const Kind& kind = place.kind;
  const api::Resource resource{kind.group, kind.version, kind.kind, kind.plural, kind.namespaced};
  const auto object = store_.Find(resource, place.key);
  if (!object || IsTerminating(*object)) return;
  const auto owners = OwnersOf(*object);
  const auto live =
      std::ranges::count_if(owners, [this](const auto& uid) { return live_.contains(uid); });
  if (!owners.empty() && live == 0) return store_.Delete(resource, place.key, UidOf(*object));
  if (live == std::ssize(owners)) return;
  store_.Edit(resource, place.key, [this](json::object& owned) {
    json::array kept;
    for (const auto& owner : *List(owned, {"metadata", "ownerReferences"})) {
      const bool there =
          owner.is_object() && live_.contains(std::string(Text(owner.get_object(), {"uid"})));
      if (there) kept.push_back(owner);
    }
    Into(owned, {"metadata"})["ownerReferences"] = std::move(kept);
  });
}

void GarbageCollector::EmptyNamespace(const std::string& ns) {
  const auto contents = contents_.find(ns);
  if (contents == contents_.end()) return;
  for (const Place& place : std::vector(contents->second.begin(), contents->second.end())) {
    const Kind& kind = place.kind;
    const api::Resource resource{kind.group, kind.version, kind.kind, kind.plural, kind.namespaced};
    const auto object = store_.Find(resource, place.key);
    if (object) store_.Delete(resource, place.key, UidOf(*object));
  }
}

}  // namespace stillpoint::sim
