#include "controllers/restore_resolve_plan.h"

#include "controllers/restore_plan.h"
#include "controllers/restore_reasons.h"
#include "unit/controllers/restore_view_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

namespace stillpoint::controllers::restore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr auto kReplace = api::RestoreStrategy::kReplace;

// ---- what is refused, before anything is touched ------------------------------------------------

struct Refusal {
  const char* name;
  std::function<void(View&)> change;
  const char* reason;
  const char* sentence;  // a part of it
};

void PrintTo(const Refusal& refusal, std::ostream* os) {
  *os << refusal.name;
}

class RefusedRestoreTest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedRestoreTest, SaysWhy) {
  View view = Fresh();
  GetParam().change(view);
  const Resolution resolution = Resolve(view);
  ASSERT_FALSE(resolution.problems.empty());
  EXPECT_EQ(resolution.problems.front().reason, GetParam().reason);
  EXPECT_THAT(resolution.problems.front().message, HasSubstr(GetParam().sentence));
}

TEST_P(RefusedRestoreTest, FailsAndTouchesNothing) {
  View view = Fresh();
  GetParam().change(view);
  const Plan plan = PlanRestore(view, kNow);
  ASSERT_TRUE(plan.status);
  EXPECT_EQ(plan.status->phase, api::RestorePhase::kFailed);
  EXPECT_EQ(plan.status->reason, GetParam().reason);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_THAT(plan.notices.back().message, HasSubstr("nothing was touched"));
}

void UseSpecClaims(View& view, std::vector<api::RestoreClaim> claims) {
  view.restore.spec.backup_ref.clear();
  view.restore.spec.application_ref = "db";
  view.restore.spec.claims = std::move(claims);
}

