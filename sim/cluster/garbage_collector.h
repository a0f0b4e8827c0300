// GarbageCollector: deletes what belongs to owners that are gone, in the background, and what is
// left in a namespace that was deleted. Contract: k8s.io/kubernetes/pkg/controller/
// garbagecollector. Not modelled: foreground and orphaning deletion.
#pragma once

#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <compare>
#include <map>
#include <set>
#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`.
class GarbageCollector {
 public:
  GarbageCollector(Store& store, std::chrono::milliseconds delay);

 private:
  struct Kind {
    std::string group;
    std::string version;
    std::string kind;
    std::string plural;
    bool namespaced = true;
    auto operator<=>(const Kind&) const = default;
  };
  struct Place {
    Kind kind;
    api::NamespacedName key;
    auto operator<=>(const Place&) const = default;
  };

  void See(const api::Resource& resource, const Change& change);
  void Track(const Place& place, const boost::json::object& object, bool there);
  void CollectDependents(const std::string& owner_uid);
  void CollectIfOrphan(const Place& place);
  void EmptyNamespace(const std::string& ns);

  Store& store_;
  const std::chrono::milliseconds delay_;
  std::set<std::string> live_;                         // UIDs
  std::map<std::string, std::set<Place>> dependents_;  // by UID of the owner
  std::map<std::string, std::set<Place>> contents_;    // by namespace
};

}  // namespace stillpoint::sim
