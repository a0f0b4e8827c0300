// Pods of the simulator: their lives, their applications, the commands that hold those still, and
// the truth that is kept of it.
#include "api/core.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "hooks/begin_request.h"
#include "hooks/guard.h"
#include "hooks/hold_script.h"
#include "hooks/reap_script.h"
#include "unit/sim/cluster_fixture.h"

#include <gmock/gmock.h>

namespace stillpoint::sim {
namespace {

using api::Pod;
using testing::HasSubstr;
using namespace std::chrono_literals;

std::vector<std::string> Plain(const std::string& text) {
  return {"/bin/sh", "-c", text};
}

class Applications : public ClusterFixture {
 protected:
  Applications() {
    cluster_->AddBoundClaim("shop", "data", "fast");
    AddPod("db", "data");
    time_.RunUntil([&] { return IsReady("db"); }, kLimit);
  }

  [[nodiscard]] bool IsStill() { return cluster_->runtime().IsStill(UidOfPod("db"), "db"); }
  [[nodiscard]] std::string Id() {
    const auto pod = Find(Pod::kResource, "db");
    const auto* statuses = List(*pod, {"status", "containerStatuses"});
    return std::string(Text(statuses->at(0).as_object(), {"containerID"}));
  }

  Transcript heard_;
};

TEST_F(Applications, AFreezeOutlivesItsCommand) {
  const auto freeze = Exec("db", Plain("app-freeze"), heard_);
  time_.RunFor(1s);
  EXPECT_EQ(heard_.exit_code, 0);
  EXPECT_TRUE(IsStill());
  const std::int64_t version = cluster_->storage().VersionOf("pv-shop-data");
  time_.RunFor(10s);
  EXPECT_EQ(cluster_->storage().VersionOf("pv-shop-data"), version);
  const auto thaw = Exec("db", Plain("app-thaw"), heard_);
  time_.RunFor(1s);
  EXPECT_FALSE(IsStill());
  ASSERT_EQ(cluster_->truth().stills.size(), 1u);
  EXPECT_GE(cluster_->truth().stills[0].ends->at - cluster_->truth().stills[0].starts.at, 10s);
}

// Three probes in a row have to fail, and one good one makes up for it.
TEST_F(Applications, APodWhoseProbeWritesIsUnreadyWhileItStands) {
  cluster_->runtime().on_probe = [](const PodSandbox&) { return 3s; };
  cluster_->runtime().Kill(UidOfPod("db"), "db");
  time_.RunFor(1s);
  ASSERT_TRUE(IsReady("db"));
  const auto freeze = Exec("db", Plain("app-freeze"), heard_);
  time_.RunFor(2900ms);
  EXPECT_TRUE(IsReady("db"));
  time_.RunFor(1s);
  EXPECT_TRUE(IsStill());
  EXPECT_FALSE(IsReady("db"));
  const auto pod = Find(Pod::kResource, "db");
  EXPECT_EQ(ConditionStatus(*pod, "ContainersReady"), "False");
  EXPECT_FALSE(Flag(List(*pod, {"status", "containerStatuses"})->at(0).as_object(), {"ready"}));
  EXPECT_EQ(Get(Pod::kResource, "db", {"status", "phase"}), "Running");
  const auto thaw = Exec("db", Plain("app-thaw"), heard_);
  time_.RunFor(900ms);
  EXPECT_FALSE(IsReady("db"));
  time_.RunFor(1s);
  EXPECT_TRUE(IsReady("db"));
}

TEST_F(Applications, AShortFreezeIsNoTroubleForAProbe) {
  cluster_->runtime().on_probe = [](const PodSandbox&) { return 3s; };
  cluster_->runtime().Kill(UidOfPod("db"), "db");
  time_.RunFor(1s);
  const auto version = Get(Pod::kResource, "db", {"metadata", "resourceVersion"});
  for (int i = 0; i < 2; ++i) {
    const auto freeze = Exec("db", Plain("app-freeze-slow 1ms"), heard_);
    time_.RunFor(2500ms);
    const auto thaw = Exec("db", Plain("app-thaw"), heard_);
    time_.RunFor(100ms);
  }
  time_.RunFor(10s);
  EXPECT_EQ(Get(Pod::kResource, "db", {"metadata", "resourceVersion"}), version);
}

TEST_F(Applications, APlainCommandDoesNotCareForItsStream) {
  auto freeze = Exec("db", Plain("app-freeze-slow 2s"), heard_);
  time_.RunFor(100ms);
  freeze.reset();
  time_.RunFor(3s);
  EXPECT_TRUE(IsStill());
  EXPECT_EQ(heard_.exit_code, std::nullopt);
  EXPECT_EQ(cluster_->truth().commands[0].exit_code, 0);
}

TEST_F(Applications, AGuardedFreezeEndsWithItsStream) {
  auto freeze = Exec(
      "db", hooks::GuardedArgv(Plain("app-freeze-slow 2s"), 30s, hooks::OnStreamLoss::kEndCommand),
      heard_);
  time_.RunFor(100ms);
  freeze.reset();
  time_.RunFor(100ms);
  EXPECT_EQ(cluster_->truth().commands[0].exit_code, 143);
  time_.RunFor(10s);
  EXPECT_FALSE(IsStill());
  auto thaw = Exec(
      "db", hooks::GuardedArgv(Plain("app-thaw-slow 2s"), 30s, hooks::OnStreamLoss::kFinishCommand),
      heard_);
  thaw.reset();
  time_.RunFor(10s);
  EXPECT_EQ(cluster_->truth().commands[1].exit_code, 0);
}

TEST_F(Applications, AScriptThatIsNotToldToBeginInTimeRunsNothing) {
  const auto argv = hooks::GuardedArgv(Plain("app-freeze"), 30s, hooks::OnStreamLoss::kEndCommand);
  auto never = Start("db", argv, heard_);
  time_.RunFor(1s);
  never.reset();
  const auto late = Start("db", argv, heard_);
  time_.RunFor(6s);
  late->WriteStdin(hooks::kBeginRequest);
  time_.RunFor(1s);
  EXPECT_EQ(heard_.exit_code, hooks::kNotBegun);
  EXPECT_TRUE(cluster_->truth().stills.empty());
  EXPECT_EQ(cluster_->truth().commands[0].exit_code, hooks::kNotBegun);
}

TEST_F(Applications, AScriptThatWaitsRunsWhenItIsTold) {
  const auto argv = hooks::GuardedArgv(Plain("app-freeze"), 30s, hooks::OnStreamLoss::kEndCommand);
  const auto waits = Start("db", argv, heard_);
  time_.RunFor(20s);
  EXPECT_FALSE(IsStill());
  waits->WriteStdin(hooks::LaterBeginRequest(20s));
  time_.RunFor(1s);
  EXPECT_TRUE(IsStill());
  EXPECT_EQ(heard_.output, hooks::kBegunAnswer);
  EXPECT_EQ(heard_.exit_code, 0);
}

TEST_F(Applications, AScriptTakesNoWordThatHasLainOnTheWay) {
  const auto argv = hooks::GuardedArgv(Plain("app-freeze"), 30s, hooks::OnStreamLoss::kEndCommand);
  const auto late = Start("db", argv, heard_);
  time_.RunFor(20s);
  late->WriteStdin(hooks::LaterBeginRequest(13s));
  time_.RunFor(1s);
  EXPECT_EQ(heard_.exit_code, hooks::kNotBegun);
  EXPECT_TRUE(cluster_->truth().stills.empty());
}

TEST_F(Applications, AGuardHasItsBound) {
  const auto hang = Exec(
      "db", hooks::GuardedArgv(Plain("app-hang"), 3s, hooks::OnStreamLoss::kFinishCommand), heard_);
  time_.RunFor(2900ms);
  EXPECT_EQ(heard_.exit_code, std::nullopt);
  time_.RunFor(1s);
  EXPECT_EQ(heard_.exit_code, 143);
}

TEST_F(Applications, AHeldHookHoldsUntilItIsReleased) {
  const auto hold = Exec("db", hooks::HeldArgv("/bin/sh", "app-hold", 30s), heard_);
  time_.RunFor(100ms);
  EXPECT_THAT(heard_.output, HasSubstr(std::string(hooks::kHeldMarker)));
  EXPECT_TRUE(IsStill());
  time_.RunFor(5s);
  hold->WriteStdin(hooks::kReleaseRequest);
  time_.RunFor(100ms);
  EXPECT_FALSE(IsStill());
  EXPECT_EQ(heard_.exit_code, hooks::kHoldReleased);
  EXPECT_FALSE(cluster_->truth().stills.at(0).holders.empty());
}

TEST_F(Applications, AHeldHookEndsWithItsStreamAndItsBound) {
  auto lost = Exec("db", hooks::HeldArgv("/bin/sh", "app-hold", 30s), heard_);
  time_.RunFor(100ms);
  lost.reset();
  time_.RunFor(100ms);
  EXPECT_FALSE(IsStill());
  EXPECT_EQ(cluster_->truth().commands[0].exit_code, hooks::kHoldStreamEnded);
  const auto expires = Exec("db", hooks::HeldArgv("/bin/sh", "app-hold", 2s), heard_);
  time_.RunFor(1900ms);
  EXPECT_TRUE(IsStill());
  time_.RunFor(200ms);
  EXPECT_FALSE(IsStill());
  EXPECT_EQ(heard_.exit_code, hooks::kHoldExpired);
}

TEST_F(Applications, AHeldHookThatEndsEarlyOrListensToNobody) {
  const auto early = Exec("db", hooks::HeldArgv("/bin/sh", "app-hold-early 1s", 30s), heard_);
  time_.RunFor(2s);
  EXPECT_EQ(heard_.exit_code, hooks::kHoldEndedEarly);
  EXPECT_FALSE(IsStill());
  Transcript heard;
  const auto deaf = Exec("db", hooks::HeldArgv("/bin/sh", "app-hold-deaf", 30s), heard);
  time_.RunFor(1s);
  deaf->WriteStdin(hooks::kReleaseRequest);
  time_.RunFor(4s);
  EXPECT_TRUE(IsStill());
  time_.RunFor(2s);
  EXPECT_FALSE(IsStill());
  EXPECT_EQ(heard.exit_code, 143);
}

TEST_F(Applications, AReaperEndsTheHookThatCarriesItsKey) {
  const std::string key = hooks::HookKey("uid", 0);
  const auto hold = Exec("db", hooks::HeldArgv("/bin/sh", "app-hold", 30s, key), heard_);
  time_.RunFor(100ms);
  Transcript other;
  const auto stranger = Exec("db", hooks::ReapArgv("/bin/sh", hooks::HookKey("uid", 10)), other);
  time_.RunFor(1s);
  EXPECT_EQ(other.exit_code, 0);
  EXPECT_TRUE(IsStill());
  Transcript reaped;
  const auto reaper = Exec("db", hooks::ReapArgv("/bin/sh", key), reaped);
  time_.RunFor(1s);
  EXPECT_EQ(reaped.exit_code, 0);
  EXPECT_FALSE(IsStill());
  EXPECT_EQ(heard_.exit_code, hooks::kHoldExpired);
}

TEST_F(Applications, AContainerThatDiesStartsAgainAndWrites) {
  const std::string id = Id();
  const auto freeze = Exec("db", Plain("app-freeze-hang"), heard_);
  time_.RunFor(1s);
  ASSERT_TRUE(IsStill());
  ASSERT_TRUE(cluster_->runtime().Kill(UidOfPod("db"), "db"));
  time_.RunFor(10ms);
  EXPECT_EQ(heard_.exit_code, 137);
  EXPECT_FALSE(IsStill());
  EXPECT_TRUE(cluster_->truth().stills.at(0).ended_by_death);
  ASSERT_TRUE(Until([&] { return Id() != id && IsReady("db"); }));
  EXPECT_EQ(cluster_->truth().lives.size(), 2u);
  EXPECT_EQ(
      Int(List(*Find(Pod::kResource, "db"), {"status", "containerStatuses"})->at(0).as_object(),
          {"restartCount"}),
      1);
}

TEST_F(Applications, APodThatKeepsDyingBacksOff) {
  const std::string uid = UidOfPod("db");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Until([&] { return cluster_->runtime().Kill(uid, "db"); }));
  }
  time_.RunFor(1s);
  const auto pod = Find(Pod::kResource, "db");
  EXPECT_EQ(Text(List(*pod, {"status", "containerStatuses"})->at(0).as_object(),
                 {"state", "waiting", "reason"}),
            "CrashLoopBackOff");
  EXPECT_TRUE(Until([&] { return IsReady("db"); }));
}

