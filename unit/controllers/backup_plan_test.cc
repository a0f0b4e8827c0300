// PlanBackup up to the word that a group was still while it was cut.
#include "controllers/backup_plan.h"

#include "api/conditions.h"
#include "unit/controllers/backup_view_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillpoint::controllers {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// ---- before the freeze ------------------------------------------------------------------------

TEST(BackupPlanTest, ReadsTheApplicationFirst) {
  EXPECT_EQ(Plan({.backup = Backup(), .identity = "me"}), "ReadFacts");
}

TEST(BackupPlanTest, TakesTheFinalizerBeforeTheJournal) {
  BackupView view = Resolved();
  view.backup.metadata.finalizers.clear();
  EXPECT_EQ(Plan(view), "AddFinalizer");
}

TEST(BackupPlanTest, WritesTheJournalBeforeThePreHook) {
  const BackupPlan plan = PlanBackup(Resolved(), kNow);
  EXPECT_EQ(Words(plan),
            "ReservePods(1) Write(Freezing/FreezeStarted) AskRestores Resolved FreezeStarted");
  const auto& freeze = *Written(plan)->freeze;
  EXPECT_EQ(freeze.deadline, kNow + 30s);
  EXPECT_EQ(freeze.holder, "me");
  EXPECT_EQ(freeze.targets.at(0).state, api::FreezeState::kIntended);
  EXPECT_EQ(freeze.targets.at(0).pod_uid, "mysql-0-uid");
}

TEST(BackupPlanTest, WaitsBehindAnotherBackupOfThePod) {
  BackupView view = Resolved();
  view.queued_behind = "backup other still holds a pod of this group";
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Words(plan), "Write(Pending/Queued) Queued");
  EXPECT_EQ(plan.requeue_after, 1s);
}

TEST(BackupPlanTest, FreezesNothingWithoutTheLease) {
  BackupView view = Resolved();
  view.may_freeze = false;
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Words(plan).find("Pre("), std::string::npos);
  EXPECT_EQ(Words(plan).find("Freezing"), std::string::npos);
  EXPECT_TRUE(plan.requeue_after);
}

TEST(BackupPlanTest, RefusesBeforeTheFreezeWithTheReasonPerClaim) {
  BackupView view = Resolved();
  view.facts->claims[0].phase = "Pending";
  view.backup.metadata.finalizers.clear();
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Words(plan), "Write(Failed/ClaimNotBound) !ClaimNotBound !Failed");
  EXPECT_THAT(Written(plan)->volumes.at(0).error, HasSubstr("claim data is Pending"));
  EXPECT_TRUE(api::IsTrue(Written(plan)->conditions, "Finished"));
}

TEST(BackupPlanTest, CancelBeforeTheFreezeEndsIt) {
  BackupView view = Resolved();
  view.backup.spec.cancel = true;
  EXPECT_EQ(Plan(view), "Write(Cancelled/Cancelled) RemoveFinalizer Cancelled");
}

TEST(BackupPlanTest, WithoutHooksItCutsAtOnceAndSaysCrash) {
  BackupView view = Resolved();
  view.facts->pods[0].hook.annotations.clear();
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Words(plan), "Write(Cutting/Resolved) Create(1) Resolved");
  EXPECT_EQ(Written(plan)->consistency, api::Consistency::kCrash);
  EXPECT_EQ(Written(plan)->consistency_reason, "NoHooks");
}

TEST(BackupPlanTest, NamesThePodsThatNothingHoldsStill) {
  BackupView view = Resolved();
  GroupPod web = view.facts->pods[0];
  web.hook.name = "web-0";
  web.hook.uid = "web-uid";
  web.hook.annotations.clear();
  GroupPod cache = web;  // it has no volume to write to
  cache.hook.name = "cache-0";
  cache.hook.uid = "cache-uid";
  cache.claims.clear();
  view.facts->pods.push_back(web);
  view.facts->pods.push_back(cache);
  EXPECT_THAT(PlanResolve(view.backup, *view.facts).writers,
              testing::ElementsAre("pod web-0 uses a volume of this backup and has no pre-hook"));
}

