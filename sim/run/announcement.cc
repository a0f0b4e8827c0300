#include "sim/run/announcement.h"

#include "api/duration.h"
#include "sim/cluster/fields.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

milliseconds MaxFreezeOf(const json::object& backup) {
  const auto text = Text(backup, {"spec", "maxFreeze"});
  return api::ParseDuration(text).value_or(30s);
}

std::vector<const json::object*> TargetsIn(const json::object& backup, const StillTruth& still) {
  std::vector<const json::object*> found;
  const auto* targets = List(backup, {"status", "freeze", "targets"});
  if (targets == nullptr) return found;
  for (const json::value& target : *targets) {
    const auto* entry = target.if_object();
    if (entry != nullptr && Text(*entry, {"podUID"}) == still.pod_uid &&
        Text(*entry, {"container"}) == still.container) {
      found.push_back(entry);
    }
  }
  return found;
}

bool NothingThaws(const json::object& target) {
  const auto* post = List(target, {"postCommand"});
  return Text(target, {"mode"}) != "Held" && (post == nullptr || post->empty());
}

bool IsOwed(const json::object& target) {
  const auto state = Text(target, {"state"});
  return state == "Intended" || state == "Frozen";
}

// When the command that froze it began: it may take its time, and another backup come meanwhile.
api::Time CauseOf(const Evidence& evidence, const StillTruth& still) {
  std::optional<api::Time> latest;
  for (const std::uint64_t id : still.frozen_by) {
    const api::Time begun = evidence.truth.commands[id - 1].starts.at;
    if (begun <= still.starts.at) latest = std::max(latest.value_or(begun), begun);
  }
  return latest.value_or(still.starts.at);
}

}  // namespace

const json::object* TargetIn(const json::object& backup, const StillTruth& still) {
  const auto targets = TargetsIn(backup, still);
  if (targets.empty()) return nullptr;
  const auto owed =
      std::ranges::find_if(targets, [](const auto* target) { return IsOwed(*target); });
  if (owed != targets.end()) return *owed;
  // Lost and Gone say more than Thawed: of several hooks in one container, they are the one that
  // may still hold it.
  for (const std::string_view state : {"Lost", "Gone"}) {
    const auto found = std::ranges::find_if(
        targets, [&](const auto* target) { return Text(*target, {"state"}) == state; });
    if (found != targets.end()) return *found;
  }
  return targets.front();
}

Announcement AnnouncementOf(const Evidence& evidence, const StillTruth& still) {
  Announcement found;
  const api::Time cause = CauseOf(evidence, still);
  for (const ObjectLife& backup : evidence.witness.Of("volumebackups")) {
    for (const SeenChange& change : backup.changes) {
      if (!change.now || change.at > cause) continue;
      const auto targets = TargetsIn(*change.now, still);
      if (targets.empty()) continue;
      if (found.backup == nullptr || change.at >= found.at) {
        found = {&backup, MaxFreezeOf(*change.now), change.at,
                 std::ranges::all_of(targets, [](const auto* t) { return NothingThaws(*t); })};
      }
      break;  // the first is when it was announced
    }
  }
  return found;
}

}  // namespace stillpoint::sim::run
