// Restores that cannot end well, are given up, or concern what others manage.
#include "e2e/support/json.h"
#include "e2e/support/restore_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <stdexcept>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;

constexpr char kApp[] = "deployment/app";
constexpr char kSet[] = "statefulset/db";

// ---- an image that is lost --------------------------------------------------------------------

class ImageTest : public RestoreTest {
 protected:
  // Images of the node, by containerd's own tool.
  void Ctr(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"ctr", "-a", cluster.state() / "containerd.sock", "-n", "k8s.io", "images"});
    const CommandResult result = e2e::Run(arguments);
    if (result.exit_code != 0) throw std::runtime_error("ctr: " + result.err);
  }

  const std::string image = fmt::format("docker.io/local/lost-{}:1", ns);
};

// Gone from the node and the registry since its pod was started: no pod of the restored template
// can start, and none of the old one either. So the old pod must not be lost on the way.
TEST_F(ImageTest, ThatIsLostPutsTheTemplateBackAndTheOldPodRunsOn) {
  Ctr({"tag", "--force", "docker.io/local/tools:1", image});
  const StillApp app = MarkedApp({.image = image});
  const CommandResult rolling =
      kubectl({"patch", kApp, "--type=merge", "-p",
               R"({"spec":{"strategy":{"type":"RollingUpdate",)"
               R"("rollingUpdate":{"maxUnavailable":0,"maxSurge":1}}}})"});
  ASSERT_EQ(rolling.exit_code, 0) << rolling.err;
  StartController();
  BackUpAndLose(kApp);
  const std::string before = Template(kApp);
  const std::vector<std::string> pods = app.Pods();
  Ctr({"rm", "--sync", image});

  Restore("back", "backupRef: nightly\nrolloutTimeout: 15s");
  const auto restore = WaitRestoreEnd("back");
  EXPECT_EQ(RestoreOutcome(restore), "RolledBack RolloutTimedOut");
  EXPECT_EQ(Template(kApp), before);
  EXPECT_TRUE(Eventually([&] { return app.Pods() == pods; })) << "the old pod was lost";
  EXPECT_EQ(Mark(kApp), "after");
  EXPECT_TRUE(Eventually([&] { return kubectl.Names("pvc") == std::vector{app.Claim(0)}; }));
}

// ---- workloads that others manage -------------------------------------------------------------

struct Managed {
  const char* by;
  std::vector<std::string> mark;  // arguments of kubectl
  const char* words;
};

class ManagedBy : public RestoreTest, public testing::WithParamInterface<Managed> {};

TEST_P(ManagedBy, IsToldThatTheManifestMustChangeToo) {
  const StillApp app = MarkedApp();
  kubectl(GetParam().mark);
  StartController();
  BackUpAndLose(kApp);
  Restore("back", "backupRef: nightly");
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("back")), "Completed Succeeded");
  EXPECT_TRUE(HasEvent("back", "ManagedByGitOps"));
  std::string notes;
  for (const Event& event : Events("back")) notes += event.note + "\n";
  EXPECT_THAT(notes, HasSubstr(GetParam().words));
  EXPECT_THAT(notes, HasSubstr("Replace"));
}

INSTANTIATE_TEST_SUITE_P(
    Restores, ManagedBy,
    testing::Values(Managed{"ArgoCD",
                            {"annotate", kApp,
                             "argocd.argoproj.io/tracking-id=shop:apps/Deployment:shop/app"},
                            "Argo CD"},
                    Managed{"Flux",
                            {"label", kApp, "kustomize.toolkit.fluxcd.io/name=shop",
                             "kustomize.toolkit.fluxcd.io/namespace=flux-system"},
                            "Flux"}),
    [](const auto& info) { return info.param.by; });

// ---- a point in time --------------------------------------------------------------------------

TEST_F(RestoreTest, TakesTheNewestBackupAtOrBeforeAPointInTime) {
  const StillApp app = MarkedApp();
  StartController();
  const auto nightly = BackUpAndLose(kApp);
  Backup("later", "applicationRef: app");
  ASSERT_EQ(Outcome(WaitEnd("later")), "Completed Crash Succeeded");
  const std::string then = Text(nightly, "/status/completionTime");
  Restore("back", "source: {applicationRef: app, asOf: \"" + then + "\"}");
  const auto restore = WaitRestoreEnd("back");
  EXPECT_EQ(RestoreOutcome(restore), "Completed Succeeded");
  EXPECT_EQ(Text(restore, "/status/backupName"), "nightly");
  EXPECT_EQ(Mark(kApp), "before");

  Restore("too-early", "source: {applicationRef: app, asOf: \"2020-01-01T00:00:00Z\"}");
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("too-early")), "Failed BackupNotUsable");
}

// ---- deleted on the way -----------------------------------------------------------------------