TEST(BackupPlanTest, NamesThePodsThatEndOnlyAfterTheCutOrAreNotOfTheGroup) {
  BackupView view = Resolved();
  GroupPod old = view.facts->pods[0];
  old.hook.name = "old-0";
  old.hook.uid = "old-uid";
  old.goes_by = kNow;
  GroupPod done = old;
  done.hook.name = "done-0";
  done.phase = "Succeeded";
  view.facts->pods.push_back(old);
  view.facts->pods.push_back(done);
  view.facts->others = {{.name = "import-1", .claims = old.claims},
                        {.name = "other-1", .claims = {"another-claim"}}};
  EXPECT_THAT(
      PlanResolve(view.backup, *view.facts).writers,
      testing::ElementsAre("pod old-0 uses a volume of this backup and is still being deleted",
                           HasSubstr("pod import-1 is not of deployment/")));
}

// ---- the freeze -------------------------------------------------------------------------------

TEST(BackupPlanTest, CutsBeforeItWritesThatItIsFrozen) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.targets[0].pre = Success();
  EXPECT_EQ(Plan(view), "Create(1) Prepare(1) Write(Cutting/Frozen) Frozen");
}

// Where it can wait for the word to begin, and once.
TEST(BackupPlanTest, PreparesTheThawOfEachConfirmedPostHookWithAScript) {
  BackupView frozen = Freezing();
  frozen.targets[0].thaw.pre_hook_running = false;
  frozen.targets[0].pre = Success();
  EXPECT_THAT(Plan(frozen), testing::HasSubstr("Create(1) Prepare(1)"));

  BackupView view = frozen;
  view.targets[0].thaw_prepared = true;
  EXPECT_THAT(Plan(view), testing::Not(testing::HasSubstr("Prepare")));
  view = frozen;
  view.backup.status.freeze->targets[0].post_command = {"rm", "-f", "/frozen"};
  EXPECT_THAT(Plan(view), testing::Not(testing::HasSubstr("Prepare")));
  view = frozen;
  view.backup.status.freeze->targets[0].post_command.clear();
  EXPECT_THAT(Plan(view), testing::Not(testing::HasSubstr("Prepare")));
  view = frozen;
  view.targets[0].pre = ExitCode(1);
  view.backup.status.freeze->targets[0].on_error = api::OnError::kContinue;
  EXPECT_THAT(Plan(view), testing::Not(testing::HasSubstr("Prepare")));
  view = frozen;
  view.backup.spec.cancel = true;
  EXPECT_THAT(Plan(view), testing::Not(testing::HasSubstr("Prepare")));
}

TEST(BackupPlanTest, AsksForRestoresBetweenTheJournalAndThePreHook) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.held_after_journal.reset();
  EXPECT_EQ(Plan(view), "AskRestores");
}

TEST(BackupPlanTest, StepsBackFromTheJournalWhenARestoreHasBegunMeanwhile) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.held_after_journal = "restore undo is changing deployment/mysql";
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Words(plan), "Write(Pending/Queued) ReservePods(0) Queued");
  EXPECT_FALSE(Written(plan)->freeze);
  EXPECT_TRUE(Written(plan)->volumes.empty());
}

TEST(BackupPlanTest, ARestoreThatComesLaterDoesNotStopAFreezeThatHasBegun) {
  BackupView view = Freezing();
  view.held_after_journal = "restore undo is changing deployment/mysql";
  EXPECT_EQ(Plan(view), "");
}

TEST(BackupPlanTest, SendsThePreHookWhenNoRestoreIsInTheWay) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  EXPECT_EQ(Plan(view), "Pre(1)");
}

TEST(BackupPlanTest, ThawsBeforeAnyWriteOnceAllIsCut) {
  EXPECT_THAT(Plan(AllCut()), testing::StartsWith("Thaw(1, after the cut)"));
}

TEST(BackupPlanTest, WithoutAPostHookTheCutsAreStillBeforeTheThaw) {
  BackupView view = AllCut();
  view.backup.status.freeze->targets[0].post_command.clear();
  EXPECT_EQ(Plan(view), "Thaw(0, after the cut) Recheck");
  view.thaw_began = view.cut_before_thaw = true;
  view.recheck =
      GroupRecheck{.containers = {{"mysql-0-uid", {{"db", "c1"}}}}, .answers = {{0, Success()}}};
  EXPECT_EQ(Written(PlanBackup(view, kNow))->consistency, api::Consistency::kApplication);
}

TEST(BackupPlanTest, AsksTheContainerThatNoPostHookRunsIn) {
  BackupView view = AllCut();
  view.backup.status.freeze->targets[0].post_command.clear();
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(plan.actions.back(), BackupAction(RecheckGroup{{0}}));
}