TEST_F(Applications, APodThatIsDeletedStopsWithItsGrace) {
  cluster_->runtime().on_stop = [](const PodSandbox&) { return 5s; };
  Delete(Pod::kResource, "db");
  time_.RunFor(4s);
  EXPECT_TRUE(Find(Pod::kResource, "db"));
  EXPECT_FALSE(cluster_->truth().lives[0].ends);
  time_.RunFor(2s);
  EXPECT_FALSE(Find(Pod::kResource, "db"));
  EXPECT_TRUE(cluster_->truth().lives[0].ends);
}

TEST_F(Applications, APodWaitsForItsClaim) {
  AddPod("early", "soon");
  time_.RunFor(1min);
  EXPECT_EQ(Get(Pod::kResource, "early", {"status", "phase"}), "Pending");
  EXPECT_EQ(ConditionStatus(*Find(Pod::kResource, "early"), "PodScheduled"), "False");
  AddClaim("soon", "fast");
  EXPECT_TRUE(Until([&] { return IsReady("early"); }));
}

TEST_F(Applications, APodThatNeverRanGoesAtOnce) {
  AddPod("early", "nowhere");
  time_.RunFor(1s);
  Delete(Pod::kResource, "early");
  time_.RunFor(1s);
  EXPECT_FALSE(Find(Pod::kResource, "early"));
}

