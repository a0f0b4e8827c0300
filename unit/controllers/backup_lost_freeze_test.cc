// PlanBackup where a freeze is lost or a thaw fails.
#include "controllers/backup_plan.h"

#include "unit/controllers/backup_view_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillpoint::controllers {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(BackupPlanTest, ThawsWhenThePreHookFails) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.targets[0].pre = ExitCode(1);
  view.targets[0].thaw.pre_hook_ended_at = kNow;
  EXPECT_EQ(Plan(view), "Thaw(1) Write(Thawing/HookFailed) !HookFailed");
}

TEST(BackupPlanTest, ReapsAPreHookWhoseEndNobodyHasSeen) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.targets[0].pre = hooks::HookResult{.outcome = hooks::Outcome::kStreamLost};
  view.targets[0].thaw.pre_hook_began = true;
  EXPECT_EQ(Plan(view), "Thaw(1) Reap(1) Write(Thawing/HookFailed) !HookFailed");
}

// A write each would be a load on an API server that is in trouble already.
TEST(BackupPlanTest, WritesDownOnlySomeOfTheThawsThatFail) {
  BackupView view = Frozen();
  view.backup.spec.cancel = true;
  view.thaw_began = true;
  int writes = 0;
  api::Time now = kNow;
  for (int attempt = 1; attempt <= 32; ++attempt) {
    now += 10s;
    hooks::HookResult failed = ExitCode(1);
    failed.duration = std::chrono::milliseconds(attempt);
    hooks::RememberThaw(view.targets[0].thaw, failed, now, now);
    const BackupPlan plan = PlanBackup(view, now);
    if (const auto status = Written(plan)) {
      view.backup.status = *status;
      ++writes;
    }
  }
  EXPECT_EQ(view.backup.status.freeze->targets[0].thaw_attempts, 32);
  EXPECT_LE(writes, 9);
}

TEST(BackupPlanTest, GoesOnAsCrashWhenThePreHookFailsWithOnErrorContinue) {
  BackupView view = Freezing();
  view.backup.status.freeze->targets[0].on_error = api::OnError::kContinue;
  view.targets[0].thaw.pre_hook_running = false;
  view.targets[0].pre = ExitCode(1);
  EXPECT_THAT(Plan(view), testing::StartsWith("Create(1)"));
}

TEST(BackupPlanTest, ThawsAtTheDeadline) {
  const BackupView view = Frozen();
  EXPECT_EQ(Plan(view, kNow + 30s), "Thaw(1) Write(Thawing/FreezeExpired) !FreezeExpired");
  EXPECT_EQ(PlanBackup(view, kNow + 29500ms).requeue_after, 500ms);
}

TEST(BackupPlanTest, ThawsOnCancelDeletionAndLossOfTheLease) {
  BackupView cancelled = Frozen();
  cancelled.backup.spec.cancel = true;
  EXPECT_EQ(Plan(cancelled), "Thaw(1) Write(Thawing/Cancelled)");
  BackupView deleted = Frozen();
  deleted.backup.metadata.deletion_timestamp = kNow;
  EXPECT_THAT(Plan(deleted), HasSubstr("Thaw(1)"));
  BackupView stopped = Frozen();
  stopped.may_freeze = false;
  EXPECT_THAT(Plan(stopped), HasSubstr("Thaw(1)"));
}

TEST(BackupPlanTest, LeavesTheFreezesOfOthersToWhoeverLeads) {
  BackupView view = Frozen();
  view.leads = view.may_freeze = false;
  EXPECT_EQ(Plan(view), "Look") << "it may be thawed already";
  view.looked = true;
  EXPECT_THAT(Plan(view), HasSubstr("Thaw(1)"));
  view.own_freeze = false;
  view.targets.assign(1, {});
  EXPECT_EQ(Plan(view), "");
  EXPECT_EQ(PlanBackup(view, kNow).requeue_after, 1s) << "the lease may be renewed late";
}

TEST(BackupPlanTest, ThawsFirstAfterARestart) {
  BackupView view = Frozen();
  view.own_freeze = false;
  view.targets.assign(1, {});
  EXPECT_EQ(Plan(view), "Thaw(1) Write(Thawing/ThawedAfterRestart) !ThawedAfterRestart");
}

// It may lie in the network still: who sent it was asked nothing.
TEST(BackupPlanTest, CountsAThawThatTheControllerBeforeMayHaveSent) {
  for (const bool own : {true, false}) {
    BackupView view = ThawedAndRechecked();
    view.own_freeze = own;
    const BackupPlan plan = PlanBackup(view, kNow);
    ASSERT_NE(Written(plan), nullptr);
    const api::FreezeTarget& thawed = Written(plan)->freeze->targets[0];
    EXPECT_EQ(thawed.state, api::FreezeState::kThawed);
    EXPECT_EQ(thawed.thaw_attempts, own ? 0 : 2);
  }
}

