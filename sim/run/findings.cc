#include "sim/run/findings.h"

#include "api/duration.h"
#include "api/type.h"
#include "sim/run/compare.h"
#include "sim/run/jobs.h"
#include "sim/run/run.h"
#include "sim/run/scenario_text.h"
#include "sim/run/shrink.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <ranges>
#include <vector>

namespace stillpoint::sim::run {
namespace {

std::optional<Scenario> Load(const std::filesystem::path& file) {
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto scenario = ParseScenario(text);
  if (in && scenario) return std::move(*scenario);
  fmt::print(stderr, "{}: {}\n", file.string(),
             scenario ? "cannot be read" : scenario.error().message);
  return std::nullopt;
}

std::string ViolationText(const Violation& violation) {
  return fmt::format("{} at {}: {}", api::EnumText(violation.invariant),
                     api::FormatDuration(violation.at), violation.what);
}

// As violations are told: a comment above the run that has them.
std::string Heading(const Scenario& scenario, Invariant invariant) {
  if (invariant == Invariant::kCrash) return "# Crash\n";
  std::string text;
  for (const Violation& violation : RunCompared(scenario).violations) {
    text += fmt::format("# {}\n", ViolationText(violation));
  }
  return text;
}

bool IsStale(const RunOutcome& outcome) {
  return std::ranges::any_of(outcome.struck, [](std::uint64_t times) { return times == 0; });
}

}  // namespace

bool FailsThere(const Scenario& scenario, Invariant invariant) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int null = dup(STDERR_FILENO);
    std::freopen("/dev/null", "w", stderr);
    close(null);
    alarm(30);
    _exit(Violates(RunCompared(scenario), invariant) ? 1 : 0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return false;
  return WIFEXITED(status) ? WEXITSTATUS(status) == 1 : invariant == Invariant::kCrash;
}

std::string Explain(const Scenario& scenario, Invariant invariant) {
  const Scenario small = Shrink(
      scenario,
      [invariant](const Scenario& candidate) {
        if (invariant == Invariant::kCrash) return FailsThere(candidate, invariant);
        return Violates(RunCompared(candidate), invariant);
      },
      invariant == Invariant::kCrash ? 400 : 3000);
  return Heading(small, invariant) + FormatScenario(small);
}

bool Replay(const std::string& file, bool trace) {
  const auto scenario = Load(file);
  if (!scenario) return false;
  RunOptions options;
  if (trace) {
    options.logs = true;
    options.follow = [](const std::string& line, std::uint64_t) { fmt::print("{}\n", line); };
  }
  const RunOutcome outcome = RunScenario(*scenario, options);
  for (const auto& [end, count] : outcome.ends) fmt::print("{}: {}\n", end, count);
  for (const Violation& violation : outcome.violations) {
    fmt::print("{}\n", ViolationText(violation));
  }
  if (IsStale(outcome)) fmt::print("stale: a fault did not strike\n");
  fmt::print("{} of virtual time, {} events, hash {:016x}\n",
             api::FormatDuration(outcome.virtual_time), outcome.events, outcome.hash);
  return outcome.violations.empty();
}

CorpusResult ReplayCorpus(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".run") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  CorpusResult result;
  for (const auto& file : files) {
    const auto scenario = Load(file);
    const RunOutcome outcome = scenario ? RunScenario(*scenario) : RunOutcome{};
    const bool good = scenario && outcome.violations.empty();
    ++(good ? result.passed : result.failed);
    for (const Violation& violation : outcome.violations) {
      fmt::print("{}: {}\n", file.filename().string(), ViolationText(violation));
    }
    if (!IsStale(outcome)) continue;
    ++result.stale;
    fmt::print("{}: stale: a fault of it no longer strikes\n", file.filename().string());
  }
  return result;
}

}  // namespace stillpoint::sim::run
