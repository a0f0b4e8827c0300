// Evidence: all that is known of a run when it is over. Oracles read it and nothing else: what the
// cluster's API was told, change by change, and what really happened, which the product never sees.
// They share no code with the plans that they judge.
#pragma once

#include "api/meta.h"
#include "sim/cluster/objects.h"
#include "sim/cluster/table.h"
#include "sim/cluster/timeline.h"
#include "sim/cluster/truth.h"
#include "sim/run/report.h"
#include "sim/run/scenario.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim::run {

struct SeenChange {
  api::Time at{};
  StoredObject before;  // null: created
  StoredObject now;     // null: deleted
};

// An object under one UID, from its creation to its end.
struct ObjectLife {
  std::string uid;
  std::string name;
  std::vector<SeenChange> changes;  // the last has no `now` if it is gone

  [[nodiscard]] api::Time created() const { return changes.front().at; }
  [[nodiscard]] std::optional<api::Time> gone() const;
  // As it was last seen. The oldest there is, if `at` is before it.
  [[nodiscard]] const boost::json::object& last() const;
  [[nodiscard]] const boost::json::object& first() const { return *changes.front().now; }
};

// Keeps every change of every object. Lifetime: `objects` writes nothing after it is gone.
class Witness {
 public:
  Witness(Objects& objects, const Timeline& timeline);
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // In the order of their creation.
  [[nodiscard]] const std::vector<ObjectLife>& Of(std::string_view plural) const;
  [[nodiscard]] const ObjectLife* Find(std::string_view plural, std::string_view uid) const;

 private:
  struct Kind {
    std::vector<ObjectLife> lives;
    std::map<std::string, std::size_t, std::less<>> by_uid;
  };

  void See(std::string_view plural, const Change& change, api::Time at);

  std::map<std::string, Kind, std::less<>> kinds_;
};

struct Period {
  api::Time from{};
  api::Time to{};
  bool blind = false;  // all can be reached, and watches show nothing
};

struct Evidence {
  const Scenario& scenario;
  const Truth& truth;
  const Witness& witness;
  api::Time began{};        // when the applications ran
  api::Time chaos_ended{};  // when the last operation and the last passing fault were over
  api::Time ended{};        // when all had settled
  api::Time quiet_ended{};  // after the quiet hour
  // In which no living controller could reach both API and pods, or see what has changed.
  std::vector<Period> outages;
  bool faults_fired = false;  // any at all
  bool peaceful = false;      // no faults, and nobody disturbs: everything must succeed

  [[nodiscard]] std::chrono::milliseconds Since(api::Time at) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(at - began);
  }
  // How much of it is in an outage. `blind`: such ones count too.
  [[nodiscard]] std::chrono::milliseconds Excused(api::Time from, api::Time to,
                                                  bool blind = true) const;
  // By when something that takes so long without outages is done, if it begins at `from`.
  [[nodiscard]] api::Time DoneBy(api::Time from, std::chrono::milliseconds length) const;
  // Of the application with this name; null: none.
  [[nodiscard]] const Application* FindApplication(std::string_view name) const;
};

// ---- oracles ----------------------------------------------------------------------------------

void CheckThawedInTime(const Evidence& evidence, Report& report);    // I1
void CheckSettled(const Evidence& evidence, Report& report);         // Settled
void CheckHolders(const Evidence& evidence, Report& report);         // HolderLoss
void CheckVerdict(const Evidence& evidence, Report& report);         // I2, I2Otherwise
void CheckSnapshots(const Evidence& evidence, Report& report);       // I3
void CheckNothingLeft(const Evidence& evidence, Report& report);     // I4
void CheckRestores(const Evidence& evidence, Report& report);        // I5
void CheckEveryEnd(const Evidence& evidence, Report& report);        // I7, Quiet
void CheckBadInputIsTold(const Evidence& evidence, Report& report);  // I8

}  // namespace stillpoint::sim::run
