// stillpoint-sim: runs the simulator. Exits with 1 when an invariant is violated, and prints the
// shortest run that does it, made small, as text that --replay reads.
#include "api/duration.h"
#include "api/type.h"
#include "sim/run/bench.h"
#include "sim/run/campaign.h"
#include "sim/run/findings.h"
#include "sim/run/jobs.h"
#include "sim/run/repeat.h"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>

namespace stillpoint::sim::run {
namespace {

struct Flags {
  std::uint64_t runs = 0;
  std::uint64_t seed = 1;
  std::string commit;
  int jobs = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  std::string time;
  std::string exhaust;
  std::string scenario;
  std::uint64_t one_in = 1;
  std::string replay;
  bool trace = false;
  bool no_shrink = false;
  std::uint64_t failures = CampaignOptions().most_failures;
  std::string corpus;
  bool verify = false;
  std::string junit;
  bool bench = false;
  std::uint64_t events_of = 0;
  std::uint64_t neighbour = 0;
};

// The first seed of a commit: replayable from its hash alone.
std::uint64_t SeedOf(const Flags& flags) {
  if (flags.commit.empty()) return flags.seed;
  return std::stoull(flags.commit.substr(0, 12), nullptr, 16);
}

std::unique_ptr<Job> MakeJob(const Flags& flags) {
  if (flags.exhaust == "single") return MakeSingles(flags.scenario);
  if (flags.exhaust == "pairs") return MakePairs(flags.scenario, flags.one_in);
  const bool endless = flags.runs == 0;
  return MakeSeeds(SeedOf(flags), endless ? std::numeric_limits<std::uint32_t>::max() : flags.runs,
                   20);
}

std::string TestedText(const InvariantCounts& tested) {
  std::string text;
  for (std::size_t i = 0; i < kInvariants; ++i) {
    if (tested[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                        api::EnumText(static_cast<Invariant>(i)), tested[i]);
  }
  return text;
}

void PrintTotals(const Totals& totals) {
  using Seconds = std::chrono::duration<double>;
  const double seconds = Seconds(totals.real_time).count();
  fmt::print(
      "{} runs, {} failed; {} backups, {} restores; {:.1f} virtual hours in {:.1f} s; "
      "{:.0f} backups/s\n",
      totals.runs, totals.failed, totals.backups, totals.restores,
      Seconds(totals.virtual_time).count() / 3600, seconds,
      static_cast<double>(totals.backups) / std::max(seconds, 1e-9));
  fmt::print("tested: {}\n", TestedText(totals.tested));
  if (totals.least_slack != std::chrono::milliseconds::max()) {
    fmt::print("least slack of a freeze: {} ms in run {}\n", totals.least_slack.count(),
               totals.tightest_run);
  }
}

// What every campaign over seeds must have looked at, once it is long enough.
constexpr std::uint64_t kLongEnough = 2000;

// A run of random faults ends otherwise than one without, as it should.
bool IsOfSingleFaults(Invariant invariant) {
  return invariant == Invariant::kEndState || invariant == Invariant::kCounts;
}

bool NothingIsUntested(const Flags& flags, const Totals& totals) {
  if (!flags.exhaust.empty() || totals.runs < kLongEnough) return true;
  bool all = true;
  for (std::size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    if (totals.tested[i] > 0 || invariant == Invariant::kCrash) continue;
    if (IsOfSingleFaults(invariant)) continue;
    fmt::print("never tested: {}\n", api::EnumText(invariant));
    all = false;
  }
  return all;
}

void Show(const Flags& flags, const Job& job, const Failure& failure) {
  fmt::print("\n{} violated by run {}{}\n", api::EnumText(failure.invariant), failure.run,
             flags.exhaust.empty() ? fmt::format(", seed {}", SeedOf(flags) + failure.run)
                                   : std::string());
  if (flags.no_shrink) return;
  const auto scenario = job.Failing(failure.run, failure.invariant);
  if (!scenario) return;
  fmt::print("{}", Explain(*scenario, failure.invariant));
  std::fflush(stdout);
}

// One case for each invariant, as `make test` counts them.
void WriteJunit(const std::string& file, const CampaignResult& result) {
  std::ofstream out(file);
  out << "<testsuite name=\"sim\">\n";
  for (std::size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    const bool failed =
        std::ranges::find(result.failures, invariant, &Failure::invariant) != result.failures.end();
    if (result.totals.tested[i] == 0 && !failed) continue;
    out << fmt::format("<testcase name=\"sim.{}\">{}</testcase>\n", api::EnumText(invariant),
                       failed ? "<failure/>" : "");
  }
  out << "</testsuite>\n";
}

int RunJob(const Flags& flags) {
  const auto job = MakeJob(flags);
  CampaignOptions options{.runs = job->runs(),
                          .jobs = flags.jobs,
                          .block = job->block(),
                          .most_failures = flags.failures};
  if (!flags.time.empty()) {
    const auto time = api::ParseDuration(flags.time);
    if (!time) {
      fmt::print(stderr, "--time: {}\n", time.error().message);
      return 2;
    }
    options.time = std::chrono::ceil<std::chrono::seconds>(*time);
  }
  if (flags.exhaust == "pairs") options.run_limit = std::chrono::seconds(1800);
  const CampaignResult result =
      RunCampaign([&job](std::uint64_t n) { return job->Run(n); }, options);
  PrintTotals(result.totals);
  if (!flags.junit.empty()) WriteJunit(flags.junit, result);
  for (const Failure& failure : result.failures) Show(flags, *job, failure);
  const bool tested = NothingIsUntested(flags, result.totals);
  return result.totals.failed == 0 && tested ? 0 : 1;
}

int RunCorpus(const Flags& flags) {
  const CorpusResult result = ReplayCorpus(flags.corpus);
  if (!flags.junit.empty()) {
    const bool good = result.failed == 0 && result.stale == 0;
    std::ofstream(flags.junit) << fmt::format(
        "<testsuite name=\"sim\"><testcase name=\"sim.corpus\">{}</testcase></testsuite>\n",
        good ? "" : "<failure/>");
  }
  fmt::print("corpus: {} passed, {} failed, {} stale\n", result.passed, result.failed,
             result.stale);
  return result.failed == 0 && result.stale == 0 ? 0 : 1;
}

void Bench() {
  constexpr std::chrono::seconds kTime{5};
  fmt::print("{:.0f} undisturbed backups a second of one core\n", BenchBackups(kTime).per_second());
  fmt::print("{:.0f} runs of random seeds a second of one core\n", BenchSeeds(kTime).per_second());
}

int Run(const Flags& flags) {
  if (flags.bench) {
    Bench();
    return 0;
  }
  if (flags.events_of != 0) {
    PrintEvents(flags.events_of, flags.neighbour);
    return 0;
  }
  if (!flags.replay.empty()) return Replay(flags.replay, flags.trace) ? 0 : 1;
  if (!flags.corpus.empty()) return RunCorpus(flags);
  if (flags.verify) {
    return VerifyDeterminism(SeedOf(flags), std::max<std::uint64_t>(flags.runs, 21) / 21, 21) ? 0
                                                                                              : 1;
  }
  return RunJob(flags);
}

void Declare(CLI::App& app, Flags& flags) {
  app.add_option("--runs", flags.runs, "how many seeds; without it as many as --time allows");
  app.add_option("--seed", flags.seed, "the first seed");
  app.add_option("--commit", flags.commit, "take the first seed from this commit hash");
  app.add_option("--jobs", flags.jobs, "worker processes")->check(CLI::PositiveNumber);
  app.add_option("--time", flags.time, "stop after this long, for example 60s");
  app.add_option("--exhaust", flags.exhaust,
                 "instead of seeds: each single fault, or each pair of kills, in small scenarios")
      ->check(CLI::IsMember({"single", "pairs"}));
  app.add_option("--scenario", flags.scenario, "--exhaust: only this small scenario");
  app.add_option("--one-in", flags.one_in, "--exhaust pairs: only each n-th second kill");
  app.add_option("--replay", flags.replay, "run the scenario in this file");
  app.add_flag("--trace", flags.trace, "--replay: print every event");
  app.add_option("--failures", flags.failures, "stop after so many runs that fail");
  app.add_flag("--no-shrink", flags.no_shrink, "only name the runs that fail");
  app.add_option("--corpus", flags.corpus, "run every *.run file in this folder");
  app.add_flag("--verify-determinism", flags.verify,
               "run every 21st of --runs seeds twice, in two processes, and compare every event");
  app.add_flag("--bench", flags.bench, "measure the speed, for some ten seconds");
  app.add_option("--junit", flags.junit, "write the outcome to this file");
  app.add_option("--events-of", flags.events_of)->group("");
  app.add_option("--neighbour", flags.neighbour)->group("");
}

}  // namespace
}  // namespace stillpoint::sim::run

int main(int argc, char** argv) {
  CLI::App app("The simulator: the controllers on a model cluster, in virtual time");
  stillpoint::sim::run::Flags flags;
  stillpoint::sim::run::Declare(app, flags);
  CLI11_PARSE(app, argc, argv);
  return stillpoint::sim::run::Run(flags);
}
