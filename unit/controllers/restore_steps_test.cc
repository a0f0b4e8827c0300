// The smaller plans of a restore: claims, rollout, exchange, repoint, hooks, end.
#include "controllers/replace_plan.h"
#include "controllers/repoint_plan.h"
#include "controllers/restore_act.h"
#include "controllers/restore_end_plan.h"
#include "controllers/restore_hold.h"
#include "controllers/restore_hooks_plan.h"
#include "controllers/restore_reasons.h"
#include "controllers/rollout_plan.h"
#include "unit/controllers/restore_view_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <string>

namespace stillpoint::controllers::restore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;
using State = Rollout::State;

// ---- names and claims ---------------------------------------------------------------------------

TEST(RestoreNamesTest, AreStableUniqueAndShortEnough) {
  EXPECT_EQ(NewClaimName("data", "u"), NewClaimName("data", "u"));
  EXPECT_NE(NewClaimName("data", "u"), NewClaimName("data", "v"));
  EXPECT_EQ(NewClaimName("data", "u").size(), 13U);
  const std::string longest(253, 'a');
  EXPECT_LE(NewClaimName(longest, "u").size(), 253U);
  EXPECT_LE(KeptClaimName(longest, longest, "u").size(), 253U);
  EXPECT_NE(KeptClaimName(longest, longest, "u"), KeptClaimName(longest, longest, "v"));
  EXPECT_EQ(KeptClaimName("data", "back", "u"), "data-before-back");
}

TEST(RestoreClaimsTest, TakeTheLargestSize) {
  View view = Fresh();
  Source source{
      .claim = "data", .snapshot = "s", .restore_size = "2Gi", .shape = BackedUp("data").source};
  EXPECT_EQ(ShapeClaim(view, source).size, "2Gi");
  source.restore_size = "1073741824";  // equal: the text that a person wrote stays
  EXPECT_EQ(ShapeClaim(view, source).size, "1Gi");
  view.restore.spec.size = "5Gi";
  EXPECT_EQ(ShapeClaim(view, source).size, "5Gi");
}

TEST(RestoreClaimsTest, LeaveTheMarksOfOthersBehind) {
  View view = Fresh();
  Source source{.claim = "data", .snapshot = "s", .shape = BackedUp("data").source};
  source.shape.labels = {{"app", "db"},
                         {"argocd.argoproj.io/instance", "shop"},
                         {"backups.example.com/restore-uid", "old"}};
  EXPECT_THAT(ShapeClaim(view, source).source.labels, ElementsAre(testing::Pair("app", "db")));
  view.restore.spec.strategy = api::RestoreStrategy::kReplace;
  EXPECT_TRUE(ShapeClaim(view, source).source.labels.contains("argocd.argoproj.io/instance"));
}

TEST(RestoreClaimsTest, SayWhoseTheyAreAndWhereTheyComeFrom) {
  const api::RestoredClaim claim{.old = "data", .new_ = "data-1", .snapshot = "snap"};
  const NewClaim made = MakeRestoredClaim(Fresh().restore, claim);
  EXPECT_EQ(made.labels.at("app.kubernetes.io/managed-by"), "stillpoint");
  EXPECT_EQ(made.labels.at(kRestoreLabel), "back");
  EXPECT_EQ(made.labels.at(kRestoreUidLabel), kUid);
  EXPECT_EQ(made.annotations.at(kRestoredFromAnnotation), "snap");
  EXPECT_EQ(made.snapshot, "snap");
}

TEST(RestoreClaimsTest, AClaimOfALateClassIsReadyWhilePending) {
  View view = Fresh();
  ClaimView claim = Claim("data");
  claim.phase = "Pending";
  EXPECT_FALSE(IsReady(view, claim));
  view.classes["fast"]->waits_for_consumer = true;
  EXPECT_TRUE(IsReady(view, claim));
  view.classes.clear();  // may not be read
  EXPECT_TRUE(IsReady(view, claim));
}

// ---- rollout ------------------------------------------------------------------------------------

TEST(RolloutTest, JudgesDeployments) {
  const std::vector<PodView> pods{Pod("db-1", "new")};
  Workload workload = Deployment();
  EXPECT_EQ(JudgeRollout(workload, pods, {"data"}).state, State::kComplete);
  EXPECT_EQ(JudgeRollout(workload, {Pod("db-0", "data")}, {"data"}).message,
            "pod db-0 still uses an old claim");
  workload.rollout.available = 0;
  EXPECT_EQ(JudgeRollout(workload, pods, {}).message, "0 of 1 pods available");
  workload.rollout.updated = 0;
  EXPECT_THAT(JudgeRollout(workload, pods, {}).message, HasSubstr("0 of 1 pods are of the new"));
  workload.rollout.progress_deadline_exceeded = true;
  EXPECT_EQ(JudgeRollout(workload, pods, {}).state, State::kExceeded);
  workload.metadata.generation = 4;
  EXPECT_EQ(JudgeRollout(workload, pods, {}).state, State::kProgressing);
}

