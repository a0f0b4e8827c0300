// PlanBackup where the pre-hook is held, and where hooks take turns.
#include "controllers/backup_plan.h"

#include "unit/controllers/backup_view_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace stillpoint::controllers {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Asked to release after the last cut, with that exit code, and the pods were looked at.
BackupView ReleasedAndRechecked(std::optional<int> exit_code) {
  BackupView view = Held();
  Cut(view);
  view.thaw_began = view.cut_before_thaw = true;
  view.targets[0].thaw.holder->asked = true;
  HolderEnds(view.targets[0], exit_code);
  view.recheck = GroupRecheck{.containers = {{"mysql-0-uid", {{"db", "c1"}}}}};
  return view;
}

TEST(HeldBackupPlanTest, JournalsTheModeAndCutsOnceTheMarkerIsThere) {
  const BackupView view = Held();
  EXPECT_EQ(view.backup.status.freeze->targets.at(0).mode, api::HookMode::kHeld);
  EXPECT_EQ(view.backup.status.freeze->targets.at(0).state, api::FreezeState::kFrozen);
  EXPECT_EQ(Plan(view), "Create(1)");
}

TEST(HeldBackupPlanTest, AsksForTheReleaseBeforeAnyWriteOnceAllIsCut) {
  BackupView view = Held();
  Cut(view);
  EXPECT_THAT(Plan(view), testing::StartsWith("Thaw(1, after the cut)"));
}

TEST(HeldBackupPlanTest, SaysApplicationByTheHoldersWord) {
  const BackupPlan plan = PlanBackup(ReleasedAndRechecked(0), kNow);
  ASSERT_NE(Written(plan), nullptr);
  EXPECT_EQ(Written(plan)->consistency, api::Consistency::kApplication);
  EXPECT_EQ(Written(plan)->freeze->targets.at(0).state, api::FreezeState::kThawed);
  EXPECT_EQ(Written(plan)->hooks.at(1).exit_code, 0);
}

TEST(HeldBackupPlanTest, SaysSoOfNoOtherEnd) {
  for (const int code : {1, 120, 121, 122, 137, 143}) {
    const BackupPlan plan = PlanBackup(ReleasedAndRechecked(code), kNow);
    ASSERT_NE(Written(plan), nullptr) << code;
    EXPECT_EQ(Written(plan)->consistency, std::nullopt) << code;
    EXPECT_THAT(Words(plan), HasSubstr(code == 121 ? "!FreezeExpired" : "!HolderLost")) << code;
  }
}

TEST(HeldBackupPlanTest, DoesNotTakeALostAnswerForAWord) {
  BackupView view = ReleasedAndRechecked(std::nullopt);
  const api::Time dead = kNow + 1min;  // its own timer has run out
  const BackupPlan plan = PlanBackup(view, dead);
  EXPECT_THAT(Words(plan), HasSubstr("!HolderLost"));
  EXPECT_EQ(Written(plan)->freeze->targets.at(0).state, api::FreezeState::kThawed);
}

TEST(HeldBackupPlanTest, GivesUpAtOnceWhenTheHolderDies) {
  BackupView view = Held();
  HolderEnds(view.targets[0], 137);
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_THAT(Words(plan), HasSubstr("!HolderLost"));
  EXPECT_EQ(Written(plan)->freeze->targets.at(0).state, api::FreezeState::kThawed);
}

TEST(HeldBackupPlanTest, SaysWhyOnceMoreWhenTheWriteThatSaidItWasRefused) {
  BackupView view = Held();
  HolderEnds(view.targets[0], 137);
  view.thaw_began = true;
  EXPECT_THAT(Plan(view), HasSubstr("!HolderLost"));

  view.targets[0].thaw.holder->asked = true;  // and so its end is none before its time
  EXPECT_THAT(Plan(view), HasSubstr("!FreezeExpired"));
}

TEST(HeldBackupPlanTest, KeepsItAsCrashWhenAskedTo) {
  BackupView view = ReleasedAndRechecked(1);
  view.backup.spec.on_inconsistent = api::OnInconsistent::kKeep;
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Written(plan)->consistency, api::Consistency::kCrash);
  EXPECT_EQ(Written(plan)->consistency_reason, "HolderLost");
}

TEST(HeldBackupPlanTest, SendsTheLowestWeightFirst) {
  BackupView view = Resolved();
  view.facts->pods = {Pod("db"), Pod("web-0"), Pod("web-1")};
  view.facts->pods[0].hook.annotations["backups.example.com/hook-weight"] = "1";
  const BackupPlan first = PlanBackup(view, kNow);
  EXPECT_EQ(Words(first),
            "ReservePods(3) Write(Freezing/FreezeStarted) AskRestores Resolved FreezeStarted");
  view.backup.status = *Written(first);
  view.own_freeze = true;
  view.held_after_journal = "";
  view.snapshots.resize(1);
  view.targets.resize(3);
  EXPECT_EQ(Plan(view), "Pre(2)");
  view.targets[1].thaw.pre_hook_running = view.targets[2].thaw.pre_hook_running = true;
  EXPECT_EQ(Plan(view), "");
  view.targets[1] = view.targets[2] = {.pre = Success()};
  EXPECT_THAT(Plan(view), HasSubstr("Pre(1)"));
}

TEST(HeldBackupPlanTest, OwesNothingToAHookWhoseTurnNeverCame) {
  BackupView view = Resolved();
  view.facts->pods = {Pod("db"), Pod("web")};
  view.facts->pods[0].hook.annotations["backups.example.com/hook-weight"] = "1";
  view.backup.status = *Written(PlanBackup(view, kNow));
  view.own_freeze = true;
  view.snapshots.resize(1);
  view.targets.resize(2);
  view.targets[1] = {.pre = ExitCode(1)};
  view.targets[1].thaw.pre_hook_ended_at = kNow;
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_THAT(Words(plan), testing::StartsWith("Thaw(1)"));
  EXPECT_EQ(Written(plan)->freeze->targets.at(0).state, api::FreezeState::kThawed);
  EXPECT_EQ(Written(plan)->freeze->targets.at(1).state, api::FreezeState::kIntended);
}

}  // namespace
}  // namespace stillpoint::controllers
