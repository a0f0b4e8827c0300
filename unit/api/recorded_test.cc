// Objects as a real API server gave them (Kubernetes 1.36, external-snapshotter 8.7): what we read
// of them goes there and back, and is what stands in them.
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

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace stillpoint::api {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;

const std::filesystem::path kFolder = STILLPOINT_SOURCE_DIR "/unit/api/recorded";

std::string Read(const std::string& name) {
  std::ifstream file(kFolder / (name + ".json"));
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

// The object in the file, after it has gone there and back.
template <class T>
T Recorded(const std::string& name) {
  const auto first = DecodeText<T>(Read(name));
  EXPECT_TRUE(first.has_value()) << name << ": " << first.error().message;
  if (!first) return {};
  const auto second = DecodeText<T>(EncodeText(*first));
  EXPECT_TRUE(second.has_value()) << name << ": " << second.error().message;
  if (second) {
    EXPECT_TRUE(*first == *second) << name;
  }
  EXPECT_FALSE(*first == T{}) << name;
  return *first;
}

TEST(RecordedTest, Pod) {
  const auto pod = Recorded<Pod>("pod");
  EXPECT_EQ(pod.status.phase, "Running");
  EXPECT_EQ(pod.spec.node_name, "n1");
  EXPECT_EQ(pod.metadata.owner_references.at(0).kind, "ReplicaSet");
  EXPECT_TRUE(pod.metadata.owner_references.at(0).controller.value_or(false));
  EXPECT_THAT(pod.spec.volumes, Contains(AllOf(Field(&Volume::name, "data"),
                                               Field(&Volume::ephemeral, std::nullopt))));
  EXPECT_EQ(pod.spec.containers.at(0).volume_mounts.at(0).mount_path, "/data");
  const ContainerStatus& status = pod.status.container_statuses.at(0);
  EXPECT_TRUE(status.ready);
  EXPECT_TRUE(status.container_id.starts_with("containerd://"));
  EXPECT_TRUE(status.state.running->started_at.has_value());
}

TEST(RecordedTest, PodThatCannotStart) {
  const auto pod = Recorded<Pod>("pod_broken");
  const ContainerStatus& status = pod.status.container_statuses.at(0);
  EXPECT_FALSE(status.ready);
  EXPECT_FALSE(status.state.running.has_value());
}

TEST(RecordedTest, Claim) {
  const auto claim = Recorded<PersistentVolumeClaim>("persistent_volume_claim");
  EXPECT_EQ(claim.status.phase, "Bound");
  EXPECT_EQ(claim.spec.storage_class_name, "btrfs");
  EXPECT_EQ(claim.spec.resources.requests.at("storage").text(), "64Mi");
  EXPECT_EQ(claim.status.capacity.at("storage").bytes(), 64 << 20);
  EXPECT_THAT(claim.spec.access_modes, ElementsAre("ReadWriteOnce"));
  const auto of_set = Recorded<PersistentVolumeClaim>("persistent_volume_claim_of_stateful_set");
  EXPECT_EQ(of_set.metadata.name, "data-pg-0");
}

TEST(RecordedTest, Volume) {
  const auto volume = Recorded<PersistentVolume>("persistent_volume");
  EXPECT_EQ(volume.spec.csi->driver, "btrfs.csi.test");
  EXPECT_FALSE(volume.spec.csi->volume_handle.empty());
  EXPECT_EQ(volume.spec.claim_ref->ns, "record");
  EXPECT_EQ(volume.spec.persistent_volume_reclaim_policy, "Delete");
}

TEST(RecordedTest, Workloads) {
  const auto deployment = Recorded<Deployment>("deployment");
  EXPECT_EQ(deployment.spec.replicas, 1);
  EXPECT_EQ(deployment.status.updated_replicas, 1);
  EXPECT_EQ(deployment.spec.template_.metadata.annotations.at("backups.example.com/pre-hook"),
            R"(["sync"])");
  EXPECT_EQ(deployment.spec.template_.spec.volumes.at(0).persistent_volume_claim->claim_name,
            "data");
  const auto set = Recorded<StatefulSet>("stateful_set");
  EXPECT_EQ(set.spec.volume_claim_templates.at(0).metadata.name, "data");
  EXPECT_EQ(set.spec.persistent_volume_claim_retention_policy->when_scaled, "Delete");
  EXPECT_EQ(set.status.current_revision, set.status.update_revision);
  EXPECT_EQ(set.spec.selector.match_expressions.at(0).operator_, "In");
  EXPECT_EQ(Recorded<ReplicaSet>("replica_set").status.ready_replicas, 1);
  EXPECT_EQ(Recorded<DaemonSet>("daemon_set").status.desired_number_scheduled, 1);
}

TEST(RecordedTest, Snapshots) {
  const auto snapshot = Recorded<VolumeSnapshot>("volume_snapshot");
  const auto content = Recorded<VolumeSnapshotContent>("volume_snapshot_content");
  EXPECT_EQ(snapshot.status.ready_to_use, true);
  EXPECT_EQ(snapshot.status.restore_size->bytes(), content.status.restore_size);
  EXPECT_EQ(content.metadata.name, "snapcontent-" + snapshot.metadata.uid);
  EXPECT_EQ(content.spec.volume_snapshot_ref.uid, snapshot.metadata.uid);
  // metav1.Time holds whole seconds only.
  EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(
                TimeFromUnixNanoseconds(content.status.creation_time.value())),
            snapshot.status.creation_time);
  const auto failed = Recorded<VolumeSnapshot>("volume_snapshot_error");
  EXPECT_NE(failed.status.error->message, "");
  EXPECT_EQ(failed.status.creation_time, std::nullopt);
}

TEST(RecordedTest, Classes) {
  EXPECT_EQ(Recorded<VolumeSnapshotClass>("volume_snapshot_class").driver, "btrfs.csi.test");
  EXPECT_EQ(Recorded<StorageClass>("storage_class").volume_binding_mode, "WaitForFirstConsumer");
}

TEST(RecordedTest, TheRest) {
  EXPECT_EQ(Recorded<Namespace>("namespace").metadata.name, "record");
  EXPECT_EQ(Recorded<Lease>("lease").spec.holder_identity, "n1");
  EXPECT_NE(Recorded<Event>("event").event_time, MicroTime{});
  EXPECT_EQ(Recorded<Event>("event_of_core").event_time, MicroTime{});
  EXPECT_TRUE(Recorded<SelfSubjectAccessReview>("self_subject_access_review").status->allowed);
}

TEST(RecordedTest, OurOwn) {
  const auto backup = Recorded<VolumeBackup>("volume_backup");
  EXPECT_EQ(backup.spec.hooks.size(), 2U);
  EXPECT_EQ(backup.spec.max_freeze, std::chrono::hours(1));
  EXPECT_EQ(backup.status.freeze->targets.at(0).state, FreezeState::kThawed);
  EXPECT_EQ(backup.status.volumes.at(0).class_, "btrfs");
  const auto restore = Recorded<VolumeRestore>("volume_restore");
  EXPECT_EQ(restore.spec.rollout_timeout, std::chrono::minutes(10));
  EXPECT_EQ(restore.spec.strategy, RestoreStrategy::kClaimsOnly);
}

}  // namespace
}  // namespace stillpoint::api
