// Claims and volumes: binding, making, keeping, reclaiming.
#include "api/core.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "sim/cluster/volume_binder.h"
#include "unit/sim/cluster_fixture.h"

namespace stillpoint::sim {
namespace {

using api::PersistentVolume;
using api::PersistentVolumeClaim;
using api::VolumeSnapshot;
using namespace std::chrono_literals;

class Volumes : public ClusterFixture {
 protected:
  [[nodiscard]] std::string PhaseOf(const std::string& claim) {
    return Get(PersistentVolumeClaim::kResource, claim, {"status", "phase"});
  }
  [[nodiscard]] std::string VolumeOf(const std::string& claim) {
    return Get(PersistentVolumeClaim::kResource, claim, {"spec", "volumeName"});
  }
  [[nodiscard]] std::string PhaseOfVolume(const std::string& volume) {
    return Get(PersistentVolume::kResource, volume, {"status", "phase"});
  }
};

TEST_F(Volumes, MakesAVolumeAtOnceOrForTheFirstPod) {
  AddClaim("now", "fast");
  AddClaim("later", "late");
  time_.RunFor(5s);
  EXPECT_EQ(PhaseOf("now"), "Bound");
  EXPECT_EQ(PhaseOf("later"), "Pending");
  EXPECT_TRUE(HasFinalizer(*Find(PersistentVolumeClaim::kResource, "now"), kClaimProtection));
  AddPod("db", "later");
  ASSERT_TRUE(Until([&] { return IsReady("db"); }));
  EXPECT_EQ(PhaseOf("later"), "Bound");
  EXPECT_EQ(PhaseOfVolume(VolumeOf("later")), "Bound");
}

TEST_F(Volumes, MakesAVolumeFromASnapshotWithItsData) {
  cluster_->AddBoundClaim("shop", "data", "fast");
  AddPod("db", "data");
  ASSERT_TRUE(Until([&] { return IsReady("db"); }));
  time_.RunFor(10s);
  AddSnapshot("s", "data");
  AddClaim("copy", "fast", "s");
  ASSERT_TRUE(Until([&] { return PhaseOf("copy") == "Bound"; }));
  const auto* copy = cluster_->storage().FindVolume(VolumeOf("copy"));
  const auto& cut = cluster_->truth().cuts.at(0);
  EXPECT_TRUE(cut.being_written);
  EXPECT_GT(cut.version, 10'000);
  EXPECT_EQ(copy->version, cut.version);
  EXPECT_EQ(copy->restored_from, cut.snapshot_handle);
  EXPECT_EQ(copy->origin, "pv-shop-data");
  EXPECT_GT(cluster_->storage().VersionOf("pv-shop-data"), copy->version);
}

TEST_F(Volumes, DeletesTheVolumeOfAClaimThatGoes) {
  AddClaim("data", "fast");
  ASSERT_TRUE(Until([&] { return PhaseOf("data") == "Bound"; }));
  const std::string volume = VolumeOf("data");
  Delete(PersistentVolumeClaim::kResource, "data");
  ASSERT_TRUE(Until([&] { return !Find(PersistentVolume::kResource, volume); }));
  EXPECT_EQ(cluster_->storage().volumes(), 0u);
}

TEST_F(Volumes, BindsNothingToAClaimThatGoes) {
  AddClaim("data", "late");
  time_.RunFor(1s);
  Delete(PersistentVolumeClaim::kResource, "data");
  Put(PersistentVolume::kResource, R"({"metadata":{"name":"spare"},"spec":
      {"claimRef":{"namespace":"shop","name":"data"}}})");
  time_.RunFor(5s);
  EXPECT_FALSE(Find(PersistentVolumeClaim::kResource, "data"));
  EXPECT_EQ(PhaseOfVolume("spare"), "Available");
}

TEST_F(Volumes, KeepsAClaimInUse) {
  cluster_->AddBoundClaim("shop", "data", "fast");
  AddPod("db", "data");
  ASSERT_TRUE(Until([&] { return IsReady("db"); }));
  Delete(PersistentVolumeClaim::kResource, "data");
  time_.RunFor(1min);
  ASSERT_TRUE(Find(PersistentVolumeClaim::kResource, "data"));
  Delete(api::Pod::kResource, "db");
  EXPECT_TRUE(Until([&] { return !Find(PersistentVolumeClaim::kResource, "data"); }));
}

// As a restore of strategy Replace does it.
TEST_F(Volumes, MovesAKeptVolumeToAnotherClaim) {
  cluster_->AddBoundClaim("shop", "data", "fast");
  time_.RunFor(1s);
  const std::string volume = "pv-shop-data";
  Edit(PersistentVolume::kResource, volume, [](boost::json::object& object) {
    Into(object, {"spec"})["persistentVolumeReclaimPolicy"] = "Retain";
  });
  Delete(PersistentVolumeClaim::kResource, "data");
  ASSERT_TRUE(Until([&] { return PhaseOfVolume(volume) == "Released"; }));
  time_.RunFor(1min);
  Edit(PersistentVolume::kResource, volume, [](boost::json::object& object) {
    Into(object, {"spec"})["claimRef"] = {{"namespace", "shop"}, {"name", "kept"}};
  });
  ASSERT_TRUE(Until([&] { return PhaseOfVolume(volume) == "Available"; }));
  Put(PersistentVolumeClaim::kResource, R"({"metadata":{"name":"kept","namespace":"shop"},"spec":
      {"accessModes":["ReadWriteOnce"],"storageClassName":"fast","volumeName":"pv-shop-data"}})");
  ASSERT_TRUE(Until([&] { return PhaseOf("kept") == "Bound"; }));
  EXPECT_EQ(PhaseOfVolume(volume), "Bound");
  EXPECT_EQ(cluster_->storage().FindVolume(volume)->claim, "kept");
}

TEST_F(Volumes, LosesAClaimWhoseVolumeIsGone) {
  cluster_->AddBoundClaim("shop", "data", "fast");
  time_.RunFor(1s);
  api_.objects().Remove(PersistentVolume::kResource, {"", "pv-shop-data"});
  EXPECT_TRUE(Until([&] { return PhaseOf("data") == "Lost"; }));
}

TEST_F(Volumes, KeepsASnapshotThatAClaimIsMadeFrom) {
  cluster_->AddBoundClaim("shop", "data", "fast");
  AddSnapshot("s", "data");
  time_.RunFor(10s);
  AddClaim("copy", "late", "s");
  time_.RunFor(1s);
  Delete(VolumeSnapshot::kResource, "s");
  time_.RunFor(30s);
  EXPECT_TRUE(Find(VolumeSnapshot::kResource, "s"));
  Delete(PersistentVolumeClaim::kResource, "copy");
  EXPECT_TRUE(Until([&] { return !Find(VolumeSnapshot::kResource, "s"); }));
}

}  // namespace
}  // namespace stillpoint::sim
