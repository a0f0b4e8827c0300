// Backups that go well: what they promise, measured by the driver's and the application's records.
#include "e2e/support/audit.h"
#include "e2e/support/backup_fixture.h"
#include "e2e/support/json.h"

#include <gmock/gmock.h>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::ElementsAre;
using testing::MatchesRegex;

TEST_F(BackupTest, IsCutWhileTheApplicationStandsStill) {
  const StillApp app(kubectl, {});
  StartController();
  const AuditLog audit(cluster.state());
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly");

  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  // A snapshot may be ready before anybody has to wait for it.
  EXPECT_THAT(backups().Phases("nightly"),
              AnyOf(ElementsAre("Freezing", "Cutting", "Thawing", "WaitingReady", "Completed"),
                    ElementsAre("Freezing", "Cutting", "Thawing", "Completed")));
  RecordFreeze(app, backup);
  ExpectCutWhileStill(app, backup);
  ExpectNeverStillLongerThan(app, 5s);
  EXPECT_EQ(app.Ran("pre"), 1);
  EXPECT_EQ(app.Ran("post"), 1);
  for (const char* type : {"Resolved", "Frozen", "Cut", "Ready", "Finished"}) {
    EXPECT_EQ(Text(Condition(backup, type), "/status"), "True") << type;
  }
  for (const char* reason :
       {"Resolved", "FreezeStarted", "Frozen", "Cut", "Thawed", "SnapshotsReady", "Completed"}) {
    EXPECT_TRUE(HasEvent("nightly", reason)) << reason;
  }
  // Events are written beside the work, and are not counted.
  std::vector<ApiRequest> writes = audit.Writes(Cluster::kControllerUser, ns);
  std::erase_if(writes, [](const ApiRequest& request) { return request.resource == "events"; });
  EXPECT_LE(writes.size(), 8U + 2U);
}

TEST_F(BackupTest, ShowsItsColumns) {
  const StillApp app(kubectl, {});
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitEnd("nightly");
  EXPECT_THAT(kubectl({"get", "vb"}).out,
              MatchesRegex("NAME +TARGET +PHASE +CONSISTENCY +FROZEN +VOLUMES +REASON +AGE\n"
                           "nightly +deployment/app +Completed +Application +[0-9.]+m?s +1/1 +"
                           "Succeeded +[0-9]+s\n"));
}

TEST_F(BackupTest, StopsEveryPodOfAnApplicationThatSharesItsClaims) {
  const StillApp app(kubectl, {.pods = 2, .claims = 3});
  StartController();
  Backup("nightly", "applicationRef: deployment/app");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_EQ(Text(backup, "/status/volumesReady"), "3/3");
  RecordFreeze(app, backup);
  ExpectCutWhileStill(app, backup);
  ExpectNeverStillLongerThan(app, 10s);
}

TEST_F(BackupTest, LetsTheApplicationGoLongBeforeTheSnapshotsAreReady) {
  const StillApp app(kubectl, {.claims = 2});
  StartController();
  driver().ReadyDelay("3s");
  Backup("nightly", "applicationRef: app");
  WaitPhase("nightly", "WaitingReady");
  EXPECT_FALSE(app.IsFrozen());
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  ExpectCutWhileStill(app, backup);
  ExpectNeverStillLongerThan(app, 3s);
}

TEST_F(BackupTest, OfTenClaimsIsOfOneInstant) {
  const StillApp app(kubectl, {.claims = 10});
  StartController();
  Backup("nightly", "applicationRef: app\nmaxFreeze: 60s");
  const auto backup = WaitEnd("nightly", 90s);
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_EQ(Text(backup, "/status/volumesReady"), "10/10");
  RecordFreeze(app, backup);
  ExpectCutWhileStill(app, backup);
  ExpectNeverStillLongerThan(app, 60s);
}

TEST_F(BackupTest, OfASelectorIsOneGroupOfSeveralWorkloads) {
  const StillApp shop(kubectl, {.name = "shop", .labels = {{"group", "g"}}});
  const StillApp search(kubectl, {.name = "search", .labels = {{"group", "g"}}});
  StartController();
  Backup("nightly", "selector: {matchLabels: {group: g}}");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_EQ(Text(backup, "/status/target"), "selector");
  ASSERT_EQ(SnapshotNames(backup).size(), 2U);
  for (const auto& [claim, snapshot] : SnapshotNames(backup)) {
    const Cut cut = driver().Cuts().at(snapshot);
    for (const StillApp* app : {&shop, &search}) {
      const std::vector<Stillness> still = app->StoodStill();
      ASSERT_EQ(still.size(), 1U);
      EXPECT_LE(still[0].from, cut.start) << claim;
      EXPECT_GE(still[0].until.value_or(cut.end) + 10ms, cut.end) << claim;
    }
  }
}

