// What a campaign runs: a numbered list of scenarios, each found again by its number.
#pragma once

#include "sim/run/campaign.h"
#include "sim/run/run.h"
#include "sim/run/scenario.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::sim::run {

// Deterministic. Threads: one.
class Job {
 public:
  virtual ~Job() = default;

  [[nodiscard]] virtual std::uint64_t runs() const = 0;
  // So many neighbours are cheaper in one process.
  [[nodiscard]] virtual std::uint64_t block() const { return 1; }
  [[nodiscard]] virtual RunSummary Run(std::uint64_t n) const = 0;

  // The first scenario of number `n` that violates this invariant. Empty: none does.
  [[nodiscard]] virtual std::optional<Scenario> Failing(std::uint64_t n,
                                                        Invariant invariant) const = 0;
};

[[nodiscard]] RunSummary Summarize(const RunOutcome& outcome);
[[nodiscard]] bool Violates(const RunOutcome& outcome, Invariant invariant);

// Seeds from `first` on. One in `check_every` is run twice; 0: none.
[[nodiscard]] std::unique_ptr<Job> MakeSeeds(std::uint64_t first, std::uint64_t count,
                                             std::uint64_t check_every);

// Every single kill and every single lost answer in each of the small scenarios. `scenario`: only
// this one; empty: all.
[[nodiscard]] std::unique_ptr<Job> MakeSingles(const std::string& scenario);

// After every single kill, every single kill of what comes after it. `one_in`: only so many of the
// second ones.
[[nodiscard]] std::unique_ptr<Job> MakePairs(const std::string& scenario, std::uint64_t one_in);

}  // namespace stillpoint::sim::run
