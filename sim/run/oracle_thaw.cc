// I1: no application stands still beyond its maxFreeze, whatever dies.
#include "api/duration.h"
#include "sim/cluster/fields.h"
#include "sim/run/announcement.h"
#include "sim/run/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

bool IsLostIn(const ObjectLife& backup, const StillTruth& still) {
  const auto* target = TargetIn(backup.last(), still);
  return target != nullptr && Text(*target, {"state"}) == "Lost";
}

// A command that nothing guards may freeze whenever it likes, after other backups too; the journal
// must say that a person has to look.
bool GivenUpAsLost(const Evidence& evidence, const Announcement& announced,
                   const StillTruth& still) {
  if (IsLostIn(*announced.backup, still)) return true;
  const bool unguarded = std::ranges::all_of(still.frozen_by, [&](std::uint64_t id) {
    return evidence.truth.commands[id - 1].form == CommandTruth::Form::kPlain;
  });
  if (!unguarded || still.frozen_by.empty()) return false;
  return std::ranges::any_of(evidence.witness.Of("volumebackups"),
                             [&](const ObjectLife& other) { return IsLostIn(other, still); });
}

// What a held hook needs to end: its grace, then SIGTERM and SIGKILL.
constexpr auto kEndOfHold = 6s;

// What a thaw that is tried at once and again may take on this cluster.
milliseconds SlackOf(const Evidence& evidence) {
  const Knobs& knobs = evidence.scenario.knobs;
  return 4s + 10 * knobs.api_delay + 2 * knobs.watch_delay;
}

bool NamesPod(const json::object& backup, const CommandTruth& command, std::string_view member,
              const std::string& value) {
  const auto* targets = List(backup, {"status", "freeze", "targets"});
  return targets != nullptr && std::ranges::any_of(*targets, [&](const json::value& target) {
           const auto* entry = target.if_object();
           return entry != nullptr && Text(*entry, {member}) == value &&
                  Text(*entry, {"container"}) == command.container;
         });
}

// Whether a journal named this pod before, by its UID or by its name alone.
bool WasJournalled(const Evidence& evidence, const CommandTruth& command, std::string_view member,
                   const std::string& value) {
  return std::ranges::any_of(evidence.witness.Of("volumebackups"), [&](const ObjectLife& backup) {
    return std::ranges::any_of(backup.changes, [&](const SeenChange& change) {
      return change.now && change.at <= command.starts.at &&
             NamesPod(*change.now, command, member, value);
    });
  });
}

// A known limit (docs/design.md): nothing runs an argv in an image without a shell that could wait
// for the word to begin, and an exec names no UID. One that lay in the network until another pod
// had the name runs there.
bool IsLateArgv(const Evidence& evidence, const CommandTruth& command) {
  return command.form == CommandTruth::Form::kPlain &&
         WasJournalled(evidence, command, "pod", command.pod);
}

bool OnlyByLateArgv(const Evidence& evidence, const StillTruth& still) {
  return still.holders.empty() && !still.frozen_by.empty() &&
         std::ranges::all_of(still.frozen_by, [&](std::uint64_t id) {
           return IsLateArgv(evidence, evidence.truth.commands[id - 1]);
         });
}

// A hook runs in the pod that was journalled, never in a namesake.
void CheckCommand(const Evidence& evidence, const CommandTruth& command, Report& report) {
  if (!command.begins) return;
  report.Tested(Invariant::kI1);
  if (WasJournalled(evidence, command, "podUID", command.pod_uid)) return;
  if (IsLateArgv(evidence, command)) return;
  report.Violates(Invariant::kI1, evidence.Since(command.begins->at),
                  fmt::format("a hook ran in {}/{}, and its UID stood in no journal", command.pod,
                              command.container));
}

void CheckStill(const Evidence& evidence, const StillTruth& still, Report& report) {
  const api::Time end = still.ends ? still.ends->at : evidence.quiet_ended;
  const Announcement announced = AnnouncementOf(evidence, still);
  report.Tested(Invariant::kI1);
  if (announced.backup == nullptr) {
    if (OnlyByLateArgv(evidence, still)) return;
    report.Violates(
        Invariant::kI1, evidence.Since(still.starts.at),
        fmt::format("{}/{} was frozen and stands in no journal", still.pod, still.container));
    return;
  }
  if (announced.nothing_thaws) return;
  const auto stood = std::chrono::ceil<milliseconds>(end - still.starts.at);
  // A thaw needs no news, so that a watch that lags is no excuse. What is only held lets go by
  // itself, whoever is out of reach, and for however long.
  const bool held = still.frozen_by.empty();
  const auto allowed =
      announced.max_freeze + (held ? 0s : evidence.Excused(still.starts.at, end, false));
  const auto bound = allowed + (held ? kEndOfHold : SlackOf(evidence));
  if (stood > bound && GivenUpAsLost(evidence, announced, still)) return;
  report.Slack(allowed - stood);
  if (stood <= bound) return;
  report.Violates(
      Invariant::kI1, evidence.Since(still.starts.at),
      fmt::format("{}/{} stood still for {}{}, by backup {} with maxFreeze {}", still.pod,
                  still.container, api::FormatDuration(stood), still.ends ? "" : " and still does",
                  announced.backup->name, api::FormatDuration(announced.max_freeze)));
}

}  // namespace

void CheckThawedInTime(const Evidence& evidence, Report& report) {
  for (const StillTruth& still : evidence.truth.stills) CheckStill(evidence, still, report);
  for (const CommandTruth& command : evidence.truth.commands) {
    CheckCommand(evidence, command, report);
  }
}

}  // namespace stillpoint::sim::run
