// Backups that are ended by a person, or by what cannot be waited for any longer.
#include "e2e/support/json.h"
#include "e2e/support/phase_fixture.h"

#include <gmock/gmock.h>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class EndedAt : public PhaseTest, public testing::WithParamInterface<const char*> {};

TEST_P(EndedAt, CancelledThawsAndLeavesNothing) {
  const StillApp app = HoldAt(GetParam());
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitHeld("nightly", GetParam(), app);
  Patch("nightly", R"({"cancel":true})");
  ASSERT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 5s));
  Release();
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Text(backup, "/status/phase"), "Cancelled");
  EXPECT_EQ(Text(backup, "/status/reason"), "Cancelled");
  EXPECT_THAT(Words(backup), HasSubstr("the application is running"));
  EXPECT_TRUE(HasEvent("nightly", "Cancelled"));
  ExpectNoSnapshots();
  ExpectNeverStillLongerThan(app, 8s);
}

TEST_P(EndedAt, DeletedThawsAndLeavesNothing) {
  const StillApp app = HoldAt(GetParam());
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitHeld("nightly", GetParam(), app);
  kubectl({"delete", "volumebackup", "nightly", "--wait=false"});
  ASSERT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 5s));
  Release();
  WaitGone("nightly");
  ExpectNoSnapshots();
  ExpectNeverStillLongerThan(app, 8s);
}

INSTANTIATE_TEST_SUITE_P(Endings, EndedAt, testing::ValuesIn(PhaseTest::kPhases), PhaseTest::Name);

using EndingTest = PhaseTest;

TEST_F(EndingTest, CancelledOrDeletedInTheQueueFreezesNothing) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("first", "applicationRef: app");
  WaitHeld("first", "Cutting", app);
  Backup("second", "applicationRef: app\ncancel: true");
  EXPECT_EQ(Outcome(WaitEnd("second")), "Cancelled - Cancelled");
  Backup("third", "applicationRef: app");
  WaitPhase("third", "Pending");
  kubectl.Delete("volumebackup/third");
  Patch("first", R"({"cancel":true})");
  WaitEnd("first");
  EXPECT_EQ(app.Ran("pre"), 1);
}

// ---- snapshots --------------------------------------------------------------------------------

TEST_F(EndingTest, ASnapshotThatFailsAndRecoversIsWaitedFor) {
  const StillApp app(kubectl, {});
  StartController();
  driver().FailSnapshot("1");
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  ExpectCutWhileStill(app, backup);
  ExpectNeverStillLongerThan(app, 10s);
}

TEST_F(EndingTest, ASnapshotThatKeepsFailingIsGivenUp) {
  const StillApp app(kubectl, {});
  StartController();
  driver().FailSnapshot("all");
  Backup("nightly", "applicationRef: app\nmaxFreeze: 25s");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Failed - SnapshotFailed");
  EXPECT_THAT(Words(backup), HasSubstr("ResourceExhausted"));
  EXPECT_THAT(Words(backup), HasSubstr("app-0"));
  driver().FailSnapshot("");
  ExpectNoSnapshots();
  ExpectNeverStillLongerThan(app, 20s);
}

TEST_F(EndingTest, ACutThatDoesNotComeInTimeEndsTheFreeze) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("nightly", "applicationRef: app\nmaxFreeze: 2s");
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Failed - FreezeExpired");
  ExpectNeverStillLongerThan(app, 3s);
  Release();
  ExpectNoSnapshots();
}

TEST_F(EndingTest, ACutThatDoesNotComeInTimeIsCrashConsistentIfAsked) {
  const StillApp app = HoldAt("Cutting");
  StartController();
  Backup("nightly", "applicationRef: app\nmaxFreeze: 2s\nonInconsistent: Keep");
  ASSERT_TRUE(backups().Until(
      "nightly",
      [](const boost::json::value& b) { return Text(b, "/status/consistency") == "Crash"; }, 10s));
  ExpectNeverStillLongerThan(app, 3s);
  Release();
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Crash Succeeded");
  EXPECT_EQ(Text(backup, "/status/consistencyReason"), "FreezeExpired");
  EXPECT_EQ(kubectl.Names("volumesnapshots").size(), 1U);
}

TEST_F(EndingTest, ASnapshotThatIsNeverReadyIsGivenUp) {
  const StillApp app = HoldAt("WaitingReady");
  StartController();
  Backup("nightly", "applicationRef: app\nreadyTimeout: 3s");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Text(backup, "/status/phase"), "Failed");
  EXPECT_EQ(Text(backup, "/status/reason"), "SnapshotNotReady");
  EXPECT_THAT(Words(backup), HasSubstr("readyTimeout"));
  Release();
  ExpectNoSnapshots();
  ExpectNeverStillLongerThan(app, 5s);
}

}  // namespace
}  // namespace stillpoint::e2e
