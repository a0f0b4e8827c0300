// Everything dies, at every step: the application goes on, and nothing is left behind.
#include "e2e/support/json.h"
#include "e2e/support/phase_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;

// ---- the controller ---------------------------------------------------------------------------

class KilledAt : public PhaseTest, public testing::WithParamInterface<const char*> {};

TEST_P(KilledAt, ThawsFirstAndSaysNothingBetterThanItIs) {
  const StillApp app = HoldAt(GetParam());
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitHeld("nightly", GetParam(), app);
  controller().Kill9();
  Release();
  controller().Start();
  ASSERT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 5s));
  const auto backup = WaitEnd("nightly");
  if (GetParam() == std::string("WaitingReady")) {
    EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
    ExpectCutWhileStill(app, backup);
  } else {
    EXPECT_EQ(Outcome(backup), "Failed - ThawedAfterRestart");
    EXPECT_TRUE(HasEvent("nightly", "ThawedAfterRestart"));
    ExpectNoSnapshots();
  }
  ExpectNeverStillLongerThan(app, 10s);
}

INSTANTIATE_TEST_SUITE_P(Faults, KilledAt, testing::ValuesIn(PhaseTest::kPhases), PhaseTest::Name);

using FaultTest = PhaseTest;

// Its stream is gone and so is whoever saw how the hook ended. The next one looks for what is left
// of it, and need not wait until its 30 s are over.
TEST_F(FaultTest, KilledInALongPreHookTheNextOneSoonKnowsThatItHasEnded) {
  const StillApp app(kubectl, {.annotations = Hooked(StillApp::kPreHook + std::string("; sleep 60"),
                                                     StillApp::kPostHook, "30s")});
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitHeld("nightly", "Freezing", app);
  controller().Kill9();
  controller().Start();
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Failed - ThawedAfterRestart");
  EXPECT_LE(std::chrono::steady_clock::now() - started, 20s);
  EXPECT_EQ(kubectl.Exec(app.Pods()[0], "ps | grep -c '[s]leep 60' || true"), "0\n");
  ExpectNeverStillLongerThan(app, 10s);
}

TEST_F(FaultTest, KilledWhileCuttingKeepsACrashConsistentBackupIfAsked) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("nightly", "applicationRef: app\nonInconsistent: Keep");
  WaitHeld("nightly", "Cutting", app);
  controller().Kill9();
  Release();
  controller().Start();
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Crash Succeeded");
  EXPECT_EQ(Text(backup, "/status/consistencyReason"), "ThawedAfterRestart");
  EXPECT_EQ(Text(backup, "/status/volumesReady"), "1/1");
  EXPECT_FALSE(app.IsFrozen());
}

// Whatever it was doing just then: it is thawed by the next one, and what is called good is good.
TEST_F(FaultTest, KilledAtAnyMomentTellsNoLie) {
  const StillApp app(
      kubectl, {.claims = 2, .annotations = Hooked(StillApp::kPreHook, StillApp::kPostHook, "1s")});
  StartController();
  for (const auto delay : {20ms, 60ms, 100ms, 150ms, 220ms, 350ms}) {
    const std::string name = fmt::format("after-{}", delay.count());
    Backup(name, "applicationRef: app");
    std::this_thread::sleep_for(delay);
    controller().Kill9();
    controller().Start();
    EXPECT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 5s)) << name;
    const auto backup = WaitEnd(name);
    EXPECT_THAT(Outcome(backup),
                AnyOf("Completed Application Succeeded", "Failed - ThawedAfterRestart"));
    if (Text(backup, "/status/phase") == "Completed") ExpectCutWhileStill(app, backup);
    kubectl.Delete("volumebackup/" + name);
  }
  ExpectNeverStillLongerThan(app, 8s);
}

TEST_F(FaultTest, AskedToEndWhileCuttingThawsBeforeItGoes) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitHeld("nightly", "Cutting", app);
  EXPECT_EQ(controller().Terminate(10s), 0);
  EXPECT_FALSE(app.IsFrozen());
  ExpectNeverStillLongerThan(app, 5s);
  Release();
  controller().Start();
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Failed - ThawedAfterRestart");
  ExpectNoSnapshots();
}

// It hangs over its own deadline, and must not believe in what it missed.
TEST_F(FaultTest, AControllerThatHangsThroughItsDeadlineThawsWhenItWakes) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("nightly", "applicationRef: app\nmaxFreeze: 3s");
  WaitHeld("nightly", "Cutting", app);
  controller().Pause();
  std::this_thread::sleep_for(3s);
  controller().Continue();
  EXPECT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 5s));
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Failed - FreezeExpired");
  Release();
  ExpectNoSnapshots();
}

// ---- the cluster ------------------------------------------------------------------------------

TEST_F(FaultTest, AnAPIServerThatDiesInTheMiddleOfAFreezeDelaysTheThawByItsAbsence) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("nightly", "applicationRef: app\nmaxFreeze: 5s");
  WaitHeld("nightly", "Cutting", app);
  cluster.Service("kill", "apiserver");
  cluster.WaitForApi();
  EXPECT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 15s));
  Release();
  EXPECT_THAT(Outcome(WaitEnd("nightly", 60s)),
              AnyOf("Failed - FreezeExpired", "Completed Application Succeeded"));
  ExpectNeverStillLongerThan(app, 30s);
}

TEST_F(FaultTest, ADriverThatIsAwayEndsTheFreezeAtItsDeadline) {
  const StillApp app(kubectl, {});
  StartController();
  cluster.Service("stop", "driver");
  Backup("nightly", "applicationRef: app\nmaxFreeze: 3s");
  const auto backup = WaitEnd("nightly");
  cluster.Service("start", "driver");
  EXPECT_EQ(Outcome(backup), "Failed - FreezeExpired");
  EXPECT_THAT(Words(backup), HasSubstr("the application is running"));
  ExpectNeverStillLongerThan(app, 5s);
  ExpectNoSnapshots();
}

// ---- the application --------------------------------------------------------------------------

TEST_F(FaultTest, APodThatIsReplacedWhileFrozenIsNotBelieved) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitHeld("nightly", "Cutting", app);
  const std::string before = app.Pods().at(0);
  kubectl({"delete", "pod", before, "--force", "--grace-period=0"});
  kubectl.RolledOut("deployment/app");
  Release();
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Failed - PodReplaced");
  EXPECT_FALSE(app.IsFrozen());
  EXPECT_EQ(app.Ran("post"), 0) << "the thaw of the old pod ran in the new one";
  ExpectNoSnapshots();
}

TEST_F(FaultTest, AContainerThatIsRestartedWhileFrozenIsNotBelieved) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitHeld("nightly", "Cutting", app);
  const std::string pod = "pod/" + app.Pods().at(0);
  kubectl({"exec", app.Pods().at(0), "--", "kill", "-USR1", "1"});
  ASSERT_TRUE(Eventually([&] {
    return kubectl.Field(pod, ".status.containerStatuses[0].restartCount") == "1" &&
           kubectl.Field(pod, ".status.containerStatuses[0].ready") == "true";
  }));
  Release();
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Failed - PodReplaced");
  EXPECT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 5s));
  ExpectNoSnapshots();
}

}  // namespace
}  // namespace stillpoint::e2e
