#include "sim/run/cuts.h"

#include "sim/cluster/fields.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ranges>

namespace stillpoint::sim::run {

const CutTruth* CutOf(const Evidence& evidence, std::string_view snapshot_uid) {
  std::string_view handle;
  for (const ObjectLife& content : evidence.witness.Of("volumesnapshotcontents")) {
    if (Text(content.last(), {"spec", "volumeSnapshotRef", "uid"}) != snapshot_uid) continue;
    for (const SeenChange& change : content.changes) {  // it goes with the storage's snapshot
      if (!change.now || !handle.empty()) continue;
      handle = Text(*change.now, {"status", "snapshotHandle"});
    }
  }
  if (handle.empty()) return nullptr;
  const auto& cuts = evidence.truth.cuts;
  const auto found = std::ranges::find(cuts, handle, &CutTruth::snapshot_handle);
  return found == cuts.end() ? nullptr : &*found;
}

std::vector<const boost::json::object*> VolumesOf(const boost::json::object& backup) {
  std::vector<const boost::json::object*> volumes;
  const auto* list = List(backup, {"status", "volumes"});
  if (list == nullptr) return volumes;
  for (const auto& volume : *list) {
    if (const auto* object = volume.if_object()) volumes.push_back(object);
  }
  return volumes;
}

std::string_view PhaseOf(const boost::json::object& object) {
  const auto phase = Text(object, {"status", "phase"});
  return phase.empty() ? "Pending" : phase;
}

bool OwesThaw(const boost::json::object& backup) {
  const auto* targets = List(backup, {"status", "freeze", "targets"});
  return targets != nullptr && std::ranges::any_of(*targets, [](const auto& target) {
           const auto state = Text(target.as_object(), {"state"});
           return state == "Intended" || state == "Frozen";
         });
}

bool RemembersThaws(const boost::json::object& backup, api::Time now) {
  constexpr std::chrono::minutes kLongest{2 + 1};  // and what the write takes that ends it
  const auto* finalizers = List(backup, {"metadata", "finalizers"});
  const auto* targets = List(backup, {"status", "freeze", "targets"});
  if (finalizers == nullptr || finalizers->empty() || targets == nullptr) return false;
  return std::ranges::any_of(*targets, [&](const auto& target) {
    const auto thawed = api::ParseTime(Text(target.as_object(), {"thawedAt"}));
    return thawed && now <= *thawed + kLongest && Int(target.as_object(), {"thawAttempts"}) > 1;
  });
}

bool IsFinalPhase(std::string_view phase) {
  constexpr std::array<std::string_view, 5> kFinal{"Completed", "PartiallyFailed", "Failed",
                                                   "Cancelled", "RolledBack"};
  return std::ranges::find(kFinal, phase) != kFinal.end();
}

}  // namespace stillpoint::sim::run
