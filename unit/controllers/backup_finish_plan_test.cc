// PlanBackup after the thaw: its snapshots until they are ready, and what becomes of them.
#include "controllers/backup_plan.h"

#include "api/conditions.h"
#include "unit/controllers/backup_view_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillpoint::controllers {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// And its snapshot was looked for, past the cache.
BackupView Waiting() {
  BackupView view = ThawedAndRechecked();
  view.backup.status = *Written(PlanBackup(view, kNow));
  view.snapshots[0].there = true;
  return view;
}

BackupView Completed() {
  BackupView view = Waiting();
  view.snapshots[0].ready = true;
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

// Its watch may be dead without a sign.
TEST(BackupPlanTest, BelievesNoCacheThatAllSnapshotsAreThere) {
  BackupView view = Waiting();
  view.snapshots[0].ready = true;
  view.snapshots[0].there.reset();
  EXPECT_EQ(Plan(view), "Ask(1)");
  view.snapshots[0].asking = true;
  EXPECT_EQ(Plan(view), "");
  view.snapshots[0].there = false;
  EXPECT_EQ(Written(PlanBackup(view, kNow))->reason, "SnapshotDeletedOutside");
  view.backup.status.volumes[0].snapshot_uid.clear();  // its record was not worth a write so far
  EXPECT_EQ(Written(PlanBackup(view, kNow))->reason, "SnapshotDeletedOutside");
}

// Neither its UID nor anything else of it was on record.
TEST(BackupPlanTest, MakesNoSnapshotASecondTime) {
  BackupView view = Waiting();
  view.backup.status.volumes[0].snapshot_uid.clear();
  view.snapshots[0] = {.first_uid = "s0-uid"};
  EXPECT_EQ(Plan(view).find("Create"), std::string::npos);
  EXPECT_EQ(Written(PlanBackup(view, kNow))->reason, "SnapshotDeletedOutside");
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

// The thaw was confirmed before the snapshots were listed, and their cut is under way.
TEST(BackupPlanTest, IsNoLongerCuttingWhenItHasFailed) {
  BackupView view = Frozen();
  view.own_freeze = false;
  view.backup.status.freeze->targets[0].state = api::FreezeState::kThawed;
  view.targets.assign(1, {});
  view.snapshots[0] = {.exists = true, .ours = true, .uid = "s", .created_at = kNow};
  EXPECT_EQ(Plan(view), "Write(Thawing/ThawedAfterRestart) !ThawedAfterRestart Thawed");
  view.backup.metadata.deletion_timestamp = kNow;
  EXPECT_EQ(Plan(view), "Write(Thawing/Cancelled)");
}

TEST(BackupPlanTest, NoticesASnapshotDeletedByHand) {
  BackupView view = Waiting();
  view.snapshots[0] = {};
  EXPECT_THAT(Written(PlanBackup(view, kNow))->reason, "SnapshotDeletedOutside");
}

TEST(BackupPlanTest, DeletionKeepsOrRemovesTheSnapshotsAsThePolicySays) {
  BackupView view = Completed();
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

// The next backup reads here that such a thaw may still come.
TEST(BackupPlanTest, StaysOnRecordForAsLongAsAThawOfItMayComeLate) {
  BackupView view = Completed();
  view.snapshots[0].owned = false;
  api::FreezeTarget& sent = view.backup.status.freeze->targets[0];
  sent.post_command = {"/unlock"};
  sent.thaw_attempts = 2;
  sent.thawed_at = kNow - 1min;
  EXPECT_EQ(Plan(view), "");
  EXPECT_EQ(PlanBackup(view, kNow).requeue_after, 1min);
  EXPECT_EQ(Plan(view, kNow + 1min), "RemoveFinalizer");
  view.backup.metadata.deletion_timestamp = kNow;
  const BackupPlan waits = PlanBackup(view, kNow);
  EXPECT_EQ(Words(waits), "Write(Completed/Succeeded)");
  EXPECT_EQ(waits.requeue_after, 1min);
  ASSERT_NE(Written(waits), nullptr);
  view.backup.status = *Written(waits);
  EXPECT_EQ(api::FindCondition(view.backup.status.conditions, "Reconciling")->reason,
            "ThawMayComeLate");
  EXPECT_EQ(Plan(view), "");
  EXPECT_EQ(Plan(view, kNow + 1min), "RemoveFinalizer");
  view.backup.status.freeze->targets[0].thawed_at.reset();  // nobody will know
  EXPECT_EQ(Plan(view), "RemoveFinalizer");
}

TEST(BackupPlanTest, ExpiresAfterItsTtlUnlessARestoreUsesIt) {
  BackupView view = Completed();
  view.backup.spec.ttl = 1h;
  view.backup.metadata.finalizers.clear();
  view.snapshots[0].owned = false;
  EXPECT_EQ(PlanBackup(view, kNow + 59min).requeue_after, 1min);
  EXPECT_EQ(Plan(view, kNow + 1h), "DeleteBackup");
  view.in_use_by_restore = true;
  EXPECT_EQ(Plan(view, kNow + 1h), "");
}

TEST(BackupPlanTest, ReadyTurnsFalseWhenSomebodyDeletesASnapshotLater) {
  BackupView view = Completed();
  view.backup.metadata.finalizers.clear();
  view.snapshots[0].owned = false;
  EXPECT_EQ(Plan(view), "");
  view.snapshots[0] = {};
  EXPECT_EQ(Plan(view), "Write(Completed/SnapshotDeletedOutside) !SnapshotDeletedOutside");
}

TEST(BackupPlanTest, JudgesNoSnapshotBeforeTheListIsThere) {
  BackupView ready = Completed();
  ready.backup.metadata.finalizers.clear();
  ready.snapshots[0] = {};
  ready.lists_known = false;
  EXPECT_EQ(Plan(ready), "");
  BackupView frozen = Frozen();
  frozen.own_freeze = false;
  frozen.targets.assign(1, {});
  frozen.lists_known = false;
  EXPECT_EQ(Plan(frozen), "Thaw(1)");
  BackupView deleted = Waiting();
  deleted.backup.metadata.deletion_timestamp = kNow;
  deleted.lists_known = false;
  EXPECT_EQ(Plan(deleted), "");
  EXPECT_TRUE(PlanBackup(deleted, kNow).requeue_after);
}

TEST(BackupPlanTest, WritesNoJournalBeforeTheListIsThere) {
  BackupView view = Resolved();
  view.lists_known = false;
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

}  // namespace
}  // namespace stillpoint::controllers