TEST(RolloutTest, CountsOnlyPodsOfAStatefulSet) {
  Workload workload = Deployment();
  workload.kind = WorkloadKind::kStatefulSet;
  workload.rollout.updated = 0;  // a partitioned update, as it was before
  EXPECT_EQ(JudgeRollout(workload, {}, {}).state, State::kComplete);
  workload.rollout.replicas = 2;
  EXPECT_EQ(JudgeRollout(workload, {}, {}).state, State::kProgressing);
}

TEST(RolloutTest, TellsWhyAPodDoesNotRun) {
  Workload workload = Deployment();
  workload.rollout.available = 0;
  PodView pod = Pod("db-1", "new");
  pod.ready = false;
  pod.waiting = "CrashLoopBackOff";
  EXPECT_EQ(JudgeRollout(workload, {pod}, {}).message,
            "0 of 1 pods available; pod db-1: CrashLoopBackOff");
}

TEST(RolloutTest, AFinishedPodHasStopped) {
  PodView pod = Pod("db-1", "data");
  EXPECT_NE(FindLivePod(Deployment(), {pod}), nullptr);
  pod.finished = true;
  EXPECT_EQ(FindLivePod(Deployment(), {pod}), nullptr);
}

// ---- repoint ------------------------------------------------------------------------------------

api::VolumeRestoreStatus Repointing() {
  api::VolumeRestoreStatus status;
  status.phase = api::RestorePhase::kRepointing;
  status.target = "deployment/db";
  status.claims = {{.old = "data", .old_uid = "data-uid", .new_ = "data-1"}};
  status.workload = api::WorkloadBefore{.kind = "Deployment",
                                        .name = "db",
                                        .uid = "w",
                                        .generation = 3,
                                        .volumes = {{"data", "data"}}};
  return status;
}

TEST(RepointTest, PatchesTheVolumesAsTheyWereSeen) {
  View view = Fresh();
  view.restore.status = Repointing();
  const Plan plan = PlanRepointing(view, kNow);
  ASSERT_EQ(plan.actions.size(), 1U);
  const auto request = RequestFor(view.restore, plan.actions[0]);
  EXPECT_EQ(request.verb, kube::Verb::kJsonPatch);
  EXPECT_EQ(
      boost::json::serialize(request.body),
      R"([{"op":"replace","path":"/metadata/resourceVersion","value":"7"},)"
      R"({"op":"replace","path":"/spec/template/spec/volumes/1/persistentVolumeClaim/claimName",)"
      R"("value":"data-1"}])");
}

TEST(RepointTest, IsDoneWhenTheTemplateShowsIt) {
  View view = Fresh();
  view.restore.status = Repointing();
  view.workload->claim_volumes[0].claim = "data-1";
  const Plan plan = PlanRepointing(view, kNow);
  ASSERT_TRUE(plan.status);
  EXPECT_EQ(plan.status->phase, api::RestorePhase::kWaitingRollout);
}

TEST(RepointTest, GivesWayToSomebodyElsesChange) {
  View view = Fresh();
  view.restore.metadata.finalizers = {kFinalizer};
  view.restore.status = Repointing();
  view.workload->claim_volumes[0].claim = "third";
  const Plan plan = PlanRepointing(view, kNow);
  ASSERT_TRUE(plan.status);
  EXPECT_EQ(plan.status->phase, api::RestorePhase::kRollingBack);
  EXPECT_EQ(plan.status->failure_reason, reason::kWorkloadChanged);
  EXPECT_THAT(ChangesLeft(*view.workload, Repointing(), Direction::kBack), IsEmpty());
}

