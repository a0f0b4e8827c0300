// Restores: what was lost comes back, and what goes wrong is put back as it was.
#include "e2e/support/json.h"
#include "e2e/support/mariadb.h"
#include "e2e/support/restore_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

constexpr char kApp[] = "deployment/app";
constexpr char kSet[] = "statefulset/db";

// ---- Repoint ----------------------------------------------------------------------------------

TEST_F(RestoreTest, RepointsADeploymentToWhatItsClaimsHeldAtTheCut) {
  const StillApp app = MarkedApp({.claims = 2});
  StartController();
  BackUpAndLose(kApp);
  Restore("back", "backupRef: nightly");
  const auto restore = WaitRestoreEnd("back");

  EXPECT_EQ(RestoreOutcome(restore), "Completed Succeeded");
  EXPECT_THAT(restores().Phases("back"), IsSupersetOf({"WaitingRollout", "Completed"}));
  EXPECT_EQ(Text(restore, "/status/target"), kApp);
  EXPECT_EQ(Text(restore, "/status/claimsBound"), "2/2");
  EXPECT_EQ(Mark(kApp), "before");
  for (const std::string& claim : NewClaims(restore)) {
    EXPECT_THAT(Template(kApp), HasSubstr('"' + claim + '"'));
  }
  EXPECT_TRUE(kubectl.Exists("pvc/" + app.Claim(0))) << "the old claims stay";
  EXPECT_FALSE(app.IsFrozen());
  EXPECT_TRUE(HasEvent("back", "Completed"));
}

TEST_F(RestoreTest, BringsTheRowsOfADatabaseBackUpToTheCut) {
  const MariaDb database(kubectl, {});
  StartController();
  const int before = database.Rows();
  Backup("nightly", "applicationRef: mysql");
  ASSERT_EQ(Outcome(WaitEnd("nightly", 60s)), "Completed Crash Succeeded");
  static_cast<void>(database.Sql("DROP DATABASE shop"));
  Restore("back", "backupRef: nightly");
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("back")), "Completed Succeeded");
  EXPECT_TRUE(database.Writes());
  EXPECT_TRUE(database.TablesAgree());
  EXPECT_EQ(database.Sql(fmt::format("SELECT COUNT(*) FROM orders WHERE n <= {}", before)),
            fmt::format("{}\n", before));
}

TEST_F(RestoreTest, DeletesTheOldClaimsOfASuccessIfAsked) {
  const StillApp app = MarkedApp({.storage_class = "btrfs-wffc"});
  StartController();
  BackUpAndLose(kApp);
  Restore("back", "backupRef: nightly\noldClaims: Delete");
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("back")), "Completed Succeeded");
  EXPECT_EQ(Mark(kApp), "before");
  EXPECT_TRUE(Eventually([&] { return !kubectl.Exists("pvc/" + app.Claim(0)); }));
}

TEST_F(RestoreTest, SaysThatTheManifestOfAManagedWorkloadMustChangeToo) {
  const StillApp app = MarkedApp();
  kubectl({"label", kApp, "app.kubernetes.io/managed-by=Helm"});
  StartController();
  BackUpAndLose(kApp);
  Restore("back", "source: {applicationRef: app, latest: true}");
  const auto restore = WaitRestoreEnd("back");
  EXPECT_EQ(RestoreOutcome(restore), "Completed Succeeded");
  EXPECT_EQ(Text(restore, "/status/backupName"), "nightly");
  EXPECT_TRUE(HasEvent("back", "ManagedByHelm"));
}

// ---- Replace and ClaimsOnly -------------------------------------------------------------------