// The status of its pod is as old as the silence of its node.
TEST(BackupPlanTest, IsNoApplicationWithoutAnAnswerFromTheContainerAfterTheCut) {
  BackupView view = AllCut();
  view.backup.status.freeze->targets[0].post_command.clear();
  view.thaw_began = view.cut_before_thaw = true;
  view.recheck = GroupRecheck{.containers = {{"mysql-0-uid", {{"db", "c1"}}}},
                              .answers = {{0, {.outcome = hooks::Outcome::kNotStarted}}}};
  EXPECT_EQ(Written(PlanBackup(view, kNow))->reason, "Inconsistent");
  view.recheck->answers[0] = Success("c2");
  EXPECT_EQ(Written(PlanBackup(view, kNow))->reason, "Inconsistent");
  view.backup.spec.on_inconsistent = api::OnInconsistent::kKeep;
  EXPECT_EQ(Written(PlanBackup(view, kNow))->consistency, api::Consistency::kCrash);
}

TEST(BackupPlanTest, AnImageWithoutAShellAnswersToo) {
  BackupView view = AllCut();
  view.backup.status.freeze->targets[0].post_command.clear();
  view.thaw_began = view.cut_before_thaw = true;
  view.recheck = GroupRecheck{.containers = {{"mysql-0-uid", {{"db", "c1"}}}},
                              .answers = {{0,
                                           {.outcome = hooks::Outcome::kNotStarted,
                                            .container_id = "c1",
                                            .ended = true,
                                            .code = api::Code::kInvalid}}}};
  EXPECT_EQ(Written(PlanBackup(view, kNow))->consistency, api::Consistency::kApplication);
}

TEST(BackupPlanTest, SaysThatItThawsWhileItDoes) {
  EXPECT_EQ(Written(PlanBackup(AllCut(), kNow))->phase, api::BackupPhase::kThawing);
}

TEST(BackupPlanTest, OwesNoThawWhereThePreHookNeverBegan) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.targets[0].pre =
      hooks::HookResult{.outcome = hooks::Outcome::kNotStarted, .ended = true, .error = "no shell"};
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_THAT(Words(plan), HasSubstr("Write(Failed/HookFailed)"));
  EXPECT_THAT(Words(plan), Not(HasSubstr("Thaw(")));
}

TEST(BackupPlanTest, LooksAtThePodsAfterTheThawBeforeItSaysApplication) {
  BackupView view = AllCut();
  ThawSucceeds(view);
  EXPECT_EQ(Plan(view), "Recheck");
}

TEST(BackupPlanTest, SaysApplicationWhenTheContainerLivedOn) {
  const BackupPlan plan = PlanBackup(ThawedAndRechecked(), kNow);
  ASSERT_NE(Written(plan), nullptr);
  EXPECT_EQ(Written(plan)->consistency, api::Consistency::kApplication);
  EXPECT_EQ(Written(plan)->phase, api::BackupPhase::kWaitingReady);
}

TEST(BackupPlanTest, SaysCrashWhenAPodWithoutAHookMayHaveWritten) {
  BackupView view = ThawedAndRechecked();
  view.writers = {"pod web-0 uses a volume of this backup and has no pre-hook"};
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Written(plan)->consistency, api::Consistency::kCrash);
  EXPECT_EQ(Written(plan)->consistency_reason, "NoHooks");
  EXPECT_THAT(Words(plan), HasSubstr("!Inconsistent"));
  EXPECT_EQ(Written(plan)->phase, api::BackupPhase::kWaitingReady);
}

// An argv waits for no word to begin, so that a late one may have run in this freeze.
TEST(BackupPlanTest, DoesNotSayApplicationWhereAThawOfAnotherBackupMayHaveComeLate) {
  const api::VolumeBackup backup = ThawedAndRechecked().backup;
  api::VolumeBackup other = backup;
  other.metadata.name = "earlier";
  api::FreezeTarget& sent = other.status.freeze->targets[0];
  sent.post_command = {"/unlock"};
  sent.thaw_attempts = 2;
  sent.thawed_at = kNow - 2min;
  EXPECT_THAT(StrayThaw(backup, other), HasSubstr("backup earlier has sent its post-hook to "));
  sent.thawed_at = kNow - 121s;
  EXPECT_EQ(StrayThaw(backup, other), "");
  sent.thawed_at.reset();  // it is still being tried
  EXPECT_NE(StrayThaw(backup, other), "");
  sent.thaw_attempts = 1;
  EXPECT_EQ(StrayThaw(backup, other), "");
  sent.thaw_attempts = 2;
  sent.container = "another";
  EXPECT_EQ(StrayThaw(backup, other), "");
  sent.container = "db";
  sent.post_command = {"/bin/sh", "-c", "unlock"};
  EXPECT_EQ(StrayThaw(backup, other), "");

  sent.thawed_at = kNow;
  EXPECT_NE(StrayThaw(backup, other), "") << "it should have waited";

  BackupView view = ThawedAndRechecked();
  view.stray_thaw = "backup earlier has sent its post-hook twice";
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Written(plan)->consistency, std::nullopt);
  EXPECT_EQ(Written(plan)->reason, "Inconsistent");
}