// As from a webhook without a backend: it may pass, but the workload does not wait for that for
// ever.
TEST(RepointTest, AnErrorThatStaysEndsAtTheDeadline) {
  View view = Fresh();
  view.restore.metadata.finalizers = {kFinalizer};
  view.restore.status = Repointing();
  view.restore.status.rollout_deadline = kNow;
  const api::Error refusal{api::Code::kUnavailable, "failed calling webhook"};
  EXPECT_FALSE(PlanAfterError(view, refusal, kNow - 1s).status);
  const Plan forward = PlanAfterError(view, refusal, kNow);
  ASSERT_TRUE(forward.status);
  EXPECT_EQ(forward.status->phase, api::RestorePhase::kRollingBack);
  EXPECT_EQ(forward.status->failure_message, "failed calling webhook");
  view.restore.status.phase = api::RestorePhase::kRollingBack;
  const Plan back = PlanAfterError(view, refusal, kNow);
  ASSERT_TRUE(back.status);
  EXPECT_EQ(back.status->phase, api::RestorePhase::kRollingBack) << "it is tried on, and told";
  EXPECT_THAT(back.notices, testing::SizeIs(1));
}

// A rolling update whose pods of before were never ready: the new one stays, on the restored claim.
TEST(RepointTest, IsNotUndoneWhileAPodRunsOnTheRestoredClaim) {
  View view = Fresh();
  view.restore.metadata.finalizers = {kFinalizer};
  view.restore.status = Repointing();
  view.restore.status.phase = api::RestorePhase::kRollingBack;
  view.restore.status.rollout_deadline = kNow;
  view.workload->metadata.generation = 5;
  view.workload->rollout = {
      .observed_generation = 5, .desired = 1, .replicas = 2, .updated = 1, .available = 1};
  view.claims["data-1"] = Claim("data-1");
  view.claims["data-1"].restore_uid = kUid;
  view.pods = {Pod("db-1", "data"), Pod("db-2", "data-1")};
  view.pods[0].ready = false;

  EXPECT_FALSE(PlanRepointRollback(view, kNow - 1s).status);
  const Plan plan = PlanRepointRollback(view, kNow);
  EXPECT_THAT(plan.actions, IsEmpty());
  ASSERT_TRUE(plan.status);
  EXPECT_EQ(plan.status->phase, api::RestorePhase::kFailed);
  EXPECT_EQ(plan.status->reason, reason::kRollbackFailed);
  ASSERT_FALSE(plan.notices.empty());
  EXPECT_THAT(plan.notices[0].message, HasSubstr("pod db-2 still runs on the restored claims"));

  view.pods.pop_back();
  EXPECT_THAT(PlanRepointRollback(view, kNow).actions, testing::SizeIs(1));
}

// ---- exchange -----------------------------------------------------------------------------------

api::RestoredClaim Exchanged() {
  return {.old = "data",
          .old_uid = "data-uid",
          .new_ = "data",
          .snapshot = "data-snap",
          .size = "1Gi",
          .source = BackedUp("data").source,
          .old_source = BackedUp("data").source,
          .kept = "data-before-back",
          .old_volume = "pv-data",
          .old_reclaim_policy = "Delete"};
}

TEST(ExchangeTest, NeverDeletesAClaimWhoseVolumeWouldGoWithIt) {
  View view = Fresh(api::RestoreStrategy::kReplace);
  EXPECT_THAT(ExchangeForward(view, Exchanged()).actions, IsEmpty());
  view.volumes["pv-data"].reclaim_policy = "Retain";
  view.pods = {Pod("dump", "data")};
  view.pods[0].finished = true;
  const ExchangeStep held = ExchangeForward(view, Exchanged());
  EXPECT_TRUE(held.actions.empty());
  EXPECT_EQ(held.waiting_for, "pod dump to be deleted, which holds claim data");
  view.pods.clear();
  EXPECT_THAT(ExchangeForward(view, Exchanged()).actions,
              ElementsAre(Action{DeleteClaim{"data", "data-uid"}}));
  view.volumes.clear();
  EXPECT_THAT(ExchangeForward(view, Exchanged()).actions, IsEmpty());
}

TEST(ExchangeTest, ReservesTheVolumeBeforeItsClaimIsMade) {
  View view = Fresh(api::RestoreStrategy::kReplace);
  view.claims.clear();
  const auto step = ExchangeForward(view, Exchanged());
  ASSERT_EQ(step.actions.size(), 3U);
  EXPECT_EQ(step.actions[0], (Action{ReserveVolume{"pv-data", "9", "data-before-back"}}));
  EXPECT_EQ(std::get<CreateClaim>(step.actions[1]).claim.volume, "pv-data");
  EXPECT_EQ(std::get<CreateClaim>(step.actions[2]).claim.snapshot, "data-snap");
}