TEST_F(RestoreTest, ReplacesTheClaimsOfAStatefulSetUnderTheirNames) {
  MarkedSet(2);
  StartController();
  BackUpAndLose(kSet);
  const std::string before = Template(kSet);
  const std::string old_volume = kubectl.Field("pvc/data-db-0", ".spec.volumeName");
  Restore("back", "backupRef: nightly\nstrategy: Replace");
  const auto restore = WaitRestoreEnd("back");

  EXPECT_EQ(RestoreOutcome(restore), "Completed Succeeded");
  EXPECT_THAT(NewClaims(restore), ElementsAre("data-db-0", "data-db-1"));
  EXPECT_EQ(Mark(kSet), "before");
  EXPECT_EQ(Template(kSet), before);
  EXPECT_EQ(kubectl.Field(kSet, ".spec.replicas"), "2");
  EXPECT_NE(kubectl.Field("pvc/data-db-0", ".spec.volumeName"), old_volume);
  EXPECT_EQ(kubectl.Field("pvc/data-db-0-before-back", ".spec.volumeName"), old_volume);
  EXPECT_TRUE(Eventually([&] {
    return kubectl.Field("pv/" + old_volume, ".spec.persistentVolumeReclaimPolicy") == "Delete";
  })) << "the old volume has its policy again";
}

TEST_F(RestoreTest, MakesClaimsOfSnapshotsThatAreNamedByHand) {
  const StillApp app = MarkedApp();
  StartController();
  const std::string snapshot = SnapshotNames(BackUpAndLose(kApp)).at("app-0");
  const std::string before = Template(kApp);
  Restore("back", "strategy: ClaimsOnly\nclaims: [{claim: app-0, snapshot: " + snapshot +
                      ", newName: copy}]");
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("back")), "Completed Succeeded");
  EXPECT_EQ(kubectl.Field("pvc/copy", ".spec.dataSource.name"), snapshot);
  EXPECT_EQ(kubectl.Field("pvc/copy", ".status.phase"), "Bound");
  EXPECT_EQ(Template(kApp), before);
  EXPECT_EQ(Mark(kApp), "after");
}

// ---- refusals ---------------------------------------------------------------------------------

TEST_F(RestoreTest, RefusesToRepointAStatefulSet) {
  MarkedSet(1);
  StartController();
  BackUpAndLose(kSet);
  Restore("back", "backupRef: nightly");
  const auto restore = WaitRestoreEnd("back");
  EXPECT_EQ(RestoreOutcome(restore), "Failed NeedsReplace");
  EXPECT_THAT(Words(restore), HasSubstr("strategy: Replace"));
  EXPECT_TRUE(HasEvent("back", "NeedsReplace"));
  EXPECT_EQ(Mark(kSet), "after");
}

TEST_F(RestoreTest, RefusesABackupThatIsNotThere) {
  StartController();
  Restore("back", "backupRef: nightly");
  const auto restore = WaitRestoreEnd("back");
  EXPECT_EQ(RestoreOutcome(restore), "Failed BackupNotUsable");
  EXPECT_THAT(Words(restore), HasSubstr("nightly"));
  EXPECT_TRUE(HasEvent("back", "BackupNotUsable"));
}

TEST_F(RestoreTest, WaitsForAnotherRestoreOfItsWorkload) {
  MarkedSet(1);
  StartController();
  BackUpAndLose(kSet);
  const std::string replace = "backupRef: nightly\nstrategy: Replace";
  Restore("first", replace + "\npostHooks: [{name: dawdle, shell: sleep 5}]");
  WaitRestorePhase("first", "RunningHooks");
  Restore("second", replace);
  EXPECT_TRUE(HasEvent("second", "AnotherRestoreRunning"));
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("first")), "Completed Succeeded");
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("second")), "Completed Succeeded");
  EXPECT_EQ(Mark(kSet), "before");
}

// ---- failures ---------------------------------------------------------------------------------

