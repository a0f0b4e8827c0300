// I7: when the trouble is over, everything comes to its end and stays there; and then nothing
// writes any more.
#include "sim/cluster/fields.h"
#include "sim/run/cuts.h"
#include "sim/run/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace stillpoint::sim::run {
namespace {

constexpr std::array<std::string_view, 2> kOurKinds{"volumebackups", "volumerestores"};

// Its finalizer stands until the thaw is confirmed or the pod is gone, and neither comes while the
// node is out of reach for good.
bool WaitsForLostNode(const Evidence& evidence, const boost::json::object& backup) {
  return OwesThaw(backup) && std::ranges::any_of(evidence.outages, [&](const Period& outage) {
           return outage.from <= evidence.chaos_ended && outage.to > evidence.quiet_ended;
         });
}

// Who comes second waits for the first, and the first for a node that never comes back.
bool WaitsBehindLostNode(const Evidence& evidence, const ObjectLife& object) {
  return PhaseOf(object.last()) == "Pending" &&
         std::ranges::any_of(evidence.witness.Of("volumebackups"), [&](const ObjectLife& other) {
           return &other != &object && !other.gone() && WaitsForLostNode(evidence, other.last());
         });
}

void CheckEnd(const Evidence& evidence, const ObjectLife& object, Report& report) {
  report.Tested(Invariant::kI7);
  if (object.gone()) return;
  const auto complain = [&](std::string_view what) {
    report.Violates(Invariant::kI7, evidence.Since(evidence.ended),
                    fmt::format("{} {} {}", Text(object.last(), {"kind"}), object.name, what));
  };
  if (IsTerminating(object.last())) {
    if (!WaitsForLostNode(evidence, object.last())) complain("was deleted and cannot go");
    return;
  }
  const auto phase = PhaseOf(object.last());
  if (!IsFinalPhase(phase) && !WaitsBehindLostNode(evidence, object)) {
    complain(
        fmt::format("came to no end: {} {}", phase, Text(object.last(), {"status", "reason"})));
  }
}

// What expires is deleted when its time has come, and that may be then.
bool Expires(const ObjectLife& object) {
  return !Text(object.last(), {"spec", "ttl"}).empty();
}

bool OwedThawAt(const ObjectLife& object, api::Time at) {
  bool owed = false;
  for (const SeenChange& change : object.changes) {
    if (change.at > at) break;
    owed = change.now && OwesThaw(*change.now);
  }
  return owed;
}

// What has ended is not begun again, and not called otherwise.
void CheckFinal(const Evidence& evidence, const ObjectLife& object, Report& report) {
  for (const SeenChange& change : object.changes) {
    if (!change.before || !change.now || !IsFinalPhase(PhaseOf(*change.before))) continue;
    report.Tested(Invariant::kI7);
    if (PhaseOf(*change.now) == PhaseOf(*change.before)) continue;
    report.Violates(Invariant::kI7, evidence.Since(change.at),
                    fmt::format("{} {} was {} and became {}", Text(object.last(), {"kind"}),
                                object.name, PhaseOf(*change.before), PhaseOf(*change.now)));
  }
}

void CheckQuiet(const Evidence& evidence, const ObjectLife& object, Report& report) {
  report.Tested(Invariant::kQuiet);
  const SeenChange& last = object.changes.back();
  if (last.at <= evidence.ended || Expires(object)) return;
  // A pod that nobody reaches is thawed again and again, which goes on record.
  if (OwedThawAt(object, evidence.ended)) return;
  report.Violates(Invariant::kQuiet, evidence.Since(last.at),
                  fmt::format("{} {} was written when all was done", Text(object.last(), {"kind"}),
                              object.name));
}

}  // namespace

void CheckEveryEnd(const Evidence& evidence, Report& report) {
  for (const std::string_view kind : kOurKinds) {
    for (const ObjectLife& object : evidence.witness.Of(kind)) {
      CheckEnd(evidence, object, report);
      CheckFinal(evidence, object, report);
      CheckQuiet(evidence, object, report);
    }
  }
}

}  // namespace stillpoint::sim::run
