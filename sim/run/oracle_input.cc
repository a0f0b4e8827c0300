// I8: bad input gets a condition and an Event on the object that carries it, naming what is wrong.
#include "sim/cluster/fields.h"
#include "sim/run/cuts.h"
#include "sim/run/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;

// What a person wrote that names nothing; empty: all is there.
std::string_view BadWord(const Evidence& evidence, const json::object& backup) {
  const auto reference = Text(backup, {"spec", "applicationRef"});
  const auto slash = reference.find('/');
  if (slash == std::string_view::npos) return {};
  const auto name = reference.substr(slash + 1);
  if (evidence.FindApplication(name) == nullptr) return name;
  const auto class_name = Text(backup, {"spec", "volumeSnapshotClassName"});
  if (class_name == "absent") return class_name;
  return {};
}

bool HasWarning(const Evidence& evidence, std::string_view uid, std::string_view word) {
  return std::ranges::any_of(evidence.witness.Of("events"), [&](const ObjectLife& event) {
    return Text(event.last(), {"regarding", "uid"}) == uid &&
           Text(event.last(), {"type"}) == "Warning" &&
           Text(event.last(), {"note"}).find(word) != std::string_view::npos;
  });
}

bool HasCondition(const json::object& backup, std::string_view word) {
  const auto* conditions = List(backup, {"status", "conditions"});
  return conditions != nullptr && std::ranges::any_of(*conditions, [&](const json::value& value) {
           const json::object& condition = value.as_object();
           return Text(condition, {"status"}) != "Unknown" &&
                  Text(condition, {"message"}).find(word) != std::string_view::npos;
         });
}

}  // namespace

void CheckBadInputIsTold(const Evidence& evidence, Report& report) {
  for (const ObjectLife& backup : evidence.witness.Of("volumebackups")) {
    const auto word = BadWord(evidence, backup.first());
    if (word.empty() || PhaseOf(backup.last()) != "Failed") continue;
    // A fault that refuses the look itself: nobody knows what is missing.
    if (Text(backup.last(), {"status", "reason"}) == "Forbidden") continue;
    // What else was missing came first.
    if (word == "absent" && Text(backup.last(), {"status", "reason"}) != "SnapshotClassMissing") {
      continue;
    }
    report.Tested(Invariant::kI8);
    const bool told = HasCondition(backup.last(), word);
    // A controller that dies takes the Events along that it has not sent.
    const bool announced = evidence.faults_fired || HasWarning(evidence, backup.uid, word);
    if (told && announced) continue;
    report.Violates(Invariant::kI8, evidence.Since(backup.changes.back().at),
                    fmt::format("backup {} failed for \"{}\", and {} names it", backup.name, word,
                                told ? "no Event" : "no condition"));
  }
}

}  // namespace stillpoint::sim::run