TEST_F(Applications, AnEvictedPodIsFailed) {
  ASSERT_TRUE(cluster_->kubelet().Evict({"shop", "db"}));
  time_.RunFor(1min);
  EXPECT_EQ(Get(Pod::kResource, "db", {"status", "phase"}), "Failed");
  EXPECT_EQ(Get(Pod::kResource, "db", {"status", "reason"}), "Evicted");
  EXPECT_TRUE(cluster_->truth().lives[0].ends);
}

TEST_F(Applications, ASilentNodeLosesItsStreamsAndItsPodsRunOn) {
  const auto hold = Exec("db", hooks::HeldArgv("/bin/sh", "app-hold", 30s), heard_);
  time_.RunFor(1s);
  cluster_->kubelet().SetNode(NodeState::kSilent);
  time_.RunFor(1s);
  EXPECT_EQ(heard_.error, api::Code::kUnavailable);
  EXPECT_TRUE(IsStill()) << "nothing told the container";
  time_.RunFor(30s);
  EXPECT_FALSE(IsStill()) << "its own bound did";
  Transcript heard;
  EXPECT_EQ(Exec("db", Plain("app-thaw"), heard), nullptr);
  EXPECT_EQ(heard.error, api::Code::kUnavailable);
  time_.RunFor(1min);
  EXPECT_FALSE(IsReady("db"));
  cluster_->kubelet().SetNode(NodeState::kUp);
  EXPECT_TRUE(Until([&] { return IsReady("db"); }));
  EXPECT_EQ(cluster_->truth().lives.size(), 1u);
}

TEST_F(Applications, ADeadNodeStartsItsContainersAnew) {
  const std::string id = Id();
  cluster_->KillNode();
  time_.RunFor(1min);
  EXPECT_TRUE(cluster_->truth().lives[0].ends);
  cluster_->kubelet().SetNode(NodeState::kUp);
  ASSERT_TRUE(Until([&] { return Id() != id && IsReady("db"); }));
}

TEST_F(Applications, ANodeThatStaysAwayLosesItsPods) {
  cluster_->kubelet().SetNode(NodeState::kSilent);
  time_.RunFor(10min);
  ASSERT_TRUE(Find(Pod::kResource, "db"));
  EXPECT_TRUE(IsTerminating(*Find(Pod::kResource, "db")));
  EXPECT_FALSE(cluster_->truth().lives[0].ends);
  cluster_->kubelet().SetNode(NodeState::kUp);
  EXPECT_TRUE(Until([&] { return !Find(Pod::kResource, "db"); }));
}

}  // namespace
}  // namespace stillpoint::sim
