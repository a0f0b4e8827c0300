// I5: a restore ends with the workload on the restored data, or exactly as it was; and the old data
// is there until the first is true.
#include "sim/cluster/fields.h"
#include "sim/run/cuts.h"
#include "sim/run/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;

struct Exchange {  // of one claim
  std::string claim;
  const VolumeTruth* old_volume = nullptr;  // null: there was none
  const VolumeTruth* new_volume = nullptr;  // null: none was made
  const CutTruth* cut = nullptr;
};

// The volume that was made for the claim with this UID.
const VolumeTruth* VolumeOf(const Evidence& evidence, std::string_view claim_uid) {
  const auto* claim = evidence.witness.Find("persistentvolumeclaims", claim_uid);
  if (claim == nullptr) return nullptr;
  const auto volume_name = Text(claim->last(), {"spec", "volumeName"});
  for (const ObjectLife& volume : evidence.witness.Of("persistentvolumes")) {
    if (volume.name != volume_name || volume_name.empty()) continue;
    const auto handle = Text(volume.last(), {"spec", "csi", "volumeHandle"});
    const auto& volumes = evidence.truth.volumes;
    const auto found = std::ranges::find(volumes, handle, &VolumeTruth::handle);
    if (found != volumes.end()) return &*found;
  }
  return nullptr;
}

std::vector<Exchange> ExchangesOf(const Evidence& evidence, const ObjectLife& restore) {
  std::vector<Exchange> exchanges;
  const auto* claims = List(restore.last(), {"status", "claims"});
  if (claims == nullptr) return exchanges;
  for (const auto& entry : *claims) {
    const json::object& claim = entry.as_object();
    exchanges.push_back({.claim = std::string(Text(claim, {"old"})),
                         .old_volume = VolumeOf(evidence, Text(claim, {"oldUID"})),
                         .new_volume = VolumeOf(evidence, Text(claim, {"newUID"})),
                         .cut = CutOf(evidence, Text(claim, {"snapshotUID"}))});
  }
  return exchanges;
}

std::string_view WorkloadOf(const json::object& restore) {
  const auto target = Text(restore, {"status", "target"});
  const auto slash = target.find('/');
  return slash == std::string_view::npos ? target : target.substr(slash + 1);
}

// Whether people, or another restore, have changed the same thing since: then the end of this one
// cannot be told from the cluster any more.
bool ChangedSince(const Evidence& evidence, const ObjectLife& restore) {
  const auto workload = WorkloadOf(restore.last());
  for (const Operation& operation : evidence.scenario.operations) {
    const bool harmful = operation.act == Act::kDeleteClaim ||
                         operation.act == Act::kDeleteApplication ||
                         operation.act == Act::kCreateApplication || operation.act == Act::kScale;
    if (harmful && operation.object == workload) return true;
  }
  return std::ranges::any_of(evidence.witness.Of("volumerestores"), [&](const ObjectLife& other) {
    return &other != &restore && WorkloadOf(other.last()) == workload &&
           restore.created() <= other.changes.back().at;
  });
}

// The handles that the application's containers have at the end.
std::set<std::string> VolumesInUse(const Evidence& evidence, std::string_view workload) {
  std::set<std::string> handles;
  for (const LifeTruth& life : evidence.truth.lives) {
    if (life.ends) continue;
    const auto* pod = evidence.witness.Find("pods", life.pod_uid);
    if (pod == nullptr || Text(pod->first(), {"metadata", "labels", "app"}) != workload) continue;
    handles.insert(life.volumes.begin(), life.volumes.end());
  }
  return handles;
}

void CheckCompleted(const Evidence& evidence, const ObjectLife& restore, const Exchange& exchange,
                    const std::set<std::string>& in_use, Report& report) {
  const auto complain = [&](std::string_view what) {
    report.Violates(Invariant::kI5, evidence.Since(restore.changes.back().at),
                    fmt::format("restore {} is Completed, and claim {} {}", restore.name,
                                exchange.claim, what));
  };
  const bool claims_only = Text(restore.last(), {"spec", "strategy"}) == "ClaimsOnly";
  if (exchange.new_volume == nullptr) {
    // Where binding waits for a pod, none is made before there is one.
    if (!claims_only) complain("has no new volume");
    return;
  }
  if (exchange.cut == nullptr) return complain("was restored from what was never cut");
  if (exchange.new_volume->restored_from != exchange.cut->snapshot_handle) {
    return complain("has other data than the snapshot's");
  }
  if (claims_only) return;
  if (exchange.old_volume != nullptr && in_use.contains(exchange.old_volume->handle)) {
    complain("still runs on its old volume");
  }
  if (!in_use.empty() && !in_use.contains(exchange.new_volume->handle)) {
    complain("has a new volume that nothing runs on");
  }
}

