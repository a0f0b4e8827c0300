// What is not installed, or not allowed: a sentence that says so, and no restart once it is there.
#include "e2e/support/backup_fixture.h"
#include "e2e/support/bare_api.h"
#include "e2e/support/json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// On an API server of its own, as CRDs and roles cannot be taken away from the shared one.
class AbsenceTest : public BackupTest {
 protected:
  void SetUp() override {
    BackupTest::SetUp();
    if (IsSkipped()) return;
    api_ = std::make_unique<BareApi>(Scratch("bare"));
    bare_.emplace(api_->Namespace("shop"));
    (*bare_)({"create", "namespace", "shop"});
  }

  [[nodiscard]] const BareApi& api() const { return *api_; }
  [[nodiscard]] const Kubectl& bare() const { return *bare_; }

  void InstallOurKinds() const {
    const CommandResult applied =
        bare()({"apply", "-k", (cluster.source() / "deploy/crd").string()});
    ASSERT_EQ(applied.exit_code, 0) << applied.err;
    bare()({"wait", "--for=condition=Established", "crd", "--all"});
  }

  // Bound to a volume, as far as the API server knows: there is no controller of volumes.
  void BoundClaim() const {
    bare().Apply(R"(apiVersion: v1
kind: PersistentVolume
metadata: {name: v}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 1Mi}
  claimRef: {namespace: shop, name: data}
  csi: {driver: csi.fast, volumeHandle: v}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  volumeName: v
  resources: {requests: {storage: 1Mi}}
)");
    const CommandResult patched = bare()({"patch", "pvc", "data", "--subresource=status",
                                          "--type=merge", "-p", R"({"status":{"phase":"Bound"}})"});
    ASSERT_EQ(patched.exit_code, 0) << patched.err;
  }

  // The object `nightly` of the claim, once it has ended.
  [[nodiscard]] boost::json::value BackUpTheClaim() const {
    bare().Apply(
        "apiVersion: backups.example.com/v1alpha1\nkind: VolumeBackup\n"
        "metadata: {name: nightly}\nspec: {claims: [data]}\n");
    EXPECT_EQ(bare()({"wait", "vb/nightly", "--for=condition=Finished", "--timeout=40s"}).exit_code,
              0);
    return bare().Get("vb/nightly");
  }

  [[nodiscard]] bool Logged(const std::string& words) {
    return Eventually([&] { return controller().Log().find(words) != std::string::npos; }, 20s);
  }

 private:
  std::unique_ptr<BareApi> api_;
  std::optional<Kubectl> bare_;
};

// The controller is there first, as with a Helm chart whose CRDs come last.
TEST_F(AbsenceTest, OfOurOwnKindsEndsWithoutARestartAndThatOfSnapshotsIsTold) {
  StartElsewhere("shop", api().kubeconfig());
  EXPECT_TRUE(Logged("volumebackups")) << controller().LogTail(20);
  EXPECT_FALSE(controller().Ready());
  EXPECT_TRUE(controller().Running());

  InstallOurKinds();
  EXPECT_TRUE(Eventually([&] { return controller().Ready(); }, 60s)) << controller().LogTail(20);

  BoundClaim();
  const auto backup = BackUpTheClaim();
  EXPECT_EQ(Outcome(backup), "Failed - SnapshotAPIAbsent");
  EXPECT_THAT(Words(backup), HasSubstr("snapshot.storage.k8s.io"));
  EXPECT_THAT(Words(backup), HasSubstr("nothing was frozen"));
}

TEST_F(AbsenceTest, OfARightIsToldWithTheVerbAndTheResource) {
  InstallOurKinds();
  BoundClaim();
  const Kubectl system = api().Namespace("stillpoint-system");
  system({"create", "namespace", "stillpoint-system"});
  const std::string kubeconfig = api().KubeconfigOf("stillpoint-system", "stillpoint-controller");
  const auto rbac = cluster.source() / "deploy/base/rbac/controller.yaml";
  ASSERT_EQ(system({"apply", "-f", rbac.string()}).exit_code, 0);
  system({"delete", "clusterrolebinding", "stillpoint-controller-cluster"});

  StartElsewhere("shop", kubeconfig);
  EXPECT_TRUE(Eventually([&] { return controller().Ready(); }, 60s)) << controller().LogTail(20);
  EXPECT_TRUE(Logged("get persistentvolumes")) << controller().LogTail(20);
  const auto backup = BackUpTheClaim();
  EXPECT_EQ(Outcome(backup), "Failed - Forbidden");
  EXPECT_THAT(Words(backup), HasSubstr("persistentvolumes"));
  EXPECT_THAT(Words(backup), HasSubstr("get"));
  EXPECT_THAT(Words(backup), HasSubstr("nothing was frozen"));
}

}  // namespace
}  // namespace stillpoint::e2e