struct Deleted {
  const char* phase;
  const char* spec;  // further fields
};

// The application never becomes ready on the old data, so only one end is possible: as it was.
class DeletedIn : public RestoreTest, public testing::WithParamInterface<Deleted> {
 protected:
  void DeleteInPhase() {
    const auto seen = [&](const boost::json::value&) {
      const std::vector<std::string> passed = restores().Phases("back");
      return std::ranges::find(passed, GetParam().phase) != passed.end();
    };
    EXPECT_TRUE(restores().Until("back", seen, 60s)) << "never " << GetParam().phase;
    kubectl.Delete("volumerestore/back");
  }
};

using RepointDeletedIn = DeletedIn;

TEST_P(RepointDeletedIn, LeavesTheWorkloadAsItWas) {
  const StillApp app = MarkedApp();
  StartController();
  BackUpAndLose(kApp);
  ReadyOnlyIfMarked(kApp, "after");
  const std::string before = Template(kApp);
  Restore("back", "backupRef: nightly"s + GetParam().spec);
  DeleteInPhase();
  EXPECT_EQ(Template(kApp), before);
  kubectl.RolledOut(kApp);
  EXPECT_EQ(Mark(kApp), "after");
  EXPECT_TRUE(Eventually([&] { return kubectl.Names("pvc") == std::vector{app.Claim(0)}; }));
}

INSTANTIATE_TEST_SUITE_P(Restores, RepointDeletedIn,
                         testing::Values(Deleted{"CreatingClaims", ""}, Deleted{"Repointing", ""},
                                         Deleted{"RollingBack", "\nrolloutTimeout: 5s"}),
                         [](const auto& info) { return info.param.phase; });

using ReplaceDeletedIn = DeletedIn;

TEST_P(ReplaceDeletedIn, LeavesTheWorkloadAsItWas) {
  MarkedSet(1);
  StartController();
  BackUpAndLose(kSet);
  ReadyOnlyIfMarked(kSet, "after");
  const std::string before = Template(kSet);
  const std::string old_volume = kubectl.Field("pvc/data-db-0", ".spec.volumeName");
  Restore("back", "backupRef: nightly\nstrategy: Replace"s + GetParam().spec);
  DeleteInPhase();
  kubectl.RolledOut(kSet);
  EXPECT_EQ(Template(kSet), before);
  EXPECT_EQ(kubectl.Field(kSet, ".spec.replicas"), "1");
  EXPECT_EQ(Mark(kSet), "after");
  EXPECT_EQ(kubectl.Field("pvc/data-db-0", ".spec.volumeName"), old_volume);
  EXPECT_TRUE(Eventually([&] { return kubectl.Names("pvc") == std::vector{"data-db-0"s}; }));
}

INSTANTIATE_TEST_SUITE_P(Restores, ReplaceDeletedIn,
                         testing::Values(Deleted{"Stopping", ""}, Deleted{"CreatingClaims", ""},
                                         Deleted{"WaitingRollout", ""},
                                         Deleted{"RollingBack", "\nrolloutTimeout: 5s"}),
                         [](const auto& info) { return info.param.phase; });

// The application runs on the restored data already: deletion is no reason to take that away, or
// it is as it was; nothing in between.
TEST_F(RestoreTest, DeletedWhileItsHooksRunEndsInOneOfTheTwoStates) {
  const StillApp app = MarkedApp();
  StartController();
  BackUpAndLose(kApp);
  const std::string before = Template(kApp);
  Restore("back", "backupRef: nightly\npostHooks: [{name: dawdle, shell: sleep 5}]");
  WaitRestorePhase("back", "RunningHooks");
  kubectl.Delete("volumerestore/back");
  kubectl.RolledOut(kApp);
  if (Template(kApp) == before) {
    EXPECT_EQ(Mark(kApp), "after");
    EXPECT_TRUE(Eventually([&] { return kubectl.Names("pvc") == std::vector{app.Claim(0)}; }));
  } else {
    EXPECT_EQ(Mark(kApp), "before");
    EXPECT_EQ(kubectl.Names("pvc").size(), 2U);
  }
}

// ---- a DaemonSet ------------------------------------------------------------------------------

TEST_F(RestoreTest, RepointsADaemonSet) {
  MarkedDaemonSet();
  StartController();
  BackUpAndLose("daemonset/agent");
  Restore("back", "backupRef: nightly");
  const auto restore = WaitRestoreEnd("back");
  EXPECT_EQ(RestoreOutcome(restore), "Completed Succeeded");
  EXPECT_EQ(Text(restore, "/status/target"), "daemonset/agent");
  EXPECT_EQ(Mark("daemonset/agent"), "before");
  EXPECT_THAT(Template("daemonset/agent"), HasSubstr('"' + NewClaims(restore).at(0) + '"'));
}

}  // namespace
}  // namespace stillpoint::e2e
