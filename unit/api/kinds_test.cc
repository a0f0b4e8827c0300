#include "api/apps.h"
#include "api/authorization.h"
#include "api/codec.h"
#include "api/coordination.h"
#include "api/core.h"
#include "api/event.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"

#include <gtest/gtest.h>

#include <set>

namespace stillpoint::api {
namespace {

// A member without a brace initialiser would be read before it is written, and a shape that the
// codec does not know would not compile: both show here for every kind.
template <class T>
class KindTest : public testing::Test {};

using Kinds = testing::Types<Pod, PersistentVolumeClaim, PersistentVolume, Namespace, StorageClass,
                             Deployment, ReplicaSet, StatefulSet, DaemonSet, VolumeSnapshot,
                             VolumeSnapshotContent, VolumeSnapshotClass, Lease, Event,
                             SelfSubjectAccessReview, VolumeBackup, VolumeRestore>;
TYPED_TEST_SUITE(KindTest, Kinds);

TYPED_TEST(KindTest, AnEmptyObjectGoesThereAndBack) {
  EXPECT_EQ(DecodeText<TypeParam>("{}").value(), TypeParam{});
  EXPECT_EQ(DecodeText<TypeParam>(EncodeText(TypeParam{})).value(), TypeParam{});
}

TYPED_TEST(KindTest, TellsItsPluralInLowerCase) {
  const Resource& resource = TypeParam::kResource;
  EXPECT_FALSE(resource.plural.empty());
  for (const char c : resource.plural) EXPECT_TRUE(c >= 'a' && c <= 'z') << resource.plural;
  EXPECT_TRUE(resource.kind.front() >= 'A' && resource.kind.front() <= 'Z') << resource.kind;
}

TEST(PodTest, TellsHowAContainerEnded) {
  const auto pod = DecodeText<Pod>(R"({"status":{"containerStatuses":[{"name":"main","ready":false,
      "restartCount":2,"containerID":"containerd://5f","state":{"terminated":{"exitCode":137,
      "reason":"OOMKilled","finishedAt":"2026-11-21T02:00:04Z"}}}]}})");
  ASSERT_TRUE(pod.has_value()) << pod.error().message;
  const ContainerStatus& main = pod->status.container_statuses.at(0);
  EXPECT_EQ(main.container_id, "containerd://5f");
  EXPECT_EQ(main.state.terminated->exit_code, 137);
  EXPECT_FALSE(main.state.running.has_value());
}

TEST(PodTest, KnowsAnEphemeralVolume) {
  const auto pod = DecodeText<Pod>(
      R"({"spec":{"volumes":[{"name":"tmp","ephemeral":{"volumeClaimTemplate":{}}},
      {"name":"data","persistentVolumeClaim":{"claimName":"d"}},{"name":"e","emptyDir":{}}]}})");
  ASSERT_TRUE(pod.has_value()) << pod.error().message;
  EXPECT_TRUE(pod->spec.volumes[0].ephemeral.has_value());
  EXPECT_EQ(pod->spec.volumes[1].persistent_volume_claim->claim_name, "d");
  EXPECT_FALSE(pod->spec.volumes[2].ephemeral.has_value());
}

TEST(ClaimTest, KeepsNoClassApartFromTheDefaultClass) {
  EXPECT_EQ(DecodeText<PersistentVolumeClaim>(R"({"spec":{"storageClassName":""}})")
                ->spec.storage_class_name,
            "");
  EXPECT_EQ(DecodeText<PersistentVolumeClaim>(R"({"spec":{}})")->spec.storage_class_name,
            std::nullopt);
}

TEST(SnapshotTest, ContentCountsNanoseconds) {
  const auto content = DecodeText<VolumeSnapshotContent>(
      R"({"status":{"creationTime":1795226404036000000,"restoreSize":67108864,"readyToUse":true}})");
  ASSERT_TRUE(content.has_value()) << content.error().message;
  EXPECT_EQ(FormatTime(TimeFromUnixNanoseconds(*content->status.creation_time)),
            "2026-11-21T02:00:04.036Z");
  EXPECT_EQ(Quantity::FromBytes(*content->status.restore_size), Quantity::Parse("64Mi").value());
}

TEST(LeaseTest, AGivenUpLeaseSaysSo) {
  Lease lease;
  lease.spec.holder_identity = "";
  EXPECT_EQ(EncodeText(lease), R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",)"
                               R"("spec":{"holderIdentity":""}})");
}

}  // namespace
}  // namespace stillpoint::api