TEST_F(RestoreTest, PutsTheTemplateBackWhenTheApplicationDoesNotBecomeReady) {
  const StillApp app = MarkedApp();
  StartController();
  BackUpAndLose(kApp);
  ReadyOnlyIfMarked(kApp, "after");
  const std::string before = Template(kApp);
  Restore("back", "backupRef: nightly\nrolloutTimeout: 15s");
  const auto restore = WaitRestoreEnd("back");
  EXPECT_EQ(RestoreOutcome(restore), "RolledBack RolloutTimedOut");
  EXPECT_EQ(Template(kApp), before);
  kubectl.RolledOut(kApp);
  EXPECT_EQ(Mark(kApp), "after");
  EXPECT_TRUE(Eventually([&] { return kubectl.Names("pvc") == std::vector{app.Claim(0)}; }));
  EXPECT_TRUE(HasEvent("back", "RolledBack"));
}

TEST_F(RestoreTest, PutsTheOldVolumeBackWhenAReplacedSetDoesNotBecomeReady) {
  MarkedSet(1);
  StartController();
  BackUpAndLose(kSet);
  ReadyOnlyIfMarked(kSet, "after");
  const std::string before = Template(kSet);
  const std::string old_volume = kubectl.Field("pvc/data-db-0", ".spec.volumeName");
  Restore("back", "backupRef: nightly\nstrategy: Replace\nrolloutTimeout: 15s");
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("back")), "RolledBack RolloutTimedOut");
  kubectl.RolledOut(kSet);
  EXPECT_EQ(Template(kSet), before);
  EXPECT_EQ(Mark(kSet), "after");
  EXPECT_EQ(kubectl.Field("pvc/data-db-0", ".spec.volumeName"), old_volume);
  EXPECT_TRUE(Eventually([&] { return kubectl.Names("pvc") == std::vector{"data-db-0"s}; }));
}

TEST_F(RestoreTest, DeletedInTheMiddlePutsTheTemplateBack) {
  const StillApp app = MarkedApp();
  StartController();
  BackUpAndLose(kApp);
  ReadyOnlyIfMarked(kApp, "after");
  const std::string before = Template(kApp);
  Restore("back", "backupRef: nightly");
  WaitRestorePhase("back", "WaitingRollout");
  kubectl.Delete("volumerestore/back");
  EXPECT_EQ(Template(kApp), before);
  kubectl.RolledOut(kApp);
  EXPECT_EQ(Mark(kApp), "after");
  EXPECT_TRUE(Eventually([&] { return kubectl.Names("pvc") == std::vector{app.Claim(0)}; }));
}

TEST_F(RestoreTest, GoesOnWhenTheControllerIsKilledInEveryPhaseOfARepoint) {
  const StillApp app = MarkedApp();
  StartController();
  BackUpAndLose(kApp);
  Restore("back", "backupRef: nightly");
  KillAtEach("back", {"CreatingClaims", "Repointing", "WaitingRollout"});
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("back")), "Completed Succeeded");
  EXPECT_EQ(Mark(kApp), "before");
  EXPECT_EQ(kubectl.Names("pvc").size(), 2U);
}

TEST_F(RestoreTest, GoesOnWhenTheControllerIsKilledWhileItRollsBack) {
  const StillApp app = MarkedApp();
  StartController();
  BackUpAndLose(kApp);
  ReadyOnlyIfMarked(kApp, "after");
  const std::string before = Template(kApp);
  Restore("back", "backupRef: nightly\nrolloutTimeout: 15s");
  KillAtEach("back", {"RollingBack"});
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("back")), "RolledBack RolloutTimedOut");
  EXPECT_EQ(Template(kApp), before);
  kubectl.RolledOut(kApp);
  EXPECT_EQ(Mark(kApp), "after");
}

TEST_F(RestoreTest, GoesOnWhenTheControllerIsKilledInEveryPhaseOfAReplace) {
  MarkedSet(1);
  StartController();
  BackUpAndLose(kSet);
  Restore("back", "backupRef: nightly\nstrategy: Replace");
  KillAtEach("back", {"Stopping", "CreatingClaims", "WaitingRollout"});
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("back")), "Completed Succeeded");
  EXPECT_EQ(Mark(kSet), "before");
  EXPECT_THAT(kubectl.Names("pvc"), ElementsAre("data-db-0", "data-db-0-before-back"));
}

}  // namespace
}  // namespace stillpoint::e2e