const Refusal kRefusals[] = {
    {"BackupMissing", [](View& v) { v.backups.clear(); }, reason::kBackupNotUsable,
     "spec.backupRef: there is no VolumeBackup nightly"},
    {"BackupFailed",
     [](View& v) {
       v.backups[0].status.phase = api::BackupPhase::kFailed;
       v.backups[0].status.reason = "HookFailed";
     },
     reason::kBackupNotUsable, "not Completed (HookFailed)"},
    {"BackupPartiallyFailed",
     [](View& v) { v.backups[0].status.phase = api::BackupPhase::kPartiallyFailed; },
     reason::kBackupNotUsable, "spec.claims"},
    {"BackupDeleting", [](View& v) { v.backups[0].metadata.deletion_timestamp = kNow; },
     reason::kBackupNotUsable, "is being deleted"},
    {"PinnedBackupReplaced",
     [](View& v) { v.restore.status.backup = api::PinnedBackup{"nightly", "another"}; },
     reason::kBackupNotUsable, "no VolumeBackup nightly any more"},
    {"SnapshotMissing", [](View& v) { v.snapshots.clear(); }, reason::kBackupNotUsable,
     "VolumeBackup nightly: claim data: VolumeSnapshot data-snap does not exist"},
    {"SnapshotReplaced", [](View& v) { v.snapshots["data-snap"].uid = "x"; },
     reason::kBackupNotUsable, "is another object"},
    {"SnapshotNotReady",
     [](View& v) {
       v.snapshots["data-snap"].ready = false;
       v.snapshots["data-snap"].error = "no space";
     },
     reason::kBackupNotUsable, "not readyToUse (no space)"},
    {"SnapshotDeleting", [](View& v) { v.snapshots["data-snap"].terminating = true; },
     reason::kBackupNotUsable, "is being deleted"},
    {"NoSnapshotApi",
     [](View& v) { v.snapshots_error = api::Error{api::Code::kNotFound, "no API"}; },
     reason::kSnapshotAPIAbsent, "no API"},
    {"SnapshotsForbidden",
     [](View& v) { v.snapshots_error = api::Error{api::Code::kForbidden, "cannot get"}; },
     reason::kForbidden, "cannot get"},
    {"NothingAtThatTime",
     [](View& v) {
       v.restore.spec.backup_ref.clear();
       v.restore.spec.source = api::RestoreSource{.application_ref = "db", .as_of = kNow - 1h};
     },
     reason::kBackupNotUsable, "no VolumeBackup of deployment/db is Completed at or before"},
    {"TargetMissing", [](View& v) { v.workload.reset(); }, reason::kTargetNotFound,
     "there is no deployment/db"},
    {"TargetUnknown",
     [](View& v) {
       v.backups[0].status.application.reset();
       v.workload.reset();
     },
     reason::kTargetNotFound, "spec.applicationRef"},
    {"TargetMisspelt", [](View& v) { v.restore.spec.application_ref = "job/x"; },
     reason::kTargetNotFound, "\"job\" is no kind of application"},
    {"TargetMountsOtherClaims", [](View& v) { v.workload->claim_volumes[0].claim = "other"; },
     reason::kTargetNotFound, "mounts none of the claims"},
    {"RepointOfStatefulSet", [](View& v) { v.workload->kind = WorkloadKind::kStatefulSet; },
     reason::kNeedsReplace, "`strategy: Replace`"},
    {"RepointOfReplicaSet", [](View& v) { v.workload->kind = WorkloadKind::kReplicaSet; },
     reason::kTargetNotSupported, "`strategy: ClaimsOnly`"},
    {"RepointOfPaused", [](View& v) { v.workload->paused = true; }, reason::kTargetNotSupported,
     "is paused"},
    {"RepointOfOnDelete", [](View& v) { v.workload->on_delete = true; },
     reason::kTargetNotSupported, "OnDelete"},
    {"SizeTooSmall", [](View& v) { v.restore.spec.size = "512Mi"; }, reason::kSizeTooSmall,
     "spec.size: 512Mi is less than the 1Gi"},
    {"ClassMissing", [](View& v) { v.classes["fast"].reset(); }, reason::kStorageClassMissing,
     "there is no StorageClass fast"},
    {"NoClass", [](View& v) { v.backups[0].status.volumes[0].source.storage_class_name.clear(); },
     reason::kStorageClassMissing, "set spec.storageClassName"},
    {"NewNameTaken",
     [](View& v) {
       UseSpecClaims(v, {{.claim = "data", .snapshot = "data-snap", .new_name = "other"}});
       v.claims["other"] = Claim("other");
     },
     reason::kClaimNameTaken, "spec.claims[0]: there is a claim other already"},
    {"NewNameInvalid",
     [](View& v) {
       UseSpecClaims(v, {{.claim = "data", .snapshot = "data-snap", .new_name = "No_Name"}});
     },
     reason::kClaimNameTaken, "spec.claims[0].newName"},
    {"ClaimTwice",
     [](View& v) {
       UseSpecClaims(v, {{.claim = "data", .snapshot = "data-snap"},
                         {.claim = "data", .snapshot = "data-snap"}});
     },
     reason::kClaimNameTaken, "twice"},
    {"HooksWithoutPods",
     [](View& v) {
       v.restore.spec.strategy = api::RestoreStrategy::kClaimsOnly;
       v.restore.spec.post_hooks = {{.shell = "true"}};
     },
     reason::kHookInvalid, "spec.postHooks"},
    {"ReplaceOfDaemonSet",
     [](View& v) {
       v.restore.spec.strategy = kReplace;
       v.workload->kind = WorkloadKind::kDaemonSet;
     },
     reason::kTargetNotSupported, "`strategy: Repoint`"},
    {"ReplaceWhereScalingDeletesClaims",
     [](View& v) {
       v.restore.spec.strategy = kReplace;
       v.workload->scaling_deletes_claims = true;
     },
     reason::kTargetNotSupported, "whenScaled"},
    {"ReplaceOfAForeignPodsClaim",
     [](View& v) {
       v.restore.spec.strategy = kReplace;
       v.pods.push_back(Pod("report", "data"));
       v.pods.back().labels.clear();
     },
     reason::kClaimInUse, "pod report mounts claim data"},
    {"ReplaceOfAClaimThatAPodHoldsWhichHasEnded",
     [](View& v) {
       v.restore.spec.strategy = kReplace;
       v.pods.push_back(Pod("evicted", "data"));
       v.pods.back().finished = true;
     },
     reason::kClaimInUse, "pod evicted has ended and holds claim data"},
    {"ReplaceWithoutRightToVolumes",
     [](View& v) {
       v.restore.spec.strategy = kReplace;
       v.volumes.clear();
       v.volumes_error = api::Error{api::Code::kForbidden, "cannot get persistentvolumes"};
     },
     reason::kForbidden, "cannot get persistentvolumes"},
    {"ReplaceKeptNameTaken",
     [](View& v) {
       v.restore.spec.strategy = kReplace;
       v.claims["data-before-back"] = Claim("data-before-back");
     },
     reason::kClaimNameTaken, "data-before-back"},
};

