// The controller as it is installed: a Pod of deploy/, and two that share a lease.
#include "e2e/support/audit.h"
#include "e2e/support/json.h"
#include "e2e/support/phase_fixture.h"
#include "e2e/support/restore_fixture.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// ---- as a Pod ---------------------------------------------------------------------------------

// `kubectl apply -k deploy` and nothing else, with the image that E2E_IMAGE names. It serves every
// namespace, so it is removed at the end: the other tests have controllers of their own.
class PodTest : public RestoreTest {
 protected:
  static constexpr char kDeployment[] = "deployment/stillpoint-controller";
  static constexpr char kPods[] = "app.kubernetes.io/component=controller";

  void SetUp() override {
    RestoreTest::SetUp();
    if (IsSkipped()) return;
    const char* image = std::getenv("E2E_IMAGE");
    if (image == nullptr) GTEST_SKIP() << "E2E_IMAGE names no image that the cluster has";
    // Without a namespace of its own: the manifests name theirs.
    const CommandResult applied =
        e2e::Run({"kubectl", "--kubeconfig", cluster.kubeconfig(), "apply", "-k", Deploy()});
    ASSERT_EQ(applied.exit_code, 0) << applied.err;
    system({"set", "image", kDeployment, std::string("controller=") + image});
    system.RolledOut(kDeployment);
  }

  void TearDown() override {
    if (HasFailure()) {
      // A Pod that does not start has no logs; why, its description says.
      std::puts(system({"describe", "pods", "-l", kPods}).out.c_str());
      std::puts(system({"logs", kDeployment, "--tail=60"}).out.c_str());
    }
    if (!IsSkipped()) {
      // While it is there to let them go.
      kubectl({"delete", "volumerestores,volumebackups", "--all", "--timeout=60s"});
      system.Delete(kDeployment);
    }
    RestoreTest::TearDown();
  }

  // The folder to apply.
  [[nodiscard]] virtual std::string Deploy() const { return cluster.source() / "deploy"; }

  // What /readyz of its Pod says.
  [[nodiscard]] std::string Ready() const {
    return system({"get", "--raw",
                   "/api/v1/namespaces/stillpoint-system/pods/" +
                       system.Names("pods", kPods).at(0) + ":8081/proxy/readyz"})
        .out;
  }

  const Kubectl system{cluster.Namespace("stillpoint-system")};
};

TEST_F(PodTest, BacksUpAndRestoresWithTheRightsOfItsServiceAccount) {
  const AuditLog audit(cluster.state());
  EXPECT_EQ(Ready(), "ok\n");
  const StillApp app(kubectl, {});
  SetMark("deployment/app", "before");
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly", 60s);
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  ExpectCutWhileStill(app, backup);

  SetMark("deployment/app", "after");
  Restore("repoint", "backupRef: nightly\noldClaims: Delete");
  const auto repoint = WaitRestoreEnd("repoint");
  EXPECT_EQ(RestoreOutcome(repoint), "Completed Succeeded");
  EXPECT_EQ(Mark("deployment/app"), "before");

  SetMark("deployment/app", "after");
  const std::string snapshot = SnapshotNames(backup).at("app-0");
  Restore("replace", "strategy: Replace\napplicationRef: app\nclaims: [{claim: " +
                         NewClaims(repoint).at(0) + ", snapshot: " + snapshot + "}]");
  EXPECT_EQ(RestoreOutcome(WaitRestoreEnd("replace")), "Completed Succeeded");
  EXPECT_EQ(Mark("deployment/app"), "before");
  EXPECT_TRUE(HasEvent("replace", "Completed"));
  for (const ApiRequest& request : audit.Requests(Cluster::kControllerUser, ns)) {
    EXPECT_NE(request.code, 403) << request.verb << ' ' << request.resource;
  }
  EXPECT_EQ(system.Field("pod/" + system.Names("pods", kPods).at(0),
                         ".status.containerStatuses[0].restartCount"),
            "0");
}

// deploy/overlays/namespaced, for the namespace of this test. The rights in all namespaces, which
// the suite has given to its other controllers, are taken away meanwhile.
class NamespacedPodTest : public PodTest {
 protected:
  void SetUp() override {
    if (IsLocal()) system({"delete", "clusterrolebinding", "stillpoint-controller"});
    PodTest::SetUp();
  }

  void TearDown() override {
    PodTest::TearDown();
    const auto rbac = cluster.source() / "deploy/base/rbac/controller.yaml";
    EXPECT_EQ(system({"apply", "-f", rbac.string()}).exit_code, 0);
  }

  [[nodiscard]] std::string Deploy() const override {
    const std::filesystem::path copy = Scratch("deploy");
    std::filesystem::copy(cluster.source() / "deploy", copy,
                          std::filesystem::copy_options::recursive);
    const std::filesystem::path overlay = copy / "overlays/namespaced";
    const CommandResult named =
        e2e::Run({"sed", "-i", "s/namespace: default.*/namespace: " + ns + "/",
                  overlay / "watched_namespace.yaml"});
    EXPECT_EQ(named.exit_code, 0) << named.err;
    return overlay;
  }
};

TEST_F(NamespacedPodTest, BacksUpWithRightsInItsNamespaceAlone) {
  EXPECT_EQ(Ready(), "ok\n");
  EXPECT_THAT(system.Field(kDeployment, ".spec.template.spec.containers[0].args"),
              HasSubstr("--namespace=" + ns));
  const StillApp app(kubectl, {});
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly", 60s);
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  ExpectCutWhileStill(app, backup);
  const std::string binding = "rolebinding/stillpoint-controller";
  EXPECT_EQ(kubectl.Field(binding, ".roleRef.name"), "stillpoint-controller");
}

// ---- two of them ------------------------------------------------------------------------------

class LeaseTest : public PhaseTest {
 protected:
  [[nodiscard]] static std::vector<std::string> Elected() {
    return {"--leader-elect=true", "--lease-namespace=stillpoint-system"};
  }
};

TEST_F(LeaseTest, AnotherOneThawsWhatAPausedLeaderHasFrozen) {
  const StillApp app = HoldAt("Cutting");
  Controller leader(ns, Scratch("leader.log"), Elected());
  leader.Start();
  const auto leads = [&] { return leader.Log().find("controllers started") != std::string::npos; };
  // The lease of one that was killed has to run out first.
  ASSERT_TRUE(Eventually(leads)) << leader.LogTail(30);
  StartController(Elected());
  Backup("nightly", "applicationRef: app\nmaxFreeze: 60s");
  WaitHeld("nightly", "Cutting", app);

  leader.Pause();
  EXPECT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 40s)) << "nobody took over";
  Release();
  const auto backup = WaitEnd("nightly", 60s);
  EXPECT_EQ(Outcome(backup), "Failed - ThawedAfterRestart");

  // It wakes up, and finds that it leads no more.
  leader.Continue();
  EXPECT_TRUE(Eventually([&] { return !leader.Running(); })) << leader.LogTail(30);
  EXPECT_NE(leader.Terminate(), 0);
  EXPECT_THAT(leader.Log(), HasSubstr("the lease is lost"));
  EXPECT_FALSE(app.IsFrozen());
  EXPECT_EQ(app.StoodStill().size(), 1U);
  EXPECT_EQ(Outcome(backups().Latest("nightly")), "Failed - ThawedAfterRestart");
}

}  // namespace
}  // namespace stillpoint::e2e
