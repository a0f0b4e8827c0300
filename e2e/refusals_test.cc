// Backups that cannot be: found out before anything is frozen, with a sentence that says why.
#include "e2e/support/backup_fixture.h"
#include "e2e/support/json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class RefusalTest : public BackupTest {
 protected:
  void TearDown() override {
    BackupTest::TearDown();
    // What lives in no namespace carries ours in its label.
    kubectl({"delete", "persistentvolumes,volumesnapshotclasses", "--selector=e2e=" + ns,
             "--wait=false"});
  }

  // A claim that is bound to a volume of this source (YAML flow).
  void BoundClaim(const std::string& name, const std::string& source) {
    kubectl.Apply(fmt::format(R"(apiVersion: v1
kind: PersistentVolume
metadata: {{name: {ns}-{name}, labels: {{e2e: {ns}}}}}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {{storage: 1Mi}}
  claimRef: {{namespace: {ns}, name: {name}}}
  persistentVolumeReclaimPolicy: Retain
  {source}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  volumeName: {ns}-{name}
  resources: {{requests: {{storage: 1Mi}}}}
)",
                              fmt::arg("ns", ns), fmt::arg("name", name),
                              fmt::arg("source", source)));
    ASSERT_TRUE(
        Eventually([&] { return kubectl.Field("pvc/" + name, ".status.phase") == "Bound"; }));
  }

  void SnapshotClass(const std::string& name, const std::string& for_driver) const {
    kubectl.Apply(
        fmt::format("apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\n"
                    "metadata: {{name: {}, labels: {{e2e: {}}}}}\ndriver: {}\n"
                    "deletionPolicy: Delete\n",
                    name, ns, for_driver));
  }

  // The one word and the sentence.
  void ExpectRefused(const std::string& spec, const std::string& reason, const std::string& words) {
    const std::string name = fmt::format("refused-{}", ++count_);
    Backup(name, spec);
    const auto backup = WaitEnd(name, Seconds(10));
    EXPECT_EQ(Outcome(backup), "Failed - " + reason);
    EXPECT_THAT(Words(backup), HasSubstr(words));
    EXPECT_THAT(Words(backup), HasSubstr("nothing was frozen"));
    EXPECT_TRUE(HasEvent(name, reason));
  }

 private:
  int count_ = 0;
};

TEST_F(RefusalTest, OfWhatIsNotThere) {
  StartController();
  ExpectRefused("applicationRef: shop", "TargetNotFound", "deployment/shop");
  ExpectRefused("claims: [data]", "TargetNotFound", "\"data\"");
  ExpectRefused("selector: {matchLabels: {app: shop}}", "NoRunningPods", "no running pods");
}

TEST_F(RefusalTest, OfClaimsThatCannotBeCut) {
  StartController();
  kubectl.Apply(R"(apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: waiting}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: btrfs-wffc
  resources: {requests: {storage: 1Mi}}
)");
  ExpectRefused("claims: [waiting]", "ClaimNotBound", "claim waiting is Pending");
  BoundClaim("local", "hostPath: {path: /tmp}");
  ExpectRefused("claims: [local]", "NotCSI", "claim local");
}

TEST_F(RefusalTest, OfAClaimThatIsBeingDeleted) {
  const StillApp app(kubectl, {});
  StartController();
  kubectl({"delete", "pvc", "app-0", "--wait=false"});  // its pod holds it
  ExpectRefused("applicationRef: app", "ClaimTerminating", "claim app-0 is being deleted");
  EXPECT_EQ(app.StoodStill().size(), 0U);
}

TEST_F(RefusalTest, OfClaimsWithoutOneClassToUse) {
  StartController();
  const std::string other = ns + ".csi.test";
  BoundClaim("data", fmt::format("csi: {{driver: {}, volumeHandle: v}}", other));
  ExpectRefused("claims: [data]", "SnapshotClassMissing", other);
  ExpectRefused("claims: [data]\nvolumeSnapshotClassName: nope", "SnapshotClassMissing",
                "\"nope\"");
  ExpectRefused("claims: [data]\nvolumeSnapshotClassName: btrfs", "SnapshotClassMissing",
                "is for driver btrfs.csi.test");
  SnapshotClass(ns + "-a", other);
  SnapshotClass(ns + "-b", other);
  ExpectRefused("claims: [data]", "SnapshotClassAmbiguous", ns + "-a");
}

TEST_F(RefusalTest, OfAnApplicationThatDoesNotRun) {
  const StillApp app(kubectl, {});
  StartController();
  kubectl({"scale", "deployment/app", "--replicas=0"});
  ASSERT_TRUE(Eventually([&] { return app.Pods().empty(); }));
  ExpectRefused("applicationRef: app", "NoRunningPods", "start it");
}

TEST_F(RefusalTest, OfOneBadClaimFreezesNothingOfTheRest) {
  const StillApp app(kubectl, {});
  StartController();
  ExpectRefused("applicationRef: app\nclaims: [app-0, nope]", "TargetNotFound", "\"nope\"");
  EXPECT_EQ(app.StoodStill().size(), 0U);
  EXPECT_EQ(driver().Cuts().size(), 0U);
}

// Bad objects that the API server itself refuses, each with the sentence that it must say.
TEST_F(RefusalTest, OfBadObjectsByTheAPIServer) {
  const CommandResult result = e2e::Run(
      {(cluster.source() / "e2e/bad/check.sh").string(), cluster.kubeconfig()}, {}, Seconds(120));
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace stillpoint::e2e