INSTANTIATE_TEST_SUITE_P(Restore, RefusedRestoreTest, testing::ValuesIn(kRefusals),
                         [](const auto& test) { return std::string(test.param.name); });

// ---- what is taken ------------------------------------------------------------------------------

TEST(ResolveRestoreTest, RecordsNewClaimsAndTouchesNothingYet) {
  const Plan plan = PlanRestore(Fresh(), kNow);
  ASSERT_TRUE(plan.status);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_EQ(plan.status->phase, api::RestorePhase::kCreatingClaims);
  EXPECT_EQ(plan.status->backup, (api::PinnedBackup{"nightly", "nightly-uid"}));
  EXPECT_EQ(plan.status->target, "deployment/db");
  EXPECT_EQ(plan.status->claims_bound, "0/1");
  ASSERT_EQ(plan.status->claims.size(), 1U);
  const auto& claim = plan.status->claims.front();
  EXPECT_EQ(claim.old, "data");
  EXPECT_EQ(claim.new_, NewClaimName("data", kUid));
  EXPECT_EQ(claim.snapshot_uid, "data-snap-uid");
  EXPECT_EQ(plan.status->rollout_deadline, kNow + 10min);
}

TEST(ResolveRestoreTest, TakesTheNewestAtOrBeforeAnInstantTiesByName) {
  View view = Fresh();
  view.restore.spec.backup_ref.clear();
  view.restore.spec.source = api::RestoreSource{.application_ref = "db", .as_of = kNow};
  view.backups = {Backup("a", kNow - 1h), Backup("b", kNow), Backup("c", kNow),
                  Backup("d", kNow + 1h), Backup("other", kNow)};
  view.backups.back().status.application->name = "web";
  EXPECT_EQ(Resolve(view).pinned->name, "c");
  view.restore.spec.source->as_of.reset();
  view.restore.spec.source->latest = true;
  EXPECT_EQ(Resolve(view).pinned->name, "d");
}

TEST(ResolveRestoreTest, KeepsTheBackupThatIsPinned) {
  View view = Fresh();
  view.restore.spec.backup_ref.clear();
  view.restore.spec.source = api::RestoreSource{.application_ref = "db", .latest = true};
  view.backups = {Backup("a", kNow - 1h), Backup("b", kNow)};
  view.restore.status.backup = api::PinnedBackup{"a", "a-uid"};
  EXPECT_EQ(Resolve(view).pinned->name, "a");
}

TEST(ResolveRestoreTest, LeavesOutWhatTheWorkloadDoesNotMount) {
  View view = Fresh();
  view.backups[0].status.volumes.push_back(BackedUp("cache"));
  view.snapshots["cache-snap"] = {.name = "cache-snap", .uid = "cache-snap-uid", .ready = true};
  const Resolution resolution = Resolve(view);
  EXPECT_THAT(resolution.problems, IsEmpty());
  EXPECT_EQ(resolution.claims.size(), 1U);
  EXPECT_THAT(resolution.note, HasSubstr("cache"));
}

TEST(ResolveRestoreTest, SaysThatABackupIsOnlyCrashConsistent) {
  View view = Fresh();
  view.backups[0].status.consistency = api::Consistency::kCrash;
  view.backups[0].status.consistency_reason = "HookFailed";
  EXPECT_THAT(Resolve(view).note, HasSubstr("crash-consistent: HookFailed"));
}

TEST(ResolveRestoreTest, NamesTheFieldsThatGitOpsWouldRevert) {
  View view = Fresh();
  view.workload->metadata.annotations["argocd.argoproj.io/tracking-id"] = "shop:apps/Deployment";
  view.workload->metadata.labels["app.kubernetes.io/managed-by"] = "Helm";
  view.workload->metadata.managed_fields = {{"argocd-controller", "Apply"}};
  const auto warnings = Resolve(view).warnings;
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_EQ(warnings[0].reason, reason::kManagedByHelm);
  EXPECT_EQ(warnings[1].reason, reason::kManagedByGitOps);
  EXPECT_THAT(warnings[1].message,
              HasSubstr("spec.template.spec.volumes[data].persistentVolumeClaim.claimName"));
  view.restore.spec.strategy = kReplace;
  EXPECT_THAT(Resolve(view).warnings, IsEmpty());
}

