// Owned: the objects of one kind by the controller that owns them, and what workloads do with the
// pods that are theirs.
#pragma once

#include "api/meta.h"
#include "sim/cluster/store.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace stillpoint::sim {

class Owned {
 public:
  // Of `resource`. `on_change` gets the UID of the owner of an object that changes.
  Owned(Store& store, const api::Resource& resource,
        std::function<void(const std::string& owner_uid)> on_change);

  [[nodiscard]] std::vector<StoredObject> Of(const std::string& owner_uid) const;

 private:
  Store& store_;
  const api::Resource resource_;
  std::map<std::string, std::set<api::NamespacedName>> keys_;
};

// Counts for it: neither terminating nor ended.
[[nodiscard]] bool IsActive(const boost::json::object& pod);
[[nodiscard]] bool IsPodReady(const boost::json::object& pod);

// A pod called `name` from `owner`'s spec.template, or from `pod_template` where that is another.
[[nodiscard]] boost::json::object MakePod(const boost::json::object& owner,
                                          const boost::json::object& pod_template,
                                          const std::string& name);

// `<owner>-<five characters>`: another name for each number.
[[nodiscard]] std::string NameOfPod(const boost::json::object& owner, std::uint64_t number);

// spec.template; empty when there is none.
[[nodiscard]] boost::json::object TemplateOf(const boost::json::object& owner);
// Stands for the template of its pods in names and labels.
[[nodiscard]] std::string TemplateHash(const boost::json::object& owner);

struct PodCounts {
  std::int64_t all = 0;  // active ones
  std::int64_t ready = 0;
};
[[nodiscard]] PodCounts CountPods(const std::vector<StoredObject>& pods);

}  // namespace stillpoint::sim
