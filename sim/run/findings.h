// Findings: what a person is shown of a run that went wrong, made small, and the runs that are
// kept.
#pragma once

#include "sim/run/report.h"
#include "sim/run/scenario.h"

#include <cstdint>
#include <string>

namespace stillpoint::sim::run {

// As RunScenario and Violates(), in a process of its own where the run may end it.
[[nodiscard]] bool FailsThere(const Scenario& scenario, Invariant invariant);

// The smallest scenario that violates the same invariant, as text, with what it violates in front.
[[nodiscard]] std::string Explain(const Scenario& scenario, Invariant invariant);

// Runs the scenario in this file and prints what came of it; with `trace` every event. True: it
// violates nothing.
[[nodiscard]] bool Replay(const std::string& file, bool trace);

struct CorpusResult {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::uint64_t stale = 0;  // has a fault that no longer strikes
};

// Runs every *.run in this folder.
[[nodiscard]] CorpusResult ReplayCorpus(const std::string& folder);

}  // namespace stillpoint::sim::run
