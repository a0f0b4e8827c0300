#include "sim/cluster/snapshot_claims.h"

#include "api/core.h"
#include "api/snapshot.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/snapshot_source.h"

#include <algorithm>

namespace stillpoint::sim {

namespace json = boost::json;
using api::PersistentVolumeClaim;
using api::VolumeSnapshot;
using Key = api::NamespacedName;

namespace {

// Enters `value` under `key`, or takes it out again.
void Enter(std::map<Key, std::set<Key>>& index, const Key& key, const Key& value, bool there) {
  if (there) {
    index[key].insert(value);
  } else if (const auto at = index.find(key); at != index.end()) {
    at->second.erase(value);
    if (at->second.empty()) index.erase(at);
  }
}

}  // namespace

SnapshotClaims::SnapshotClaims(Store& store) : store_(store) {
  store_.On(VolumeSnapshot::kResource, [this](const Change& change) {
    const json::object& snapshot = change.now ? *change.now : *change.before;
    const bool waits = change.now != nullptr && !Flag(snapshot, {"status", "readyToUse"});
    Enter(unready_of_claim_, SourceClaim(snapshot), KeyOf(snapshot), waits);
  });
  store_.On(PersistentVolumeClaim::kResource, [this](const Change& change) {
    const json::object& claim = change.now ? *change.now : *change.before;
    if (Text(claim, {"spec", "dataSource", "kind"}) != VolumeSnapshot::kResource.kind) return;
    const Key key = KeyOf(claim);
    const Key snapshot{key.ns, std::string(Text(claim, {"spec", "dataSource", "name"}))};
    Enter(claims_of_snapshot_, snapshot, key, change.now != nullptr);
  });
}

bool SnapshotClaims::IsBeingRestored(const json::object& snapshot) const {
  const auto claims = claims_of_snapshot_.find(KeyOf(snapshot));
  if (claims == claims_of_snapshot_.end()) return false;
  for (const Key& key : claims->second) {
    const auto claim = store_.Find(PersistentVolumeClaim::kResource, key);
    if (claim && Text(*claim, {"status", "phase"}) == "Pending") return true;
  }
  return false;
}

bool SnapshotClaims::IsClaimNeeded(const Key& claim, const std::string& but_for) const {
  const auto unready = unready_of_claim_.find(claim);
  return unready != unready_of_claim_.end() &&
         std::ranges::any_of(unready->second,
                             [&](const Key& snapshot) { return snapshot.name != but_for; });
}

}  // namespace stillpoint::sim
