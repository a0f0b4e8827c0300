// ClaimUsers: which pods mount which claims.
#pragma once

#include "api/meta.h"
#include "sim/cluster/store.h"

#include <boost/json/object.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace stillpoint::sim {

// A volume of a pod that is a claim, by name or as a generic ephemeral volume.
struct ClaimMount {
  std::string volume;
  std::string claim;
};
[[nodiscard]] std::vector<ClaimMount> ClaimMounts(const boost::json::object& pod);

class ClaimUsers {
 public:
  explicit ClaimUsers(Store& store);

  // Keys of pods, terminating and ended ones too.
  [[nodiscard]] const std::set<api::NamespacedName>& PodsOf(const api::NamespacedName& claim) const;

 private:
  std::map<api::NamespacedName, std::set<api::NamespacedName>> pods_;
};

}  // namespace stillpoint::sim