TEST_F(BackupTest, OfAReplicaSetIsThatOfItsPods) {
  const StillApp app(kubectl, {});
  StartController();
  const std::string target = "replicaset/" + kubectl.Names("replicasets", "app=app").at(0);
  Backup("nightly", "applicationRef: " + target);
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_EQ(Text(backup, "/status/target"), target);
  ExpectCutWhileStill(app, backup);
}

TEST_F(BackupTest, OfNamedClaimsUsesTheHooksOfThePodsThatMountThem) {
  const StillApp app(kubectl, {.claims = 2});
  StartController();
  Backup("nightly", "claims: [app-1]");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_EQ(SnapshotNames(backup).size(), 1U);
  ExpectCutWhileStill(app, backup);
}

TEST_F(BackupTest, WithoutHooksIsCrashConsistentAndSaysSo) {
  const StillApp app(kubectl, {.annotations = {}});
  StartController();
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Crash Succeeded");
  EXPECT_EQ(Text(backup, "/status/consistencyReason"), "NoHooks");
  EXPECT_EQ(app.StoodStill().size(), 0U);
}

TEST_F(BackupTest, WaitsForAnotherOneThatSharesAPod) {
  const StillApp app(kubectl, {});
  StartController();
  driver().CutDelay("1500ms");
  Backup("first", "applicationRef: app");
  WaitPhase("first", "Cutting");
  Backup("second", "applicationRef: app");
  const auto queued = [](const boost::json::value& backup) {
    return Text(backup, "/status/reason") == "Queued";
  };
  EXPECT_TRUE(backups().Until("second", queued, 5s)) << Outcome(backups().Latest("second"));
  EXPECT_EQ(app.Ran("pre"), 1);
  const auto first = WaitEnd("first");
  const auto second = WaitEnd("second");
  EXPECT_EQ(Outcome(first), "Completed Application Succeeded");
  EXPECT_EQ(Outcome(second), "Completed Application Succeeded");
  ExpectCutWhileStill(app, first);
  ExpectCutWhileStill(app, second);
  EXPECT_EQ(app.StoodStill().size(), 2U);
  EXPECT_TRUE(HasEvent("second", "Queued"));
}

TEST_F(BackupTest, LeavesItsSnapshotsOrTakesThemAlongAsItsPolicySays) {
  const StillApp app(kubectl, {});
  StartController();
  Backup("kept", "applicationRef: app\ndeletionPolicy: Retain");
  const std::string kept = SnapshotNames(WaitEnd("kept")).begin()->second;
  kubectl.Delete("volumebackup/kept");
  Backup("taken", "applicationRef: app\ndeletionPolicy: Delete");
  WaitEnd("taken");
  EXPECT_EQ(kubectl.Names("volumesnapshots").size(), 2U);
  kubectl.Delete("volumebackup/taken");
  EXPECT_TRUE(Eventually([&] { return kubectl.Names("volumesnapshots").size() == 1; }));
  EXPECT_THAT(kubectl.Names("volumesnapshots"), ElementsAre(kept));
}

TEST_F(BackupTest, GoesWhenItsTimeIsOver) {
  const StillApp app(kubectl, {});
  StartController();
  Backup("nightly", "applicationRef: app\nttl: 2s\ndeletionPolicy: Delete");
  WaitEnd("nightly");
  WaitGone("nightly");
  ExpectNoSnapshots();
}

TEST_F(BackupTest, SaysWhenASnapshotIsDeletedBehindItsBack) {
  const StillApp app(kubectl, {});
  StartController();
  Backup("nightly", "applicationRef: app");
  kubectl.Delete("volumesnapshot/" + SnapshotNames(WaitEnd("nightly")).begin()->second);
  const auto told = [](const boost::json::value& backup) {
    return Text(Condition(backup, "Ready"), "/reason") == "SnapshotDeletedOutside";
  };
  EXPECT_TRUE(backups().Until("nightly", told, 10s));
  EXPECT_TRUE(HasEvent("nightly", "SnapshotDeletedOutside"));
}

}  // namespace
}  // namespace stillpoint::e2e
