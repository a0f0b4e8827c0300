#include "controllers/backup_plan.h"

#include "api/conditions.h"
#include "unit/controllers/backup_view_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillpoint::controllers {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string Plan(const BackupView& view, api::Time now = kNow) {
  return Words(PlanBackup(view, now));
}

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
  EXPECT_THAT(PlanResolve(view.backup, *view.facts).writers, testing::ElementsAre("web-0"));
}

// ---- the freeze -------------------------------------------------------------------------------

TEST(BackupPlanTest, CutsBeforeItWritesThatItIsFrozen) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.targets[0].pre = Success();
  EXPECT_EQ(Plan(view), "Create(1) Write(Cutting/Frozen) Frozen");
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
  view.writers = {"web-0"};
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_EQ(Written(plan)->consistency, api::Consistency::kCrash);
  EXPECT_EQ(Written(plan)->consistency_reason, "NoHooks");
  EXPECT_THAT(Words(plan), HasSubstr("!Inconsistent"));
  EXPECT_EQ(Written(plan)->phase, api::BackupPhase::kWaitingReady);
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

// ---- every way to lose it ---------------------------------------------------------------------

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

TEST(BackupPlanTest, ThawsFirstAfterARestart) {
  BackupView view = Frozen();
  view.own_freeze = false;
  view.targets.assign(1, {});
  EXPECT_EQ(Plan(view), "Thaw(1) Write(Thawing/ThawedAfterRestart) !ThawedAfterRestart");
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

// ---- after the thaw ---------------------------------------------------------------------------

BackupView Waiting() {
  BackupView view = ThawedAndRechecked();
  view.backup.status = *Written(PlanBackup(view, kNow));
  return view;
}

TEST(BackupPlanTest, WaitsForNoSnapshotOfAnotherVolume) {
  BackupView view = Waiting();
  view.snapshots[0].source_volume_handle = "new-volume";
  EXPECT_EQ(Written(PlanBackup(view, kNow))->reason, "SnapshotDeletedOutside");
}

TEST(BackupPlanTest, CompletesWhenEverySnapshotIsReady) {
  BackupView view = Waiting();
  view.snapshots[0].ready = true;
  EXPECT_EQ(Plan(view),
            "Write(Completed/Succeeded) Release(1) RemoveFinalizer SnapshotsReady Completed");
}

BackupView Completed() {
  BackupView view = Waiting();
  view.snapshots[0].ready = true;
  view.backup.status = *Written(PlanBackup(view, kNow));
  return view;
}

// After a crash between the two, or a write that failed.
TEST(BackupPlanTest, LetsNoBackupGoThatStillOwnsWhatItIsToKeep) {
  BackupView view = Completed();
  EXPECT_EQ(Plan(view), "Release(1) RemoveFinalizer");
  view.backup.metadata.deletion_timestamp = kNow;
  EXPECT_EQ(Plan(view), "Release(1) RemoveFinalizer");
  view.snapshots[0].owned = false;
  EXPECT_EQ(Plan(view), "RemoveFinalizer");
}

// What the cache does not have may be there, and would go with its backup.
TEST(BackupPlanTest, ReleasesASnapshotThatItDoesNotSeeBeforeItsFinalizerGoes) {
  BackupView view = Completed();
  view.snapshots[0] = {};
  EXPECT_THAT(Plan(view), HasSubstr("Release(1) RemoveFinalizer"));
  view.backup.metadata.finalizers.clear();
  EXPECT_EQ(Plan(view).find("Release"), std::string::npos);
}

TEST(BackupPlanTest, OwnsNoMoreWhenItsPolicyBecomesRetain) {
  BackupView view = Completed();
  view.backup.spec.deletion_policy = api::DeletionPolicy::kDelete;
  EXPECT_EQ(Plan(view), "");
  view.backup.spec.deletion_policy = api::DeletionPolicy::kRetain;
  EXPECT_EQ(Plan(view), "Release(1) RemoveFinalizer");
}

TEST(BackupPlanTest, ReleasesNothingOfABackupThatFails) {
  BackupView view = Waiting();
  view.backup.metadata.deletion_timestamp = kNow;
  EXPECT_EQ(Plan(view).find("Release"), std::string::npos);
  view.snapshots[0] = {};
  EXPECT_THAT(Plan(view), HasSubstr("RemoveFinalizer"));
  EXPECT_EQ(Plan(view).find("Release"), std::string::npos);
}

// A create that lay in the network, after somebody has deleted the snapshot.
TEST(BackupPlanTest, KeepsNoSnapshotThatCameInThePlaceOfItsOwn) {
  BackupView view = Waiting();
  view.snapshots[0].uid = "another";
  view.snapshots[0].ready = true;
  EXPECT_EQ(Written(PlanBackup(view, kNow))->reason, "SnapshotDeletedOutside");
  BackupView completed = Completed();
  completed.snapshots[0].uid = "another";
  EXPECT_EQ(Plan(completed),
            "Write(Completed/SnapshotDeletedOutside) RemoveFinalizer !SnapshotDeletedOutside");
}

// A controller that came after the cut.
TEST(BackupPlanTest, AsksWhoseVolumeWasCutBeforeItCompletes) {
  BackupView view = Waiting();
  view.snapshots[0].ready = true;
  view.snapshots[0].source_volume_handle.clear();
  EXPECT_EQ(Plan(view).find("Completed"), std::string::npos);
  EXPECT_NE(Plan(view).find("ReadContents"), std::string::npos);
  view.snapshots[0].content_asked = true;  // and may not be told
  EXPECT_NE(Plan(view).find("Write(Completed/Succeeded)"), std::string::npos);
}

TEST(BackupPlanTest, KeepsTheFinalizerWhileItOwnsSnapshotsToDelete) {
  BackupView view = Waiting();
  view.backup.spec.deletion_policy = api::DeletionPolicy::kDelete;
  view.snapshots[0].ready = true;
  EXPECT_EQ(Plan(view), "Write(Completed/Succeeded) SnapshotsReady Completed");
}

TEST(BackupPlanTest, DoesNotTrustASnapshotOfAnotherVolume) {
  BackupView view = Waiting();
  view.snapshots[0].ready = true;
  view.snapshots[0].source_volume_handle = "somebody-else";
  EXPECT_EQ(Plan(view).find("Completed"), std::string::npos);
}

TEST(BackupPlanTest, GivesUpAtReadyTimeoutAndLeavesNothing) {
  BackupView view = Waiting();
  EXPECT_THAT(Plan(view, kNow + 10min), HasSubstr("Delete(1)"));
  BackupView removed = view;
  removed.backup.status = *Written(PlanBackup(view, kNow + 10min));
  removed.snapshots[0].exists = false;
  EXPECT_EQ(Written(PlanBackup(removed, kNow + 10min))->phase, api::BackupPhase::kFailed);
  EXPECT_EQ(Written(PlanBackup(removed, kNow + 10min))->reason, "SnapshotNotReady");
}

TEST(BackupPlanTest, DeletesNoSnapshotWhileItsCutIsUnderWay) {
  BackupView view = Frozen();
  view.snapshots[0] = {.exists = true, .ours = true, .uid = "s", .created_at = kNow};
  view.backup.spec.cancel = true;
  ThawSucceeds(view);
  const BackupPlan waiting = PlanBackup(view, kNow + 1s);
  EXPECT_EQ(Words(waiting).find("Delete"), std::string::npos);
  EXPECT_EQ(Written(waiting)->phase, api::BackupPhase::kThawing);
  EXPECT_EQ(waiting.requeue_after, 29s);
  EXPECT_THAT(Plan(view, kNow + 30s), HasSubstr("Delete(1)"));
  view.snapshots[0].cut = true;
  EXPECT_THAT(Plan(view, kNow + 1s), HasSubstr("Delete(1)"));
}

TEST(BackupPlanTest, NoticesASnapshotDeletedByHand) {
  BackupView view = Waiting();
  view.snapshots[0] = {};
  EXPECT_THAT(Written(PlanBackup(view, kNow))->reason, "SnapshotDeletedOutside");
}

TEST(BackupPlanTest, DeletionKeepsOrRemovesTheSnapshotsAsThePolicySays) {
  BackupView view = Waiting();
  view.snapshots[0].ready = true;
  view.backup.status = *Written(PlanBackup(view, kNow));
  view.snapshots[0].owned = false;
  view.backup.metadata.deletion_timestamp = kNow;
  EXPECT_EQ(Plan(view), "RemoveFinalizer");
  view.backup.spec.deletion_policy = api::DeletionPolicy::kDelete;
  EXPECT_EQ(Plan(view), "Delete(1)");
  view.snapshots[0].terminating = true;
  EXPECT_EQ(Plan(view), "RemoveFinalizer");
  view.snapshots[0].terminating = false;
  view.in_use_by_restore = true;
  EXPECT_EQ(Plan(view), "");
  EXPECT_TRUE(PlanBackup(view, kNow).requeue_after);
}

TEST(BackupPlanTest, ExpiresAfterItsTtlUnlessARestoreUsesIt) {
  BackupView view = Waiting();
  view.backup.spec.ttl = 1h;
  view.snapshots[0].ready = true;
  view.backup.status = *Written(PlanBackup(view, kNow));
  view.backup.metadata.finalizers.clear();
  view.snapshots[0].owned = false;
  EXPECT_EQ(PlanBackup(view, kNow + 59min).requeue_after, 1min);
  EXPECT_EQ(Plan(view, kNow + 1h), "DeleteBackup");
  view.in_use_by_restore = true;
  EXPECT_EQ(Plan(view, kNow + 1h), "");
}

TEST(BackupPlanTest, ReadyTurnsFalseWhenSomebodyDeletesASnapshotLater) {
  BackupView view = Waiting();
  view.snapshots[0].ready = true;
  view.backup.status = *Written(PlanBackup(view, kNow));
  view.backup.metadata.finalizers.clear();
  view.snapshots[0].owned = false;
  EXPECT_EQ(Plan(view), "");
  view.snapshots[0] = {};
  EXPECT_EQ(Plan(view), "Write(Completed/SnapshotDeletedOutside) !SnapshotDeletedOutside");
}

TEST(BackupPlanTest, JudgesNoSnapshotBeforeTheListIsThere) {
  BackupView ready = Waiting();
  ready.snapshots[0].ready = true;
  ready.backup.status = *Written(PlanBackup(ready, kNow));
  ready.backup.metadata.finalizers.clear();
  ready.snapshots[0] = {};
  ready.snapshots_known = false;
  EXPECT_EQ(Plan(ready), "");
  BackupView frozen = Frozen();
  frozen.own_freeze = false;
  frozen.targets.assign(1, {});
  frozen.snapshots_known = false;
  EXPECT_EQ(Plan(frozen), "Thaw(1)");
  BackupView deleted = Waiting();
  deleted.backup.metadata.deletion_timestamp = kNow;
  deleted.snapshots_known = false;
  EXPECT_EQ(Plan(deleted), "");
  EXPECT_TRUE(PlanBackup(deleted, kNow).requeue_after);
}

TEST(BackupPlanTest, WritesNoJournalBeforeTheListIsThere) {
  BackupView view = Resolved();
  view.snapshots_known = false;
  const BackupPlan plan = PlanBackup(view, kNow);
  EXPECT_THAT(Words(plan), Not(HasSubstr("Freezing")));
  EXPECT_TRUE(plan.requeue_after);
}

TEST(BackupPlanTest, SendsNoPreHookThatNobodyWouldThaw) {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.backup.status.freeze->targets[0].state = api::FreezeState::kThawed;
  EXPECT_EQ(Plan(view), "");
}

TEST(BackupPlanTest, RemovesWhatAZombieCreatedAfterTheFailure) {
  BackupView view = Freezing();
  view.backup.metadata.finalizers.clear();
  view.backup.status.phase = api::BackupPhase::kFailed;
  view.backup.status.freeze->targets[0].state = api::FreezeState::kThawed;
  view.snapshots[0] = {.exists = true, .ours = true, .uid = "late"};
  EXPECT_THAT(Plan(view), HasSubstr("Delete(1)"));
}

// ---- held hooks -------------------------------------------------------------------------------

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
