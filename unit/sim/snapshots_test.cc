// The life of a snapshot as external-snapshotter makes it, and how long each part of it takes.
#include "api/core.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "sim/cluster/snapshot_names.h"
#include "unit/sim/cluster_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace stillpoint::sim {
namespace {

using api::PersistentVolumeClaim;
using api::VolumeSnapshot;
using api::VolumeSnapshotClass;
using api::VolumeSnapshotContent;
using testing::HasSubstr;
using namespace std::chrono_literals;

class Snapshots : public ClusterFixture {
 protected:
  Snapshots() {
    for (int i = 0; i < 10; ++i) {
      cluster_->AddBoundClaim("shop", fmt::format("data-{}", i), "fast");
    }
    time_.RunFor(1min);
  }

  [[nodiscard]] std::string ContentOf(const std::string& snapshot) {
    return "snapcontent-" + Get(VolumeSnapshot::kResource, snapshot, {"metadata", "uid"});
  }
  [[nodiscard]] std::string OfContent(const std::string& snapshot, Path path) {
    return Get(VolumeSnapshotContent::kResource, ContentOf(snapshot), path);
  }
  [[nodiscard]] std::string Of(const std::string& snapshot, Path path) {
    return Get(VolumeSnapshot::kResource, snapshot, path);
  }
  [[nodiscard]] bool IsSnapshotReady(const std::string& snapshot) {
    return Of(snapshot, {"status", "readyToUse"}) == "true";
  }
};

// Seconds from the creation of the last of `count` snapshots to the moment at which all `are` so.
struct Delays {
  double cut = 0;
  double content = 0;
  double snapshot = 0;
};

TEST_F(Snapshots, IsCutAndBoundAndReady) {
  AddSnapshot("s", "data-0");
  ASSERT_TRUE(Until([&] { return IsSnapshotReady("s"); }));
  const std::string handle = OfContent("s", {"status", "snapshotHandle"});
  EXPECT_EQ(handle, "snapshot-" + Of("s", {"metadata", "uid"}));
  EXPECT_EQ(OfContent("s", {"spec", "volumeSnapshotRef", "uid"}), Of("s", {"metadata", "uid"}));
  EXPECT_EQ(OfContent("s", {"spec", "source", "volumeHandle"}), "pv-shop-data-0");
  EXPECT_EQ(OfContent("s", {"status", "restoreSize"}), "1073741824");
  EXPECT_EQ(Of("s", {"status", "restoreSize"}), "1Gi");
  EXPECT_EQ(Of("s", {"status", "boundVolumeSnapshotContentName"}), ContentOf("s"));
  EXPECT_NE(Of("s", {"status", "creationTime"}), "");
  time_.RunFor(10s);
  EXPECT_EQ(OfContent("s", {"metadata", "annotations", kBeingCreated}), "");
  EXPECT_TRUE(
      HasFinalizer(*Find(VolumeSnapshotContent::kResource, ContentOf("s")), kContentFinalizer));
  EXPECT_TRUE(HasFinalizer(*Find(VolumeSnapshot::kResource, "s"), kBoundFinalizer));
  EXPECT_TRUE(HasFinalizer(*Find(VolumeSnapshot::kResource, "s"), kAsSourceFinalizer));
  EXPECT_FALSE(HasFinalizer(*Find(PersistentVolumeClaim::kResource, "data-0"), kClaimFinalizer));
}

// docs/design.md, "See the cut early": what the rate limits make of 1, 3 and 10 claims.
TEST_F(Snapshots, TakesAsLongAsMeasuredOnARealCluster) {
  const auto measure = [this](int count) {
    const api::Time start = time_.Now();
    const auto since = [&] { return std::chrono::duration<double>(time_.Now() - start).count(); };
    const std::size_t cuts = cluster_->truth().cuts.size();
    const auto name = [&](int i) { return fmt::format("s-{}-{}", count, i); };
    for (int i = 0; i < count; ++i) AddSnapshot(name(i), fmt::format("data-{}", i));
    const auto all = [&](const std::function<bool(const std::string&)>& is) {
      for (int i = 0; i < count; ++i) {
        if (!is(name(i))) return false;
      }
      return true;
    };
    Delays delays;
    EXPECT_TRUE(Until(
        [&] { return cluster_->truth().cuts.size() == cuts + static_cast<std::size_t>(count); }));
    delays.cut = since();
    EXPECT_TRUE(Until([&] {
      return all([&](const auto& s) { return !OfContent(s, {"status", "creationTime"}).empty(); });
    }));
    delays.content = since();
    EXPECT_TRUE(Until([&] { return all([&](const auto& s) { return IsSnapshotReady(s); }); }));
    delays.snapshot = since();
    RecordProperty(fmt::format("claims_{}", count), fmt::format("{:.2f} {:.2f} {:.2f}", delays.cut,
                                                                delays.content, delays.snapshot));
    time_.RunFor(5min);
    return delays;
  };
  const Delays one = measure(1);
  EXPECT_LT(one.cut, 0.1);
  EXPECT_LT(one.content, 0.1);
  EXPECT_LT(one.snapshot, 1.0);
  const Delays three = measure(3);
  EXPECT_LT(three.cut, 0.4);
  EXPECT_LT(three.content, 0.5);
  EXPECT_GT(three.snapshot, 2.0);
  EXPECT_LT(three.snapshot, 6.0);
  const Delays ten = measure(10);
  EXPECT_GT(ten.cut, 4.0);
  EXPECT_LT(ten.cut, 9.0);
  EXPECT_GE(ten.content, ten.cut);
  EXPECT_GT(ten.snapshot, 12.0);
  EXPECT_LT(ten.snapshot, 24.0);
}

TEST_F(Snapshots, ShowsAnErrorOfTheDriverAndClearsIt) {
  cluster_->storage().on_cut = [](const CutRequest&, std::size_t attempt) {
    if (attempt < 3) {
      return CutBehaviour{.error = api::Error{api::Code::kUnknown, "pool is full"}};
    }
    return CutBehaviour{};
  };
  AddSnapshot("s", "data-0");
  ASSERT_TRUE(Until([&] { return !Of("s", {"status", "error", "message"}).empty(); }));
  EXPECT_THAT(Of("s", {"status", "error", "message"}),
              HasSubstr("failed to take snapshot of the volume pv-shop-data-0: \"rpc error: code = "
                        "Internal desc = pool is full\""));
  EXPECT_EQ(Of("s", {"status", "readyToUse"}), "false");
  ASSERT_TRUE(Until([&] { return IsSnapshotReady("s"); }));
  EXPECT_EQ(Of("s", {"status", "error", "message"}), "");
}

TEST_F(Snapshots, IsCutLongBeforeItIsReady) {
  cluster_->storage().on_cut = [](const CutRequest&, std::size_t) {
    return CutBehaviour{.ready = 20s};
  };
  AddSnapshot("s", "data-0");
  time_.RunFor(3s);
  EXPECT_NE(OfContent("s", {"status", "creationTime"}), "");
  EXPECT_EQ(OfContent("s", {"status", "readyToUse"}), "false");
  EXPECT_FALSE(IsSnapshotReady("s"));
  EXPECT_TRUE(HasFinalizer(*Find(PersistentVolumeClaim::kResource, "data-0"), kClaimFinalizer));
  EXPECT_TRUE(Until([&] { return IsSnapshotReady("s"); }));
  EXPECT_EQ(cluster_->truth().cuts.size(), 1u);
}

TEST_F(Snapshots, DeletesWhatTheDriverHas) {
  AddSnapshot("s", "data-0");
  ASSERT_TRUE(Until([&] { return IsSnapshotReady("s"); }));
  time_.RunFor(10s);
  ASSERT_EQ(cluster_->storage().snapshots(), 1u);
  const std::string content = ContentOf("s");
  Delete(VolumeSnapshot::kResource, "s");
  ASSERT_TRUE(Until([&] { return !Find(VolumeSnapshot::kResource, "s"); }));
  EXPECT_FALSE(Find(VolumeSnapshotContent::kResource, content));
  EXPECT_EQ(cluster_->storage().snapshots(), 0u);
}

TEST_F(Snapshots, KeepsWhatItsPolicyKeeps) {
  Put(VolumeSnapshotClass::kResource, R"({"metadata":{"name":"kept"},
      "driver":"csi.stillpoint.test","deletionPolicy":"Retain"})");
  AddSnapshot("s", "data-0", "kept");
  ASSERT_TRUE(Until([&] { return IsSnapshotReady("s"); }));
  time_.RunFor(10s);
  const std::string content = ContentOf("s");
  Delete(VolumeSnapshot::kResource, "s");
  ASSERT_TRUE(Until([&] { return !Find(VolumeSnapshot::kResource, "s"); }));
  time_.RunFor(1min);
  EXPECT_TRUE(Find(VolumeSnapshotContent::kResource, content));
  EXPECT_EQ(cluster_->storage().snapshots(), 1u);
}

