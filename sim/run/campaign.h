// Campaign: many runs on all cores. The workers are processes, so that a run that crashes or hangs
// is one more finding, and no two runs share a heap.
#pragma once

#include "sim/run/report.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace stillpoint::sim::run {

// What a worker says of one run. Plain bytes: it goes through a pipe.
struct RunSummary {
  std::chrono::milliseconds virtual_time{};
  std::uint64_t backups = 0;  // that came to an end
  std::uint64_t restores = 0;
  std::uint64_t events = 0;
  InvariantCounts tested{};
  std::chrono::milliseconds least_slack = std::chrono::milliseconds::max();
  std::optional<Invariant> violated;
};

struct Failure {
  std::uint64_t run = 0;  // its number
  Invariant invariant = Invariant::kCrash;
  std::uint64_t events = 0;
};

struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  std::chrono::milliseconds virtual_time{};
  std::uint64_t backups = 0;
  std::uint64_t restores = 0;
  InvariantCounts tested{};
  std::chrono::milliseconds least_slack = std::chrono::milliseconds::max();
  std::uint64_t tightest_run = 0;  // the one with the least slack
  std::chrono::nanoseconds real_time{};
};

struct CampaignOptions {
  std::uint64_t runs = 0;  // numbers 0 to runs - 1
  std::optional<std::chrono::seconds> time;
  int jobs = 1;
  std::uint64_t block = 1;  // numbers in a row that one worker gets: it may use what it has found
  std::chrono::seconds run_limit{20};  // CPU time; a run that takes longer counts as a crash
  std::uint64_t most_failures = 20;    // then it is enough
};

struct CampaignResult {
  Totals totals;
  std::vector<Failure> failures;  // one for each invariant: that of the shortest run
};

// Runs number `n`. Called in a worker process, any number of times, in any order.
using RunNumber = std::function<RunSummary(std::uint64_t n)>;

// Prints its progress to stderr where that is a terminal.
// REQUIRES: no other thread.
[[nodiscard]] CampaignResult RunCampaign(const RunNumber& run, const CampaignOptions& options);

}  // namespace stillpoint::sim::run