TEST(ExchangeTest, LeavesASomebodyElsesClaimAlone) {
  View view = Fresh(api::RestoreStrategy::kReplace);
  view.claims["data"].uid = "stranger";
  view.claims["data"].volume = "pv-9";
  EXPECT_EQ(ExchangeForward(view, Exchanged()).problem->reason, reason::kClaimNameTaken);
  const auto back = ExchangeBack(view, Exchanged());
  EXPECT_THAT(back.actions, IsEmpty());
  EXPECT_FALSE(back.done);
}

TEST(ExchangeTest, AnUntouchedClaimIsInPlace) {
  View view = Fresh(api::RestoreStrategy::kReplace);
  EXPECT_TRUE(ExchangeBack(view, Exchanged()).done);
  view.volumes["pv-data"].reclaim_policy = "Retain";
  const auto step = ExchangeBack(view, Exchanged());
  EXPECT_TRUE(step.in_place);
  EXPECT_THAT(step.actions, ElementsAre(Action{SetReclaimPolicy{"pv-data", "9", "Delete"}}));
}

// ---- end ----------------------------------------------------------------------------------------

View Completed() {
  View view = Fresh();
  view.restore.metadata.finalizers = {kFinalizer};
  view.restore.spec.old_claims = api::DeletionPolicy::kDelete;
  view.restore.status = Repointing();
  view.restore.status.phase = api::RestorePhase::kCompleted;
  view.restore.status.claims[0].new_uid = "data-1-uid";
  view.claims["data-1"] = Claim("data-1");
  view.pods = {Pod("db-2", "data-1")};
  return view;
}

TEST(EndTest, DeletesOldClaimsByUidThenLetsGo) {
  EXPECT_THAT(PlanEnd(Completed(), kNow).actions,
              ElementsAre(Action{DeleteClaim{"data", "data-uid"}}, Action{RemoveFinalizer{}}));
}

TEST(EndTest, KeepsAnOldClaimThatSomebodyMounts) {
  View view = Completed();
  view.pods.push_back(Pod("report", "data"));
  const Plan plan = PlanEnd(view, kNow);
  EXPECT_THAT(plan.actions, ElementsAre(Action{RemoveFinalizer{}}));
  EXPECT_EQ(plan.notices.at(0).reason, reason::kOldClaimsKept);
  EXPECT_EQ(plan.notices.at(0).message, "claim data is kept: pod report mounts it");
}

TEST(EndTest, KeepsTheOldClaimUntilTheNewOneHasData) {
  View view = Completed();
  view.claims["data-1"].phase = "Pending";  // scaled to 0, and the class waits for a pod
  EXPECT_THAT(PlanEnd(view, kNow).actions, ElementsAre(Action{RemoveFinalizer{}}));
}

// ---- hooks, holds -------------------------------------------------------------------------------

TEST(PostHooksTest, RunInReadyPodsOfTheWorkload) {
  View view = Completed();
  view.pods.push_back(Pod("db-3", "data-1"));
  view.pods.back().ready = false;
  view.restore.spec.post_hooks = {
      {.shell = "reindex"},
      {.pod_selector = api::LabelSelector{.match_labels = {{"a", "b"}}}, .command = {"x"}}};
  const PostHookPlan plan = PlanPostHooks(view);
  ASSERT_EQ(plan.runs.size(), 1U);
  EXPECT_EQ(plan.runs[0].pod, "db-2");
  EXPECT_EQ(plan.runs[0].container, "db");
  EXPECT_THAT(plan.runs[0].argv, ElementsAre("/bin/sh", "-c", "reindex"));
  ASSERT_EQ(plan.impossible.size(), 1U);
  EXPECT_THAT(plan.impossible[0].status.error, HasSubstr("no ready pod"));
}

TEST(HoldTest, FromTheRecordToTheEnd) {
  api::VolumeRestore restore = Fresh().restore;
  EXPECT_FALSE(HoldsWorkload(restore));
  EXPECT_THAT(ClaimsInUse(restore), IsEmpty());
  restore.status = Repointing();
  EXPECT_TRUE(HoldsWorkload(restore));
  EXPECT_THAT(ClaimsInUse(restore), ElementsAre("data", "data-1"));
  restore.spec.strategy = api::RestoreStrategy::kClaimsOnly;
  EXPECT_FALSE(HoldsWorkload(restore));
  EXPECT_THAT(ClaimsInUse(restore), ElementsAre("data-1"));
  restore.status.phase = api::RestorePhase::kCompleted;
  EXPECT_THAT(ClaimsInUse(restore), IsEmpty());
}

}  // namespace
}  // namespace stillpoint::controllers::restore
