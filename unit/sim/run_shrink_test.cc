#include "sim/run/generate.h"
#include "sim/run/scenario_text.h"
#include "sim/run/shrink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ranges>
#include <string>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;

Fault FaultOf(int life) {
  return {.effect = Fault::Effect::kKill, .life = life};
}

bool HasFault(const Scenario& scenario, int life) {
  return std::ranges::find(scenario.faults, FaultOf(life)) != scenario.faults.end();
}

bool Has(const Scenario& scenario, Act act) {
  return std::ranges::find(scenario.operations, act, &Operation::act) != scenario.operations.end();
}

Scenario Big() {
  Scenario scenario{.seed = 5, .knobs = {.processes = 2, .workers = 1, .snapshotter_qps = 2}};
  for (const char* name : {"shop", "pg", "web"}) {
    scenario.applications.push_back({.name = name, .replicas = 4, .claims = 7});
  }
  for (int i = 0; i < 20; ++i) {
    scenario.operations.push_back({.at = std::chrono::milliseconds(1234 * i),
                                   .act = i % 5 == 3 ? Act::kRoll : Act::kApplyBackup,
                                   .object = "a",
                                   .fields = {{"ttl", "5s"}, {"applicationRef", "shop"}}});
    scenario.faults.push_back(FaultOf(i + 1));
  }
  return scenario;
}

TEST(ShrinkTest, KeepsOnlyWhatTheViolationNeeds) {
  const Scenario small = Shrink(Big(), [](const Scenario& scenario) {
    return HasFault(scenario, 3) && HasFault(scenario, 17) && Has(scenario, Act::kRoll) &&
           scenario.knobs.workers == 1 &&
           std::ranges::any_of(scenario.applications, [](const Application& application) {
             return application.name == "pg" && application.claims >= 3;
           });
  });
  EXPECT_EQ(FormatScenario(small),
            "seed 5\n"
            "knobs {\"workers\":1}\n"
            "app {\"name\":\"pg\",\"claims\":3}\n"
            "at 0s Roll a {}\n"
            "fault " +
                Text(FaultOf(3)) + "\nfault " + Text(FaultOf(17)) + "\n");
}

TEST(ShrinkTest, LeavesAloneWhatCannotBeSmaller) {
  const Scenario big = Big();
  EXPECT_EQ(Shrink(big, [&](const Scenario& scenario) { return scenario == big; }), big);
}

TEST(ShrinkTest, StopsWhenItHasTriedOftenEnough) {
  std::size_t tries = 0;
  (void)Shrink(
      Big(),
      [&](const Scenario&) {
        ++tries;
        return false;
      },
      25);
  EXPECT_EQ(tries, 25U);
}

}  // namespace
}  // namespace stillpoint::sim::run