// Its write was given up, and landed all the same: other pods may be there by now.
TEST(BackupPlanTest, StepsBackFromAJournalOfAnEarlierLookAtTheApplication) {
  BackupView view = Freezing();
  view.targets.assign(1, {});
  view.read_since = true;
  EXPECT_EQ(Plan(view), "Write(Pending/Queued) ReservePods(0) Queued");
  EXPECT_FALSE(Written(PlanBackup(view, kNow))->freeze);
  EXPECT_EQ(Plan(view, kNow + 1h), "Write(Pending/Queued) ReservePods(0) Queued")
      << "nothing was frozen";
  BackupView frozen = Frozen();
  frozen.read_since = true;
  EXPECT_THAT(Plan(frozen), testing::StartsWith("Create(1)"));
  view.own_freeze = false;
  EXPECT_THAT(Plan(view), HasSubstr("Thaw(1)"));
}

TEST(BackupPlanTest, ToleratesASnapshotErrorForAWhile) {
  BackupView view = Frozen();
  view.snapshots[0] = {
      .exists = true, .ours = true, .uid = "s", .failing_since = kNow, .error = "busy"};
  EXPECT_EQ(Plan(view, kNow + 5s).find("Thaw"), std::string::npos);
  EXPECT_EQ(Plan(view, kNow + 10s), "Thaw(1) Write(Thawing/SnapshotFailed) !SnapshotFailed");
}

TEST(BackupPlanTest, RepeatsAThawThatFails) {
  BackupView view = AllCut();
  view.thaw_began = true;
  hooks::RememberThaw(view.targets[0].thaw, ExitCode(1), kNow, kNow);
  EXPECT_THAT(Plan(view, kNow + 1s), testing::StartsWith("Thaw(1"));
  EXPECT_EQ(Plan(view, kNow + 1s).find("Completed"), std::string::npos);
}

TEST(BackupPlanTest, EndsWithADebtWhenTheThawIsNeverConfirmedAndGoesOnPayingIt) {
  BackupView view = AllCut();
  view.thaw_began = true;
  view.cut_before_thaw = true;
  view.recheck = GroupRecheck{.containers = {{"mysql-0-uid", {{"db", "c1"}}}}};
  hooks::RememberThaw(view.targets[0].thaw, ExitCode(1), kNow, kNow);
  const api::Time late = kNow + 30s + 61s;
  view.snapshots[0].ready = true;
  view.snapshots[0].there = true;
  const BackupPlan plan = PlanBackup(view, late);
  ASSERT_NE(Written(plan), nullptr);
  EXPECT_EQ(Written(plan)->phase, api::BackupPhase::kPartiallyFailed);
  EXPECT_TRUE(ThawOwed(*Written(plan)));
  EXPECT_EQ(Words(plan).find("RemoveFinalizer"), std::string::npos);

  view.backup.status = *Written(plan);
  EXPECT_THAT(Plan(view, late + 1h), HasSubstr("Thaw(1"));
  ThawSucceeds(view);
  const BackupPlan paid = PlanBackup(view, late + 1h);
  EXPECT_FALSE(ThawOwed(*Written(paid)));
  EXPECT_THAT(Words(paid), HasSubstr("RemoveFinalizer"));
}

// Its node is out of reach, and a snapshot takes its time.
TEST(BackupPlanTest, GoesOnThawingWhileItWaitsForTheSnapshots) {
  BackupView view = AllCut();
  view.backup.spec.on_inconsistent = api::OnInconsistent::kKeep;
  view.thaw_began = view.cut_before_thaw = true;
  view.recheck = GroupRecheck{};
  const hooks::HookResult lost{.outcome = hooks::Outcome::kNotStarted};
  hooks::RememberThaw(view.targets[0].thaw, lost, kNow, kNow);
  const api::Time late = kNow + 30s + 61s;
  view.backup.status = *Written(PlanBackup(view, late));
  ASSERT_EQ(view.backup.status.phase, api::BackupPhase::kWaitingReady);
  ASSERT_TRUE(ThawOwed(view.backup.status));

  EXPECT_THAT(Plan(view, late + 1s), HasSubstr("Thaw(1"));
  ThawSucceeds(view);
  const BackupPlan paid = PlanBackup(view, late + 1s);
  EXPECT_FALSE(ThawOwed(*Written(paid)));
  EXPECT_EQ(Written(paid)->phase, api::BackupPhase::kWaitingReady);
}

}  // namespace
}  // namespace stillpoint::controllers