TEST(ResolveRestoreTest, RestoresAClaimThatIsLost) {
  View view = Fresh();
  view.claims.clear();
  for (const auto strategy : {api::RestoreStrategy::kRepoint, kReplace}) {
    view.restore.spec.strategy = strategy;
    const Resolution resolution = Resolve(view);
    EXPECT_THAT(resolution.problems, IsEmpty());
    EXPECT_EQ(resolution.claims.at(0).old_uid, "");
    EXPECT_EQ(resolution.claims.at(0).kept, "");
  }
}

TEST(ResolveRestoreTest, ReplacesAClaimWhoseVolumeIsLost) {
  View view = Fresh(kReplace);
  view.volumes.clear();
  view.claims["data"].phase = "Lost";
  const Resolution resolution = Resolve(view);
  EXPECT_THAT(resolution.problems, IsEmpty());
  EXPECT_EQ(resolution.claims.at(0).old_uid, "data-uid");
  EXPECT_EQ(resolution.claims.at(0).old_volume, "");
}

// ---- who goes first -----------------------------------------------------------------------------

api::VolumeRestore Rival(const std::string& name, api::RestorePhase phase) {
  api::VolumeRestore rival = Fresh().restore;
  rival.metadata.name = name;
  rival.metadata.uid = name + "-uid";
  rival.metadata.creation_timestamp = kNow - 1h;
  rival.status.phase = phase;
  return rival;
}

TEST(ResolveRestoreTest, WaitsForAnotherRestoreOfTheWorkload) {
  View view = Fresh();
  view.restore.metadata.creation_timestamp = kNow - 1min;
  for (const auto phase : {api::RestorePhase::kPending, api::RestorePhase::kWaitingRollout,
                           api::RestorePhase::kRollingBack}) {
    view.restores = {Rival("first", phase)};
    const Resolution resolution = Resolve(view);
    ASSERT_TRUE(resolution.wait);
    EXPECT_EQ(resolution.wait->reason, reason::kAnotherRestoreRunning);
    EXPECT_THAT(resolution.wait->message, HasSubstr("VolumeRestore first"));
  }
  view.restores = {Rival("first", api::RestorePhase::kCompleted)};
  EXPECT_FALSE(Resolve(view).wait);
}

TEST(ResolveRestoreTest, TheOlderOfTwoThatWaitGoesFirst) {
  View view = Fresh();
  view.restore.metadata.creation_timestamp = kNow - 2h;
  view.restores = {Rival("second", api::RestorePhase::kPending)};
  EXPECT_FALSE(Resolve(view).wait);
  view.restores = {Rival("second", api::RestorePhase::kStopping)};
  EXPECT_TRUE(Resolve(view).wait);
}

TEST(ResolveRestoreTest, WaitsUntilABackupHasThawed) {
  View view = Fresh();
  view.backups.push_back(Backup("now"));
  view.backups[1].status.phase = api::BackupPhase::kCutting;
  ASSERT_TRUE(Resolve(view).wait);
  EXPECT_EQ(Resolve(view).wait->reason, reason::kBackupRunning);
  view.backups[1].status.phase = api::BackupPhase::kWaitingReady;
  EXPECT_FALSE(Resolve(view).wait);
}

TEST(ResolveRestoreTest, WaitsForABackupThatIsStillRunning) {
  View view = Fresh();
  view.backups[0].status.phase = api::BackupPhase::kWaitingReady;
  const Plan plan = PlanRestore(view, kNow);
  EXPECT_EQ(plan.status->phase, api::RestorePhase::kPending);
  EXPECT_EQ(plan.status->reason, reason::kBackupRunning);
  EXPECT_TRUE(plan.requeue_after);
}

// Two have recorded in the same instant: the younger one steps back before it touches anything.
TEST(ResolveRestoreTest, StepsBackWhenAnotherRecordedInTheSameInstant) {
  View view = Fresh();
  view.restore.metadata.creation_timestamp = kNow;
  view.restore.status = *PlanRestore(view, kNow).status;
  EXPECT_THAT(PlanRestore(view, kNow).actions, ElementsAre(Action{AddFinalizer{}}));
  view.restores = {Rival("first", api::RestorePhase::kCreatingClaims)};
  const Plan plan = PlanRestore(view, kNow);
  ASSERT_TRUE(plan.status);
  EXPECT_EQ(plan.status->phase, api::RestorePhase::kPending);
  EXPECT_THAT(plan.status->claims, IsEmpty());
}

}  // namespace
}  // namespace stillpoint::controllers::restore
