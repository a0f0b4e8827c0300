#include "api/duration.h"
#include "sim/run/generate.h"
#include "sim/run/run.h"
#include "sim/run/scenario_text.h"
#include "sim/run/small_scenarios.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Scenario Example() {
  return {.seed = 17,
          .knobs = {.processes = 2, .heals = false},
          .applications = {{.name = "shop", .claims = 3, .borrows = {"web"}}},
          .operations = {{.at = 1500ms,
                          .act = Act::kApplyBackup,
                          .object = "a",
                          .fields = {{"applicationRef", "shop"}, {"maxFreeze", "5s"}}}},
          .faults = {{.life = 1,
                      .stage = "effect",
                      .verb = "patch",
                      .resource = "volumebackups/status",
                      .object = "shop/a",
                      .nth = 2}}};
}

TEST(ScenarioTextTest, ShowsWhatDiffersFromTheDefaults) {
  EXPECT_EQ(FormatScenario(Example()),
            "seed 17\n"
            "knobs {\"processes\":2,\"heals\":false}\n"
            "app {\"name\":\"shop\",\"claims\":3,\"borrows\":[\"web\"]}\n"
            "at 1s500ms ApplyBackup a {\"applicationRef\":\"shop\",\"maxFreeze\":\"5s\"}\n"
            "fault kill life=1 at=effect,patch,volumebackups/status,shop/a nth=2\n");
}

TEST(ScenarioTextTest, ReadsWhatItWrites) {
  const auto parsed = ParseScenario(FormatScenario(Example()));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, Example());
}

TEST(ScenarioTextTest, ReadsWhatItWritesOfGeneratedOnes) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Scenario scenario = Generate(seed);
    const auto parsed = ParseScenario(FormatScenario(scenario));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, scenario) << FormatScenario(scenario);
  }
}

TEST(ScenarioTextTest, IgnoresCommentsAndEmptyLines) {
  const auto parsed = ParseScenario("# why\n\nseed 3\n");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, Scenario{.seed = 3});
}

TEST(ScenarioTextTest, NamesTheLineThatItCannotRead) {
  for (const auto* text :
       {"seed 3\nseed x", "seed 3\nbanana", "seed 3\nat 1s Dance a", "seed 3\nat 1s Scale",
        "seed 3\nat 1s Scale a {", "seed 3\nknobs []", "seed 3\nat soon Scale a"}) {
    const auto parsed = ParseScenario(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("line 2")) << text;
  }
}

// The answer to a write about its progress is not waited for with an application standing still.
TEST(RunScenarioTest, AnAnswerThatDoesNotComeHoldsUpNoThaw) {
  for (std::uint32_t nth = 2; nth <= 3; ++nth) {
    Scenario scenario{.seed = 1, .applications = {{.name = "shop"}}};
    scenario.operations = {
        {.act = Act::kApplyBackup,
         .object = "a",
         .fields = {{"applicationRef", "deployment/shop"}, {"maxFreeze", "3s"}}}};
    scenario.faults = {{.effect = Fault::Effect::kLose,
                        .code = api::Code::kTimeout,
                        .life = 1,
                        .stage = "effect",
                        .verb = "patch",
                        .resource = "volumebackups/status",
                        .object = "shop/a",
                        .nth = nth}};
    const RunOutcome outcome = RunScenario(scenario);
    EXPECT_THAT(outcome.struck, testing::ElementsAre(1)) << nth;
    EXPECT_GE(outcome.least_slack, 1500ms) << nth;
    EXPECT_THAT(outcome.ends, testing::ElementsAre(testing::Pair("backup Completed Succeeded", 1)));
  }
}

// The controller is stopped when it has heard that all is ready. Meanwhile somebody deletes the
// snapshot, of which no watch tells for two minutes. No oracle can tell whether it had looked
// before.
TEST(RunScenarioTest, NoCacheMakesABackupGood) {
  const auto scenario = ParseScenario(R"(seed 7
app {"name":"shop"}
at 0s ApplyBackup a {"applicationRef":"deployment/shop"}
at 6s DeleteSnapshot a {}
fault pause for=10s life=1 at=answer,event,volumesnapshots,* nth=5
fault lag for=2m at=change,updated,volumesnapshots,* nth=6
)");
  ASSERT_TRUE(scenario) << scenario.error().message;
  const RunOutcome outcome = RunScenario(*scenario);
  EXPECT_THAT(outcome.struck, testing::ElementsAre(1, 1));
  EXPECT_THAT(outcome.ends,
              testing::ElementsAre(testing::Pair("backup Failed SnapshotDeletedOutside", 1)));
}