// 52 s: what is sent has 10 s to be connected, 5 s to the word, 31 s to run, and is killed.
TEST(BackupPlanTest, NamesThePodsInWhichAThawMayComeLate) {
  api::VolumeBackupStatus status = ThawedAndRechecked().backup.status;
  api::FreezeTarget& sent = status.freeze->targets[0];
  sent.post_command = {"/bin/sh", "-c", "unlock"};
  sent.timeout = 30s;
  sent.thawed_at = kNow;
  EXPECT_THAT(PodsToThawLate(status, kNow), IsEmpty());
  sent.thaw_attempts = 2;
  EXPECT_THAT(PodsToThawLate(status, kNow + 51s), ElementsAre("mysql-0-uid"));
  EXPECT_THAT(PodsToThawLate(status, kNow + 52s), IsEmpty());
  sent.post_command = {"/unlock"};
  EXPECT_THAT(PodsToThawLate(status, kNow), IsEmpty()) << "nobody waits for that long";
}

TEST(BackupPlanTest, FailsWhenAClaimWasReplacedBeforeItWasCut) {
  BackupView view = ThawedAndRechecked();
  view.snapshots[0].source_volume_handle = "new-volume";
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Written(plan)->consistency, std::nullopt);
  EXPECT_THAT(Written(plan)->volumes[0].error, HasSubstr("cut from volume new-volume"));
  EXPECT_THAT(Words(plan), HasSubstr("!Inconsistent"));
}

TEST(BackupPlanTest, FailsWhenTheContainerWasRestartedDuringTheFreeze) {
  BackupView view = ThawedAndRechecked();
  view.recheck->containers["mysql-0-uid"]["db"] = "c2";
  EXPECT_THAT(Plan(view), HasSubstr("Delete(1)"));
  EXPECT_EQ(Written(PlanBackup(view, kNow))->reason, "PodReplaced");
}

TEST(BackupPlanTest, KeepsItAsCrashWhenAskedTo) {
  BackupView view = ThawedAndRechecked();
  view.backup.spec.on_inconsistent = api::OnInconsistent::kKeep;
  view.recheck->changed = true;
  const BackupPlan changed = PlanBackup(view, kNow);
  EXPECT_EQ(Written(changed)->consistency_reason, "PodReplaced");
  view.recheck->changed = false;
  view.recheck->newcomers = {"mysql-1"};
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Written(plan)->consistency, api::Consistency::kCrash);
  EXPECT_EQ(Written(plan)->consistency_reason, "PodReplaced");
  EXPECT_EQ(Written(plan)->phase, api::BackupPhase::kWaitingReady);
}

TEST(BackupPlanTest, ASessionLockIsNoStillPointButNoFailureEither) {
  BackupView view = ThawedAndRechecked();
  view.backup.status.freeze->targets[0].session_lock = true;
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Written(plan)->consistency, api::Consistency::kCrash);
  EXPECT_EQ(Written(plan)->consistency_reason, "SessionLockInOneShotHook");
  EXPECT_EQ(Written(plan)->phase, api::BackupPhase::kWaitingReady);
}

TEST(BackupPlanTest, NeverSaysApplicationWhenTheThawCameBeforeTheLastCut) {
  BackupView view = ThawedAndRechecked();
  view.cut_before_thaw = false;
  EXPECT_EQ(Written(PlanBackup(view, kNow))->consistency, std::nullopt);
  EXPECT_TRUE(api::IsTrue(Written(PlanBackup(view, kNow))->conditions, "Failed"));
}

}  // namespace
}  // namespace stillpoint::controllers
