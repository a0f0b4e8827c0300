#include "sim/run/bench.h"

#include "sim/run/run.h"
#include "sim/run/scenario.h"
#include "sim/run/seeds.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>
#include <stdexcept>
#include <string>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;

// Of this process. The system call itself, as the function is shut in runs (no_back_doors.h).
std::chrono::nanoseconds ProcessorTime() {
  timespec used{};
  syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

constexpr std::int64_t kBackups = 50;  // of one run

Scenario ManyBackups(std::uint64_t seed) {
  Scenario scenario{.seed = seed, .applications = {{.name = "shop"}}};
  for (std::int64_t i = 0; i < kBackups; ++i) {
    scenario.operations.push_back({.at = i * 5s,
                                   .act = Act::kApplyBackup,
                                   .object = fmt::format("a{}", i),
                                   .fields = {{"applicationRef", "deployment/shop"}}});
  }
  return scenario;
}

}  // namespace

Speed BenchBackups(std::chrono::nanoseconds time) {
  Speed speed;
  const auto begin = ProcessorTime();
  for (std::uint64_t seed = 1; speed.time < time; ++seed) {
    const RunOutcome outcome = RunScenario(ManyBackups(seed));
    const auto good = outcome.ends.find("backup Completed Succeeded");
    if (good == outcome.ends.end() || good->second != kBackups || !outcome.violations.empty()) {
      throw std::logic_error("an undisturbed backup did not succeed");
    }
    speed.count += good->second;
    speed.time = ProcessorTime() - begin;
  }
  return speed;
}

Speed BenchSeeds(std::chrono::nanoseconds time) {
  Speed speed;
  Seeds seeds;
  const auto begin = ProcessorTime();
  for (std::uint64_t seed = 1; speed.time < time; ++seed) {
    (void)seeds.Run(seed);
    ++speed.count;
    speed.time = ProcessorTime() - begin;
  }
  return speed;
}

}  // namespace stillpoint::sim::run