// Its cache does not know yet that it has been given more time. No oracle looks for a backup that
// went too early.
TEST(RunScenarioTest, ABackupThatWasGivenMoreTimeStays) {
  const auto scenario = ParseScenario(R"(seed 3800011631
knobs {"snapshotterQps":100000,"watchDelay":"1s673ms","podStart":"2s652ms"}
app {"name":"shop","kind":"StatefulSet"}
at 0s ApplyBackup a {"applicationRef":"statefulset/shop","ttl":"2s647ms"}
at 3s900ms ApplyBackup a {"ttl":"8h"}
)");
  ASSERT_TRUE(scenario) << scenario.error().message;
  bool judged = false;
  bool gone = false;
  const auto follow = [&](const std::string& line, std::uint64_t) {
    judged = judged || line.ends_with("effect delete volumebackups shop/a Conflict");
    gone = gone || line.ends_with("change deleted volumebackups shop/a");
  };
  EXPECT_THAT(RunScenario(*scenario, {.follow = follow}).violations, testing::IsEmpty());
  EXPECT_TRUE(judged);
  EXPECT_FALSE(gone);
}

TEST(GenerateTest, IsAFunctionOfTheSeed) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) EXPECT_EQ(Generate(seed), Generate(seed));
}

TEST(GenerateTest, ReachesEveryActAndEveryFormOfHook) {
  std::set<Act> acts;
  std::set<HookForm> hooks;
  std::set<Trouble> troubles;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Scenario scenario = Generate(seed);
    troubles.insert(TroubleOf(seed));
    for (const auto& application : scenario.applications) hooks.insert(application.hook);
    for (const auto& operation : scenario.operations) acts.insert(operation.act);
  }
  EXPECT_EQ(acts.size(), 21U);
  EXPECT_EQ(hooks.size(), 14U);
  EXPECT_EQ(troubles.size(), 5U);
}

TEST(GenerateTest, StaysWithinFivePodsAndTwelveClaims) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Scenario scenario = Generate(seed);
    for (const auto& application : scenario.applications) {
      const bool each = application.kind == WorkloadKind::kStatefulSet;
      EXPECT_LE(application.replicas, 5);
      EXPECT_LE(application.claims * (each ? application.replicas : 1), 12);
      EXPECT_GE(application.claims, 1);
    }
  }
}

TEST(SmallScenariosTest, AreSeventeenWithNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const auto& [name, scenario] : SmallScenarios()) {
    names.insert(name);
    EXPECT_FALSE(scenario.applications.empty()) << name;
    EXPECT_FALSE(scenario.operations.empty()) << name;
  }
  EXPECT_EQ(names.size(), 17U);
}

// One whose objects the API refuses would pass with every fault.
TEST(SmallScenariosTest, MakeABackupEach) {
  for (const auto& [name, scenario] : SmallScenarios()) {
    EXPECT_GT(RunScenario(scenario).backups, 0U) << name;
  }
}

// Whether the word that thaws was sent upon the news of the last cut, on a stream that was there.
bool ThawsByOneWord(std::uint64_t seed) {
  const Scenario scenario{
      .seed = seed,
      .applications = {{.name = "shop", .claims = 2}},
      .operations = {
          {.act = Act::kApplyBackup, .object = "a", .fields = {{"applicationRef", "shop"}}}}};
  int words = 0;
  int execs = 0;  // since a content was last heard of
  bool by_one_word = false;
  const RunOutcome outcome =
      RunScenario(scenario, {.follow = [&](const std::string& line, std::uint64_t) {
                    if (line.contains(" answer event volumesnapshotcontents ")) execs = 0;
                    if (line.contains(" send exec ")) ++execs;
                    if (line.contains(" send stdin ") && ++words == 2) by_one_word = execs == 0;
                  }});
  EXPECT_TRUE(outcome.violations.empty());
  EXPECT_EQ(words, 2);
  return by_one_word;
}

TEST(RunScenarioTest, PreparesTheThawWhileTheVolumesAreCut) {
  int prepared = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) prepared += ThawsByOneWord(seed) ? 1 : 0;
  EXPECT_GE(prepared, 8);  // else the cut was faster
}

}  // namespace
}  // namespace stillpoint::sim::run