void CheckUndone(const Evidence& evidence, const ObjectLife& restore, const Exchange& exchange,
                 const std::set<std::string>& in_use, Report& report) {
  const bool on_new =
      exchange.new_volume != nullptr && in_use.contains(exchange.new_volume->handle);
  const bool off_old = !in_use.empty() && exchange.old_volume != nullptr &&
                       !in_use.contains(exchange.old_volume->handle);
  if (!on_new && !off_old) return;
  report.Violates(Invariant::kI5, evidence.Since(restore.changes.back().at),
                  fmt::format("restore {} was rolled back, and claim {} is not on its old volume",
                              restore.name, exchange.claim));
}

// When the restore said that it was Completed.
std::optional<api::Time> CompletedAt(const ObjectLife& restore) {
  for (const SeenChange& change : restore.changes) {
    if (change.now && PhaseOf(*change.now) == "Completed") return change.at;
  }
  return std::nullopt;
}

bool DeletedByPeople(const Evidence& evidence) {
  return std::ranges::any_of(evidence.scenario.operations,
                             [](const auto& o) { return o.act == Act::kDeleteClaim; });
}

// What another restore has made goes when that one is rolled back, whoever found it there
// meanwhile.
bool MadeByAnother(const Evidence& evidence, const ObjectLife& restore, const VolumeTruth* volume) {
  return std::ranges::any_of(evidence.witness.Of("volumerestores"), [&](const ObjectLife& other) {
    if (&other == &restore) return false;
    const auto exchanges = ExchangesOf(evidence, other);
    return std::ranges::find(exchanges, volume, &Exchange::new_volume) != exchanges.end();
  });
}

void CheckOldData(const Evidence& evidence, const ObjectLife& restore, const Exchange& exchange,
                  Report& report) {
  if (exchange.old_volume == nullptr || !exchange.old_volume->gone) return;
  if (DeletedByPeople(evidence) || MadeByAnother(evidence, restore, exchange.old_volume)) return;
  const auto completed = CompletedAt(restore);
  const bool asked = Text(restore.last(), {"spec", "oldClaims"}) == "Delete";
  if (asked && completed && *completed <= exchange.old_volume->gone->at) return;
  const bool later_restore =
      std::ranges::any_of(evidence.witness.Of("volumerestores"), [&](const ObjectLife& other) {
        return &other != &restore && Text(other.last(), {"spec", "oldClaims"}) == "Delete";
      });
  if (later_restore) return;
  report.Violates(Invariant::kI5, evidence.Since(exchange.old_volume->gone->at),
                  fmt::format("the old data of claim {} is gone, and restore {} {}", exchange.claim,
                              restore.name, asked ? "was not Completed" : "was to keep it"));
}

// Protection keeps what is deleted until no pod uses it; then there is no way back any more.
void CheckOldClaim(const Evidence& evidence, const ObjectLife& restore, const json::object& claim,
                   Report& report) {
  const auto* old = evidence.witness.Find("persistentvolumeclaims", Text(claim, {"oldUID"}));
  if (old == nullptr) return;
  const auto completed = CompletedAt(restore);
  for (const SeenChange& change : old->changes) {
    const bool doomed = !change.now || IsTerminating(*change.now);
    if (!doomed || change.at < restore.created() || (completed && *completed <= change.at))
      continue;
    return report.Violates(Invariant::kI5, evidence.Since(change.at),
                           fmt::format("the old claim {} was deleted before restore {} was "
                                       "Completed",
                                       old->name, restore.name));
  }
}

// Replace makes the claim anew, under the old name. Otherwise the old one stays until the end.
void CheckOldClaims(const Evidence& evidence, const ObjectLife& restore, Report& report) {
  const bool replaces = Text(restore.last(), {"spec", "strategy"}) == "Replace";
  const auto restores = evidence.witness.Of("volumerestores").size();
  if (replaces || restores > 1 || DeletedByPeople(evidence)) return;
  const auto* claims = List(restore.last(), {"status", "claims"});
  if (claims == nullptr) return;
  for (const auto& claim : *claims) {
    if (claim.is_object()) CheckOldClaim(evidence, restore, claim.get_object(), report);
  }
}

void CheckRestore(const Evidence& evidence, const ObjectLife& restore, Report& report) {
  const auto phase = PhaseOf(restore.last());
  const auto exchanges = ExchangesOf(evidence, restore);
  const bool known = !ChangedSince(evidence, restore);
  const auto in_use = VolumesInUse(evidence, WorkloadOf(restore.last()));
  const bool to_undo = Text(restore.last(), {"spec", "onFailure"}) != "Leave" &&
                       Text(restore.last(), {"spec", "strategy"}) != "ClaimsOnly";
  for (const Exchange& exchange : exchanges) {
    report.Tested(Invariant::kI5);
    CheckOldData(evidence, restore, exchange, report);
    if (!known) continue;
    if (phase == "Completed") CheckCompleted(evidence, restore, exchange, in_use, report);
    if (phase == "RolledBack" && to_undo) CheckUndone(evidence, restore, exchange, in_use, report);
  }
}

}  // namespace

void CheckRestores(const Evidence& evidence, Report& report) {
  for (const ObjectLife& restore : evidence.witness.Of("volumerestores")) {
    CheckOldClaims(evidence, restore, report);
    CheckRestore(evidence, restore, report);
  }
}

}  // namespace stillpoint::sim::run
