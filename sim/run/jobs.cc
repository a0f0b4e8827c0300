#include "sim/run/jobs.h"

#include "sim/run/compare.h"
#include "sim/run/place_faults.h"
#include "sim/run/seeds.h"
#include "sim/run/small_scenarios.h"

#include <algorithm>
#include <utility>

namespace stillpoint::sim::run {
namespace {

void Add(RunSummary& sum, const RunSummary& one) {
  sum.virtual_time += one.virtual_time;
  sum.backups += one.backups;
  sum.restores += one.restores;
  sum.events += one.events;
  for (std::size_t i = 0; i < kInvariants; ++i) sum.tested[i] += one.tested[i];
  sum.least_slack = std::min(sum.least_slack, one.least_slack);
  if (!sum.violated) sum.violated = one.violated;
}

class SeedJob final : public Job {
 public:
  SeedJob(std::uint64_t first, std::uint64_t count, std::uint64_t check_every)
      : first_(first), count_(count), check_every_(check_every) {}

  [[nodiscard]] std::uint64_t runs() const override { return count_; }
  [[nodiscard]] std::uint64_t block() const override { return kFamily; }

  [[nodiscard]] RunSummary Run(std::uint64_t n) const override {
    const RunOutcome outcome = seeds_.Run(first_ + n);
    RunSummary summary = Summarize(outcome);
    if (!IsRunTwice(n)) return summary;
    ++summary.tested[static_cast<std::size_t>(Invariant::kRepeatable)];
    const bool same = RunScenario(seeds_.Of(first_ + n)).hash == outcome.hash;
    if (!same && !summary.violated) summary.violated = Invariant::kRepeatable;
    return summary;
  }

  [[nodiscard]] std::optional<Scenario> Failing(std::uint64_t n, Invariant) const override {
    return seeds_.Of(first_ + n);
  }

 private:
  // Not always the same member of a family.
  [[nodiscard]] bool IsRunTwice(std::uint64_t n) const {
    return check_every_ != 0 && n % check_every_ == n / check_every_ % check_every_;
  }

  const std::uint64_t first_;
  const std::uint64_t count_;
  const std::uint64_t check_every_;
  mutable Seeds seeds_;  // remembers, and gives the same with and without
};

struct Single {
  Scenario scenario;
  std::shared_ptr<const RunOutcome> dry;
  bool is_dry = false;  // the small scenario itself
};

// Each of the small scenarios with each of its single faults.
std::vector<Single> Singles(const std::string& name, bool lost_answers) {
  std::vector<Single> singles;
  for (const SmallScenario& small : SmallScenarios()) {
    if (!name.empty() && small.name != name) continue;
    // A second kill in the place of every renewal of a lease would cost more than all the others.
    if (!lost_answers && small.scenario.knobs.processes > 1) continue;
    const auto dry =
        std::make_shared<const RunOutcome>(RunScenario(small.scenario, {.moments = true}));
    std::vector<Fault> faults = EveryKill(dry->moments);
    if (lost_answers) {
      const auto lost = EveryLostAnswer(dry->moments);
      faults.insert(faults.end(), lost.begin(), lost.end());
      const auto streams = EveryLostStream(dry->moments);
      faults.insert(faults.end(), streams.begin(), streams.end());
      if (small.scenario.knobs.processes > 1) {
        const auto pauses = EveryPause(dry->moments);
        faults.insert(faults.end(), pauses.begin(), pauses.end());
      }
      singles.push_back({small.scenario, dry, true});
    }
    for (Fault& fault : faults) {
      singles.push_back({small.scenario, dry});
      singles.back().scenario.faults.push_back(std::move(fault));
    }
  }
  return singles;
}

class SingleFaults final : public Job {
 public:
  explicit SingleFaults(const std::string& name) : singles_(Singles(name, true)) {}

  [[nodiscard]] std::uint64_t runs() const override { return singles_.size(); }
  [[nodiscard]] RunSummary Run(std::uint64_t n) const override {
    const Single& single = singles_[n];
    RunOutcome outcome = RunScenario(single.scenario);
    if (!single.is_dry) CompareWithDry(single.scenario, *single.dry, outcome);
    return Summarize(outcome);
  }
  [[nodiscard]] std::optional<Scenario> Failing(std::uint64_t n, Invariant) const override {
    return singles_[n].scenario;
  }

 private:
  const std::vector<Single> singles_;
};

// A number is a first kill; its run is all the second ones.
class Pairs final : public Job {
 public:
  Pairs(const std::string& name, std::uint64_t one_in)
      : firsts_(Singles(name, false)), one_in_(std::max<std::uint64_t>(one_in, 1)) {}

  [[nodiscard]] std::uint64_t runs() const override { return firsts_.size(); }

  [[nodiscard]] RunSummary Run(std::uint64_t n) const override {
    RunSummary sum;
    for (const Scenario& pair : Of(n)) {
      const RunOutcome outcome = RunScenario(pair);
      Add(sum, Summarize(outcome));
      if (sum.violated) break;
    }
    return sum;
  }

  [[nodiscard]] std::optional<Scenario> Failing(std::uint64_t n,
                                                Invariant invariant) const override {
    for (Scenario& pair : Of(n)) {
      if (Violates(RunScenario(pair), invariant)) return std::move(pair);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::vector<Scenario> Of(std::uint64_t n) const {
    auto moments = RunScenario(firsts_[n].scenario, {.moments = true}).moments;
    std::erase_if(moments, [](const Moment& moment) { return moment.life < 2; });
    std::vector<Scenario> pairs;
    for (std::size_t i = n % one_in_; i < moments.size(); i += one_in_) {
      pairs.push_back(firsts_[n].scenario);
      pairs.back().faults.push_back(At(moments[i], Fault::Effect::kKill));
    }
    return pairs;
  }

  const std::vector<Single> firsts_;
  const std::uint64_t one_in_;
};

}  // namespace

RunSummary Summarize(const RunOutcome& outcome) {
  RunSummary summary{.virtual_time = outcome.virtual_time,
                     .backups = outcome.backups,
                     .restores = outcome.restores,
                     .events = outcome.events,
                     .tested = outcome.tested,
                     .least_slack = outcome.least_slack};
  if (!outcome.violations.empty()) summary.violated = outcome.violations.front().invariant;
  return summary;
}

bool Violates(const RunOutcome& outcome, Invariant invariant) {
  return std::ranges::find(outcome.violations, invariant, &Violation::invariant) !=
         outcome.violations.end();
}

std::unique_ptr<Job> MakeSeeds(std::uint64_t first, std::uint64_t count,
                               std::uint64_t check_every) {
  return std::make_unique<SeedJob>(first, count, check_every);
}

std::unique_ptr<Job> MakeSingles(const std::string& scenario) {
  return std::make_unique<SingleFaults>(scenario);
}

std::unique_ptr<Job> MakePairs(const std::string& scenario, std::uint64_t one_in) {
  return std::make_unique<Pairs>(scenario, one_in);
}

}  // namespace stillpoint::sim::run