TEST_F(Snapshots, StaysTerminatingWhileItsCutIsUnderWay) {
  cluster_->storage().on_cut = [](const CutRequest&, std::size_t) {
    return CutBehaviour{.cut = 30s};
  };
  AddSnapshot("s", "data-0");
  time_.RunFor(2s);
  Delete(VolumeSnapshot::kResource, "s");
  time_.RunFor(20s);
  ASSERT_TRUE(Find(VolumeSnapshot::kResource, "s"));
  EXPECT_TRUE(IsTerminating(*Find(VolumeSnapshot::kResource, "s")));
  EXPECT_TRUE(cluster_->truth().cuts.empty());
  // The sidecar's resync at the latest.
  time_.RunFor(20min);
  EXPECT_FALSE(Find(VolumeSnapshot::kResource, "s"));
  EXPECT_EQ(cluster_->storage().snapshots(), 0u);
}

TEST_F(Snapshots, DoesNotGiveUpACutOfWhichItKnowsNothing) {
  cluster_->storage().on_cut = [](const CutRequest&, std::size_t attempt) {
    return CutBehaviour{.never_answers = attempt == 1};
  };
  AddSnapshot("s", "data-0");
  time_.RunFor(30s);
  EXPECT_EQ(OfContent("s", {"metadata", "annotations", kBeingCreated}), "yes");
  EXPECT_EQ(OfContent("s", {"status", "snapshotHandle"}), "");
  EXPECT_EQ(cluster_->truth().cuts.size(), 1u);
  ASSERT_TRUE(Until([&] { return IsSnapshotReady("s"); }));
  EXPECT_EQ(cluster_->truth().cuts.size(), 1u) << "the same snapshot, not a second one";
}

