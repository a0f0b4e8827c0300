#include "sim/cluster/claim_users.h"

#include "api/core.h"
#include "sim/cluster/fields.h"

#include <fmt/format.h>

namespace stillpoint::sim {

std::vector<ClaimMount> ClaimMounts(const boost::json::object& pod) {
  std::vector<ClaimMount> mounts;
  const auto* volumes = List(pod, {"spec", "volumes"});
  if (volumes == nullptr) return mounts;
  for (const auto& item : *volumes) {
    const auto* volume = item.if_object();
    if (volume == nullptr) continue;
    const std::string name(Text(*volume, {"name"}));
    const std::string claim(Text(*volume, {"persistentVolumeClaim", "claimName"}));
    if (!claim.empty()) {
      mounts.push_back({name, claim});
    } else if (volume->contains("ephemeral")) {
      mounts.push_back({name, fmt::format("{}-{}", Text(pod, {"metadata", "name"}), name)});
    }
  }
  return mounts;
}

ClaimUsers::ClaimUsers(Store& store) {
  // A pod's volumes never change.
  store.On(api::Pod::kResource, [this](const Change& change) {
    if (change.before && change.now) return;
    const auto& pod = change.now ? *change.now : *change.before;
    const api::NamespacedName key = KeyOf(pod);
    for (const auto& mount : ClaimMounts(pod)) {
      auto& pods = pods_[{key.ns, mount.claim}];
      if (change.now) {
        pods.insert(key);
      } else {
        pods.erase(key);
      }
    }
  });
}

const std::set<api::NamespacedName>& ClaimUsers::PodsOf(const api::NamespacedName& claim) const {
  static const std::set<api::NamespacedName> kNone;
  const auto found = pods_.find(claim);
  return found == pods_.end() ? kNone : found->second;
}

}  // namespace stillpoint::sim
