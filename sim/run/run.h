// A run: a scenario carried out, from the first object to the verdict of the oracles.
//
//   install     the applications come up, before any fault
//   chaos       operations and faults, as the scenario has them
//   settle      no new faults; what passes is over; until everything has come to its end
//   quiet       some time in which nothing may be written any more
#pragma once

#include "sim/run/report.h"
#include "sim/run/scenario.h"
#include "sim/world/point.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace stillpoint::sim::run {

// Gets each event of a run with the hash of all events so far.
using Follow = std::function<void(const std::string& line, std::uint64_t hash)>;

struct RunOptions {
  bool moments = false;  // keep those at which a fault could strike: in the chaos
  bool logs = false;     // give `follow` what the controllers log, too
  Follow follow;         // may be empty: a line of text for each event is slow
};

struct RunOutcome {
  std::vector<Violation> violations;
  InvariantCounts tested{};
  std::chrono::milliseconds least_slack{};
  std::chrono::milliseconds virtual_time{};
  std::uint64_t backups = 0;  // that came to an end
  std::uint64_t restores = 0;
  std::uint64_t events = 0;
  std::uint64_t hash = 0;
  std::vector<Moment> moments;
  std::vector<std::uint64_t> struck;            // by each fault of the scenario
  std::map<std::string, std::uint64_t> ends;    // how many backups and restores ended how
  std::map<std::string, std::uint64_t> counts;  // of what must not be done more often than needed
};

// Deterministic: the same scenario gives the same outcome, whatever ran before in this process.
// Threads: one at a time.
[[nodiscard]] RunOutcome RunScenario(const Scenario& scenario, const RunOptions& options = {});

}  // namespace stillpoint::sim::run
