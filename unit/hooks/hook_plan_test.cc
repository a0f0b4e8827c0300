#include "hooks/hook_plan.h"

#include "hooks/hook_annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

namespace stillpoint::hooks {

// Printed on failure instead of a byte dump.
void PrintTo(const HookNotice& notice, std::ostream* os) {
  *os << notice.reason << " at " << notice.where << ": " << notice.message;
}

namespace {

using namespace std::chrono_literals;
using Argv = std::vector<std::string>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kPre[] = "backups.example.com/pre-hook";
constexpr char kPost[] = "backups.example.com/post-hook";

PodFacts Pod(std::string name, std::map<std::string, std::string> annotations = {}) {
  return {.name = name,
          .uid = "uid-" + name,
          .annotations = std::move(annotations),
          .labels = {{"app", "db"}},
          .containers = {"main", "sidecar"}};
}

// Freezes and thaws by annotation, and whatever `more` says.
PodFacts Annotated(std::string name, std::map<std::string, std::string> more = {}) {
  more.try_emplace(kPre, "freeze");
  more.try_emplace(kPost, "thaw");
  return Pod(std::move(name), std::move(more));
}

api::HookSpec Spec() {
  return {.name = "db", .shell = "freeze", .post_shell = "thaw"};
}

Argv Sh(const char* text) {
  return {"/bin/sh", "-c", text};
}

HookPlan Plan(std::vector<PodFacts> pods, std::vector<api::HookSpec> spec_hooks = {}) {
  return PlanHooks({.spec_hooks = std::move(spec_hooks), .pods = std::move(pods)});
}

auto Notice(const char* reason, const char* where, const char* text) {
  return testing::AllOf(testing::Field("reason", &HookNotice::reason, reason),
                        testing::Field("where", &HookNotice::where, where),
                        testing::Field("message", &HookNotice::message, HasSubstr(text)));
}

// ---- where hooks come from ----------------------------------------------------------------------

TEST(PlanHooksTest, NamesAMisspeltAnnotation) {
  const HookPlan plan = Plan({Pod("a", {{"backups.example.com/prehook", "freeze"},
                                        {"backups.example.com/restored-from", "x"},
                                        {"example.com/pre-hook", "x"}})});
  EXPECT_THAT(plan.targets, IsEmpty());
  EXPECT_THAT(plan.warnings, ElementsAre(Notice("HookInvalid", "backups.example.com/prehook",
                                                "no annotation that Stillpoint knows")));
}

TEST(PlanHooksTest, HasNothingToDoWithoutHooks) {
  const HookPlan plan = Plan({Pod("a")});
  EXPECT_THAT(plan.targets, IsEmpty());
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST(PlanHooksTest, ReadsTheAnnotationsOfAPod) {
  const HookPlan plan = Plan({Annotated("a")});
  EXPECT_THAT(plan.targets, ElementsAre(HookTarget{.pod = "a",
                                                   .pod_uid = "uid-a",
                                                   .container = "main",
                                                   .hook = kPre,
                                                   .pre_command = Sh("freeze"),
                                                   .post_command = Sh("thaw"),
                                                   .timeout = 30s,
                                                   .on_error = api::OnError::kFail,
                                                   .source = HookSource::kPod,
                                                   .guarded = true}));
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST(PlanHooksTest, ReadsTheLegacyManifest) {
  const HookPlan plan = Plan({Pod("a", {{"backups.example.com.pre-hook", "freeze"},
                                        {"backups.example.com.post-hook", "thaw"}})});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_EQ(plan.targets[0].hook, "backups.example.com.pre-hook");
  EXPECT_EQ(plan.targets[0].pre_command, Sh("freeze"));
  EXPECT_EQ(plan.targets[0].post_command, Sh("thaw"));
}

TEST(PlanHooksTest, FallsBackToTheWorkload) {
  const HookPlan plan = PlanHooks({.pods = {Pod("a"), Annotated("b", {{kPre, "own"}})},
                                   .workload_annotations = {{kPre, "its"}, {kPost, "thaw"}}});
  ASSERT_THAT(plan.targets, SizeIs(2));
  EXPECT_EQ(plan.targets[0].pre_command, Sh("its"));
  EXPECT_EQ(plan.targets[0].source, HookSource::kWorkload);
  EXPECT_EQ(plan.targets[1].pre_command, Sh("own"));
  EXPECT_EQ(plan.targets[1].source, HookSource::kPod);
}

TEST(PlanHooksTest, NeverMixesTheHooksOfPodAndWorkload) {
  const HookPlan plan = PlanHooks({.pods = {Pod("a", {{kPre, "own"}})},
                                   .workload_annotations = {{kPre, "its"}, {kPost, "thaw"}}});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_THAT(plan.targets[0].post_command, IsEmpty());
}

TEST(PlanHooksTest, LetsAPodOptOutByAnEmptyValue) {
  const HookPlan plan = PlanHooks(
      {.pods = {Pod("a", {{kPre, ""}})}, .workload_annotations = {{kPre, "its"}, {kPost, "thaw"}}});
  EXPECT_THAT(plan.targets, IsEmpty());
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST(PlanHooksTest, PutsSpecOverAnnotationsWhereItSelects) {
  api::HookSpec hook = Spec();
  hook.pod_selector = api::LabelSelector{.match_labels = {{"app", "db"}}};
  PodFacts web = Annotated("web", {{kPre, "annotated"}});
  web.labels = {{"app", "web"}};
  const HookPlan plan = Plan({Annotated("db", {{kPre, "annotated"}}), web}, {hook});
  ASSERT_THAT(plan.targets, SizeIs(2));
  EXPECT_EQ(plan.targets[0].pre_command, Sh("freeze"));
  EXPECT_EQ(plan.targets[0].hook, "db");
  EXPECT_EQ(plan.targets[0].source, HookSource::kSpec);
  EXPECT_EQ(plan.targets[1].pre_command, Sh("annotated"));
}

TEST(PlanHooksTest, KeepsTheOrderOfSpecInAPod) {
  api::HookSpec argv{.command = {"fsfreeze", "-f", "/d"}, .post_command = {"fsfreeze", "-u", "/d"}};
  const HookPlan plan = Plan({Pod("a"), Pod("b")}, {Spec(), argv});
  ASSERT_THAT(plan.targets, SizeIs(4));
  EXPECT_EQ(plan.targets[0].pod + plan.targets[1].pod + plan.targets[2].pod + plan.targets[3].pod,
            "aabb");
  EXPECT_TRUE(plan.targets[0].guarded);
  EXPECT_EQ(plan.targets[1].hook, "spec.hooks[1]");
  EXPECT_FALSE(plan.targets[1].guarded);
}

// ---- container, timeout, on-error ---------------------------------------------------------------

TEST(PlanHooksTest, ChoosesTheContainer) {
  const char* const kDefault = "kubectl.kubernetes.io/default-container";
  const char* const kKey = "backups.example.com/hook-container";
  const HookPlan plan = Plan({Annotated("a"), Annotated("b", {{kDefault, "sidecar"}}),
                              Annotated("c", {{kDefault, "main"}, {kKey, "sidecar"}})});
  ASSERT_THAT(plan.targets, SizeIs(3));
  EXPECT_EQ(plan.targets[0].container, "main");
  EXPECT_EQ(plan.targets[1].container, "sidecar");
  EXPECT_EQ(plan.targets[2].container, "sidecar");
}

TEST(PlanHooksTest, NamesTheContainersThatThereAre) {
  const HookPlan plan = Plan({Annotated("a", {{"backups.example.com/hook-container", "mysql"}})});
  EXPECT_THAT(plan.targets, IsEmpty());
  EXPECT_THAT(plan.problems,
              ElementsAre(Notice("HookInvalid", "backups.example.com/hook-container",
                                 "pod a: backups.example.com/hook-container: there is no container "
                                 "\"mysql\"; it has main, sidecar")));
}

TEST(PlanHooksTest, BoundsTheTimeoutByMaxFreeze) {
  const HookPlan plan = PlanHooks(
      {.pods = {Annotated("a"), Annotated("b", {{"backups.example.com/hook-timeout", "5s"}}),
                Annotated("c", {{"backups.example.com/hook-timeout", "1h"}})},
       .max_freeze = 10s});
  ASSERT_THAT(plan.targets, SizeIs(3));
  EXPECT_EQ(plan.targets[0].timeout, 10s);
  EXPECT_EQ(plan.targets[1].timeout, 5s);
  EXPECT_EQ(plan.targets[2].timeout, 10s);
}

TEST(PlanHooksTest, RefusesABadTimeout) {
  for (const char* text : {"5", "soon", "0s", "-1s"}) {
    const HookPlan plan = Plan({Annotated("a", {{"backups.example.com/hook-timeout", text}})});
    EXPECT_THAT(plan.targets, IsEmpty()) << text;
    EXPECT_THAT(plan.problems, ElementsAre(Notice("HookInvalid", "backups.example.com/hook-timeout",
                                                  "backups.example.com/hook-timeout: ")));
  }
}

TEST(PlanHooksTest, ReadsOnErrorInAnyCase) {
  const char* const kKey = "backups.example.com/hook-on-error";
  const HookPlan plan =
      Plan({Annotated("a", {{kKey, "continue"}}), Annotated("b", {{kKey, "FAIL"}}),
            Annotated("c", {{kKey, "ignore"}})});
  ASSERT_THAT(plan.targets, SizeIs(2));
  EXPECT_EQ(plan.targets[0].on_error, api::OnError::kContinue);
  EXPECT_EQ(plan.targets[1].on_error, api::OnError::kFail);
  EXPECT_THAT(plan.problems, ElementsAre(Notice("HookInvalid", kKey, "\"ignore\" is neither")));
}

// ---- what is wrong ------------------------------------------------------------------------------

TEST(PlanHooksTest, NeverShowsTheTextOfACommand) {
  const HookPlan plan = Plan({Annotated("a", {{kPre, "[\"-psecret\""}}),
                              Pod("b", {{kPre, "mysql -psecret -e 'FLUSH TABLES WITH READ LOCK'"},
                                        {"ros.io/before-backup", "other secret"}})});
  EXPECT_THAT(plan.problems, SizeIs(1));
  EXPECT_THAT(plan.warnings, SizeIs(3));
  for (const HookNotice& n : plan.problems) EXPECT_THAT(n.message, Not(HasSubstr("secret")));
  for (const HookNotice& n : plan.warnings) EXPECT_THAT(n.message, Not(HasSubstr("secret")));
}

TEST(PlanHooksTest, WarnsOfTwoSpellings) {
  const HookPlan plan = Plan({Annotated("a", {{"backups.example.com.pre-hook", "other"}})});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_EQ(plan.targets[0].pre_command, Sh("freeze"));
  EXPECT_THAT(plan.warnings,
              ElementsAre(Notice("HookConflict", kPre, "backups.example.com.pre-hook")));
}

TEST(PlanHooksTest, WarnsOfHalfAPair) {
  const HookPlan plan = Plan({Pod("a", {{kPre, "freeze"}}), Pod("b", {{kPost, "thaw"}})});
  ASSERT_THAT(plan.targets, SizeIs(2));
  EXPECT_EQ(plan.targets[1].hook, kPost);
  EXPECT_THAT(plan.warnings, ElementsAre(Notice("PostHookMissing", kPost, "nothing would thaw"),
                                         Notice("HookInvalid", kPre, "never frozen")));
}

TEST(PlanHooksTest, WarnsOfALockThatDiesWithItsClient) {
  const HookPlan plan = Plan({Annotated("a", {{kPre, "mysql -e 'flush tables with read lock'"}})});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_TRUE(plan.targets[0].session_lock);
  EXPECT_THAT(plan.warnings, ElementsAre(Notice("SessionLockInOneShotHook", kPre, "is Crash")));
}

TEST(PlanHooksTest, SaysTheSameOfManyPodsOnce) {
  std::vector<PodFacts> pods;
  for (int i = 0; i < 8; ++i) pods.push_back(Pod("p" + std::to_string(i), {{kPre, "freeze"}}));
  const HookPlan plan = Plan(std::move(pods));
  EXPECT_THAT(plan.targets, SizeIs(8));
  ASSERT_THAT(plan.warnings, SizeIs(1));
  EXPECT_THAT(plan.warnings[0].pods, SizeIs(8));
  EXPECT_THAT(plan.warnings[0].message,
              testing::StartsWith("pods p0, p1, p2, p3, p4 and 3 more: "));
}

TEST(PlanHooksTest, ChecksSpec) {
  struct Case {
    api::HookSpec hook;
    const char* where;
    const char* text;
  };
  api::HookSpec both = Spec();
  both.command = {"x"};
  api::HookSpec both_post = Spec();
  both_post.post_command = {"x"};
  api::HookSpec zero = Spec();
  zero.timeout = 0s;
  api::HookSpec nobody = Spec();
  nobody.pod_selector = api::LabelSelector{.match_labels = {{"app", "none"}}};
  api::HookSpec elsewhere = Spec();
  elsewhere.container = "mysql";
  for (const Case& c :
       {Case{both, "spec.hooks[0]", "command and shell"},
        Case{both_post, "spec.hooks[0]", "postCommand and postShell"},
        Case{api::HookSpec{}, "spec.hooks[0]", "has no hook"},
        Case{zero, "spec.hooks[0].timeout", "longer than 0s"},
        Case{nobody, "spec.hooks[0].podSelector", "none of the 1 pods"},
        Case{elsewhere, "spec.hooks[0].container", "\"mysql\"; it has main, sidecar"}}) {
    EXPECT_THAT(Plan({Pod("a")}, {c.hook}).problems,
                ElementsAre(Notice("HookInvalid", c.where, c.text)));
  }
}

TEST(PlanHooksTest, TellsOfEveryProblemAtOnce) {
  const HookPlan plan = Plan({Annotated("a", {{kPre, "["},
                                              {kPost, "["},
                                              {"backups.example.com/hook-timeout", "x"},
                                              {"backups.example.com/hook-on-error", "x"}})});
  EXPECT_THAT(plan.problems, SizeIs(2));  // without a command the settings say nothing
  const HookPlan half = Plan({Annotated("a", {{kPost, "["},
                                              {"backups.example.com/hook-timeout", "x"},
                                              {"backups.example.com/hook-on-error", "x"}})});
  EXPECT_THAT(half.problems, SizeIs(3));
}

// ---- held hooks and profiles --------------------------------------------------------------------

TEST(PlanHeldHooksTest, TakesThemFromTheAnnotation) {
  const HookPlan plan = Plan({Pod("db", {{"backups.example.com/hold-hook", "hold"},
                                         {"backups.example.com/hook-weight", "-3"}})});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_EQ(plan.targets[0].mode, api::HookMode::kHeld);
  EXPECT_EQ(plan.targets[0].pre_command, Sh("hold"));
  EXPECT_THAT(plan.targets[0].post_command, IsEmpty());
  EXPECT_EQ(plan.targets[0].weight, -3);
  EXPECT_FALSE(plan.targets[0].guarded);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST(PlanHeldHooksTest, TurnsAnArgvIntoAText) {
  const HookPlan plan =
      Plan({Pod("db", {{"backups.example.com/hold-hook", R"(["/app", "it's"])"}})});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_EQ(plan.targets[0].pre_command, Sh(R"(exec '/app' 'it'\''s')"));
}

TEST(PlanHeldHooksTest, TakesThemFromTheSpecAndKnowsNoSessionLock) {
  api::HookSpec hook = Spec();
  hook.mode = api::HookMode::kHeld;
  hook.weight = 7;
  hook.shell = "mysql -e 'FLUSH TABLES WITH READ LOCK'; cat";
  const HookPlan plan = Plan({Pod("db")}, {hook});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_EQ(plan.targets[0].mode, api::HookMode::kHeld);
  EXPECT_EQ(plan.targets[0].weight, 7);
  EXPECT_FALSE(plan.targets[0].session_lock);
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST(PlanHeldHooksTest, RefusesTwoWaysToFreezeAPod) {
  const HookPlan plan = Plan({Annotated("db", {{"backups.example.com/quiesce", "mariadb"}})});
  EXPECT_THAT(plan.targets, IsEmpty());
  EXPECT_THAT(plan.problems,
              ElementsAre(Notice("HookInvalid", "backups.example.com/quiesce",
                                 "backups.example.com/quiesce and backups.example.com/pre-hook")));
}

TEST(PlanHeldHooksTest, RefusesAWeightThatIsNoNumber) {
  EXPECT_THAT(Plan({Annotated("db", {{"backups.example.com/hook-weight", "heavy"}})}).problems,
              ElementsAre(Notice("HookInvalid", "backups.example.com/hook-weight", "heavy")));
}

TEST(PlanProfilesTest, TakesThemFromTheAnnotation) {
  const HookPlan plan = Plan({Pod("db", {{"backups.example.com/quiesce", "mariadb"},
                                         {"backups.example.com/hook-container", "sidecar"},
                                         {"backups.example.com/hook-timeout", "5s"}})});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_EQ(plan.targets[0].mode, api::HookMode::kHeld);
  EXPECT_EQ(plan.targets[0].container, "sidecar");
  EXPECT_EQ(plan.targets[0].hook, "backups.example.com/quiesce");
  EXPECT_THAT(plan.targets[0].pre_command.at(2), HasSubstr("lock_wait_timeout=4,"));
}

TEST(PlanProfilesTest, RefusesAnUnknownOneAndListsTheOthers) {
  EXPECT_THAT(Plan({Pod("db", {{"backups.example.com/quiesce", "oracle"}})}).problems,
              ElementsAre(Notice("HookInvalid", "backups.example.com/quiesce",
                                 "there are fsfreeze, mariadb, mysql, sqlite")));
}

TEST(PlanProfilesTest, WantsToKnowWhatToFreeze) {
  EXPECT_THAT(Plan({Pod("db", {{"backups.example.com/quiesce", "sqlite"}})}).problems,
              ElementsAre(Notice("HookInvalid", "backups.example.com/quiesce-path",
                                 "the database file as an absolute path")));
}

TEST(PlanProfilesTest, OfTheSpecTakesThePlaceOfEveryHook) {
  const HookPlan plan =
      PlanHooks({.quiesce = "fsfreeze",
                 .quiesce_path = "/data",
                 .pods = {Annotated("db")},
                 .workload_annotations = {{std::string(kHookContainerKey), "sidecar"}}});
  ASSERT_THAT(plan.targets, SizeIs(1));
  EXPECT_EQ(plan.targets[0].hook, "spec.quiesce");
  EXPECT_EQ(plan.targets[0].container, "sidecar");
  EXPECT_THAT(plan.targets[0].pre_command.at(2), HasSubstr("p='/data'"));
  EXPECT_THAT(plan.targets[0].post_command.at(2), HasSubstr("--unfreeze"));
}

}  // namespace
}  // namespace stillpoint::hooks
