// The journal against what really happened: whom it calls thawed, and what it makes of a held hook
// that ended too early.
#include "api/duration.h"
#include "sim/cluster/fields.h"
#include "sim/run/announcement.h"
#include "sim/run/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;

// When the journal first said so of the container; empty: it never did.
std::optional<api::Time> SaidThawedAt(const ObjectLife& backup, const StillTruth& still) {
  for (const SeenChange& change : backup.changes) {
    if (!change.now) continue;
    const auto* target = TargetIn(*change.now, still);
    if (target != nullptr && Text(*target, {"state"}) == "Thawed") return change.at;
  }
  return std::nullopt;
}

const StillTruth* HeldBy(const Evidence& evidence, const CommandTruth& command) {
  const auto& stills = evidence.truth.stills;
  const auto found = std::ranges::find_if(
      stills, [&](const StillTruth& still) { return still.holders.contains(command.id); });
  return found == stills.end() ? nullptr : &*found;
}

// A frame that is lost while its stream stays open is news that never comes.
bool NewsMayBeLost(const Evidence& evidence) {
  return std::ranges::any_of(evidence.scenario.faults, [](const Fault& fault) {
    return (fault.effect == Fault::Effect::kLose && fault.code == api::Code::kTimeout) ||
           fault.for_ever;
  });
}

// By its phase and by its journal. A controller that has just come may know what its journal says
// and not yet all that it needs to go on.
bool StandsStillAt(const ObjectLife& backup, const StillTruth& which, api::Time at) {
  bool still = false;
  for (const SeenChange& change : backup.changes) {
    if (change.at > at) break;
    const auto phase = change.now ? Text(*change.now, {"status", "phase"}) : std::string_view();
    const auto* target = change.now ? TargetIn(*change.now, which) : nullptr;
    const auto state = target != nullptr ? Text(*target, {"state"}) : std::string_view();
    still =
        (phase == "Freezing" || phase == "Cutting") && (state == "Intended" || state == "Frozen");
  }
  return still;
}

// Until when somebody writes the object so often that none of our writes has its version; `at`, if
// nobody does then.
api::Time EndOfStorm(const Evidence& evidence, const ObjectLife& backup, api::Time at) {
  api::Time end = at;
  for (const Operation& operation : evidence.scenario.operations) {
    if (operation.act != Act::kAnnotate || operation.object != backup.name) continue;
    const auto every = api::ParseDuration(Text(operation.fields, {"every"}));
    const api::Time begin = evidence.began + operation.at;
    if (begin > at + 5s) continue;
    end = std::max(end, begin + Int(operation.fields, {"times"}, 1) * every.value_or(0ms));
  }
  return end;
}

void CheckHolder(const Evidence& evidence, const CommandTruth& command, Report& report) {
  if (command.form != CommandTruth::Form::kHeld || !command.ends || command.released) return;
  const StillTruth* still = HeldBy(evidence, command);
  if (still == nullptr) return;
  const Announcement announced = AnnouncementOf(evidence, *still);
  if (announced.backup == nullptr) return;
  report.Tested(Invariant::kHolderLoss);
  const Knobs& knobs = evidence.scenario.knobs;
  const api::Time ended = command.ends->at;
  const api::Time from = EndOfStorm(evidence, *announced.backup, ended);
  const api::Time bound = evidence.DoneBy(from, 5s + 10 * knobs.api_delay + 2 * knobs.watch_delay);
  if (!StandsStillAt(*announced.backup, *still, bound)) return;
  report.Violates(Invariant::kHolderLoss, evidence.Since(ended),
                  fmt::format("the held hook in {}/{} has ended, and backup {} does not notice",
                              still->pod, still->container, announced.backup->name));
}

}  // namespace

void CheckSettled(const Evidence& evidence, Report& report) {
  for (const StillTruth& still : evidence.truth.stills) {
    const Announcement announced = AnnouncementOf(evidence, still);
    if (announced.backup == nullptr || announced.nothing_thaws) continue;
    const auto said = SaidThawedAt(*announced.backup, still);
    if (!said) continue;
    report.Tested(Invariant::kSettled);
    if (*said <= still.starts.at || (still.ends && still.ends->at <= *said)) continue;
    report.Violates(Invariant::kSettled, evidence.Since(*said),
                    fmt::format("backup {} calls {}/{} thawed, and it stands still",
                                announced.backup->name, still.pod, still.container));
  }
}

void CheckHolders(const Evidence& evidence, Report& report) {
  if (NewsMayBeLost(evidence)) return;
  for (const CommandTruth& command : evidence.truth.commands) {
    CheckHolder(evidence, command, report);
  }
}

}  // namespace stillpoint::sim::run