TEST_F(Snapshots, LeavesAContentWhenItGoesInOneBreath) {
  AddSnapshot("s", "data-0");
  const std::string content = ContentOf("s");
  time_.RunFor(1ms);
  Delete(VolumeSnapshot::kResource, "s");
  EXPECT_FALSE(Find(VolumeSnapshot::kResource, "s"));
  time_.RunFor(2min);
  ASSERT_TRUE(Find(VolumeSnapshotContent::kResource, content));
  EXPECT_EQ(Get(VolumeSnapshotContent::kResource, content, {"status", "readyToUse"}), "true");
}

TEST_F(Snapshots, SaysWhatIsMissing) {
  AddSnapshot("no-claim", "nowhere");
  AddSnapshot("no-class", "data-0", "nothing");
  Put(VolumeSnapshot::kResource, R"({"metadata":{"name":"no-default","namespace":"shop"},
      "spec":{"source":{"persistentVolumeClaimName":"data-0"}}})");
  time_.RunFor(10s);
  EXPECT_EQ(Of("no-claim", {"status", "error", "message"}),
            "Failed to create snapshot content with error snapshot controller failed to update "
            "no-claim on API server: cannot get claim from snapshot");
  EXPECT_EQ(Of("no-class", {"status", "error", "message"}),
            "Failed to get snapshot class with error "
            "volumesnapshotclass.snapshot.storage.k8s.io \"nothing\" not found");
  EXPECT_EQ(Of("no-default", {"status", "error", "message"}),
            "Failed to set default snapshot class with error cannot find default snapshot class");
  Edit(VolumeSnapshotClass::kResource, "snap",
       [](boost::json::object& object) { SetAnnotation(object, kDefaultSnapshotClass, "true"); });
  cluster_->AddBoundClaim("shop", "nowhere", "fast");
  ASSERT_TRUE(Until([&] { return IsSnapshotReady("no-default") && IsSnapshotReady("no-claim"); }));
  EXPECT_EQ(Of("no-claim", {"status", "error", "message"}), "");
}

}  // namespace
}  // namespace stillpoint::sim
