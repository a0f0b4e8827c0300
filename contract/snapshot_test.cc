// The life of a VolumeSnapshot and its VolumeSnapshotContent, and claims made from one.
//
// https://kubernetes.io/docs/concepts/storage/volume-snapshots/
// https://github.com/kubernetes-csi/external-snapshotter (pkg/common-controller,
// pkg/sidecar-controller)
#include "contract/support/contract_test.h"

#include "api/quantity.h"
#include "api/time.h"

#include <fmt/format.h>

namespace stillpoint::contract {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;

class SnapshotTest : public ContractTest {
 protected:
  void SetUp() override {
    const Json found = FindSnapshotClass(*this);
    class_ = NameOf(found);
    policy_ = Text(found, "/deletionPolicy");
  }

  Json Take(const std::string& name, const std::string& claim) {
    return Create(kSnapshots, Snapshot(name, claim, class_));
  }
  Json UntilReady(const std::string& name) {
    return Until(
        kSnapshots, name, [](const Json& now) { return Flag(now, "/status/readyToUse"); },
        "readyToUse");
  }
  static std::string ContentOf(const Json& snapshot) { return "snapcontent-" + UidOf(snapshot); }

  // The claim with a file "ledger" that holds `text`, and no pod on it any more.
  void Fill(const std::string& claim, const std::string& text) {
    Create(kClaims, Claim(claim));
    StartPod(*this, Pod("writer", claim));
    Sh("writer", fmt::format("echo {} >{}/ledger; sync", text, kData));
  }
  std::string ReadLedger(const std::string& claim) {
    StartPod(*this, Pod("reader", claim));
    return Sh("reader", fmt::format("cat {}/ledger", kData));
  }

  std::string class_;
  std::string policy_;
};

// The name of the content is known before it is there: controllers/cut_watch.cc finds it so.
TEST_F(SnapshotTest, TheContentOfASnapshotHasItsUidInItsName) {
  const Json claim = BoundClaim(*this, Claim("data"));
  const Json volume = Get(kVolumes, Text(claim, "/spec/volumeName"));
  const Json snapshot = Take("one", "data");
  const Json content = Until(
      kContents, ContentOf(snapshot),
      [](const Json& now) {
        return Has(now, "/status/snapshotHandle") &&
               testing::Value(
                   Texts(now, "/metadata/finalizers"),
                   Contains(
                       "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection"));
      },
      "cut and protected");
  EXPECT_EQ(Text(content, "/spec/volumeSnapshotRef/uid"), UidOf(snapshot));
  EXPECT_EQ(Text(content, "/spec/volumeSnapshotRef/name"), "one");
  EXPECT_EQ(Text(content, "/spec/volumeSnapshotRef/namespace"), ns());
  EXPECT_EQ(Text(content, "/spec/volumeSnapshotClassName"), class_);
  EXPECT_EQ(Text(content, "/spec/deletionPolicy"), policy_);
  EXPECT_EQ(Text(content, "/spec/driver"), Text(volume, "/spec/csi/driver"));
  EXPECT_EQ(Text(content, "/spec/source/volumeHandle"), Text(volume, "/spec/csi/volumeHandle"));
}

// The cut is known by the content first: creationTime in nanoseconds since 1970, the size in bytes.
TEST_F(SnapshotTest, TheContentTellsTheCut) {
  BoundClaim(*this, Claim("data"));
  const auto before = clock().Now();
  const Json snapshot = Take("one", "data");
  const Json content = Until(
      kContents, ContentOf(snapshot),
      [](const Json& now) { return Flag(now, "/status/readyToUse"); }, "readyToUse");
  EXPECT_FALSE(Text(content, "/status/snapshotHandle").empty());
  const std::chrono::nanoseconds cut(Number(content, "/status/creationTime"));
  // A driver may know it by the second only.
  EXPECT_GE(cut, std::chrono::floor<std::chrono::seconds>(before.time_since_epoch()));
  EXPECT_LE(cut, clock().Now().time_since_epoch());
  EXPECT_GT(Number(content, "/status/restoreSize"), 0);
  EXPECT_FALSE(Has(content, "/status/error"));
}

// The same for people: a timestamp and a quantity.
TEST_F(SnapshotTest, TheSnapshotTellsTheCutLater) {
  BoundClaim(*this, Claim("data"));
  const Json snapshot = Take("one", "data");
  EXPECT_FALSE(Has(snapshot, "/status"));
  const Json ready = UntilReady("one");
  EXPECT_EQ(Text(ready, "/status/boundVolumeSnapshotContentName"), ContentOf(snapshot));
  const Json content = Get(kContents, ContentOf(snapshot));
  const auto cut = std::chrono::floor<std::chrono::seconds>(
      std::chrono::nanoseconds(Number(content, "/status/creationTime")));
  EXPECT_EQ(Text(ready, "/status/creationTime"), api::FormatTime(api::Time(cut)));
  auto decoded = api::Decode<api::VolumeSnapshot>(ready);
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_TRUE(decoded->status.restore_size);
}

// Each comes with a write of its own, and may come after readyToUse.
TEST_F(SnapshotTest, ASnapshotIsProtected) {
  BoundClaim(*this, Claim("data"));
  Take("one", "data");
  Until(
      kSnapshots, "one",
      [](const Json& now) {
        return testing::Value(
            Texts(now, "/metadata/finalizers"),
            IsSupersetOf({"snapshot.storage.kubernetes.io/volumesnapshot-bound-protection",
                          "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection"}));
      },
      "protected");
}

TEST_F(SnapshotTest, TheDefaultClassIsFilledIn) {
  BoundClaim(*this, Claim("data"));
  Json body = Snapshot("one", "data", class_);
  body.at("spec").as_object().erase("volumeSnapshotClassName");
  Create(kSnapshots, body);
  const Json ready = UntilReady("one");
  EXPECT_FALSE(Text(ready, "/spec/volumeSnapshotClassName").empty());
}

TEST_F(SnapshotTest, TheSourceCannotBeChanged) {
  Take("one", "data");
  const Answer answer = Send("PATCH", Path(kSnapshots, "one"),
                             {{"spec", {{"source", {{"persistentVolumeClaimName", "other"}}}}}},
                             "application/merge-patch+json");
  EXPECT_EQ(answer.status, 422) << answer.text;
  EXPECT_THAT(answer.Message(), HasSubstr("persistentVolumeClaimName is immutable"));
}

// What becomes of one that is deleted before it is ready cannot be pinned. Two surprises: created
// and deleted in one breath, it left a content behind for good, ready to use and bound to a
// snapshot that is gone; deleted during its cut, it left a content that is terminating for minutes.
TEST_F(SnapshotTest, ASnapshotThatIsDeletedTakesItsContentByTheDeletePolicy) {
  BoundClaim(*this, Claim("data"));
  const Json snapshot = Take("one", "data");
  UntilReady("one");
  Merge(kContents, ContentOf(snapshot), {{"spec", {{"deletionPolicy", "Delete"}}}});
  Delete(kSnapshots, "one");
  UntilGone(kSnapshots, "one");
  UntilGone(kContents, ContentOf(snapshot));
}

TEST_F(SnapshotTest, ItsContentStaysByTheRetainPolicy) {
  BoundClaim(*this, Claim("data"));
  const Json snapshot = Take("one", "data");
  UntilReady("one");
  Merge(kContents, ContentOf(snapshot), {{"spec", {{"deletionPolicy", "Retain"}}}});
  Delete(kSnapshots, "one");
  UntilGone(kSnapshots, "one");
  const Json content = Get(kContents, ContentOf(snapshot));
  EXPECT_FALSE(Has(content, "/metadata/deletionTimestamp"));
  EXPECT_EQ(Text(content, "/spec/volumeSnapshotRef/uid"), UidOf(snapshot));
  EXPECT_TRUE(Flag(content, "/status/readyToUse"));
  // Nothing is left behind at the driver.
  Merge(kContents, ContentOf(snapshot), {{"spec", {{"deletionPolicy", "Delete"}}}});
  Delete(kContents, ContentOf(snapshot));
  UntilGone(kContents, ContentOf(snapshot));
}

TEST_F(SnapshotTest, OfAMissingClaimShowsAnErrorAndNoContent) {
  const Json snapshot = Take("one", "nobody");
  const Json failed = Until(
      kSnapshots, "one", [](const Json& now) { return Has(now, "/status/error/message"); },
      "failed");
  EXPECT_EQ(Text(failed, "/status/error/message"),
            "Failed to create snapshot content with error snapshot controller failed to update one "
            "on API server: cannot get claim from snapshot");
  EXPECT_TRUE(Has(failed, "/status/error/time"));
  EXPECT_TRUE(Has(failed, "/status/readyToUse"));
  EXPECT_FALSE(Flag(failed, "/status/readyToUse"));
  EXPECT_FALSE(Exists(kContents, ContentOf(snapshot)));
}

TEST_F(SnapshotTest, OfAClassThatIsNotThereShowsAnError) {
  BoundClaim(*this, Claim("data"));
  Create(kSnapshots, Snapshot("one", "data", "nobody"));
  const Json failed = Until(
      kSnapshots, "one", [](const Json& now) { return Has(now, "/status/error/message"); },
      "failed");
  EXPECT_THAT(Text(failed, "/status/error/message"), HasSubstr("nobody"));
}

// ---- claims from snapshots ----------------------------------------------------------------------

TEST_F(SnapshotTest, AClaimFromASnapshotHoldsItsData) {
  Fill("data", "before");
  Take("one", "data");
  UntilReady("one");
  Sh("writer", fmt::format("echo after >{}/ledger; sync", kData));
  const Json claim = Create(kClaims, Claim("restored", "one"));
  EXPECT_EQ(Text(claim, "/spec/dataSource/name"), "one");
  // The API server fills in the other form of the same.
  EXPECT_EQ(Text(claim, "/spec/dataSourceRef/name"), "one");
  EXPECT_EQ(Text(claim, "/spec/dataSourceRef/kind"), "VolumeSnapshot");
  EXPECT_EQ(ReadLedger("restored"), "before\n");
  EXPECT_EQ(Text(Get(kClaims, "restored"), "/status/phase"), "Bound");
}

// A class that binds at once needs no pod; one that waits for the first consumer leaves it Pending
// (controllers/restore_claims_plan.cc reads the difference from the class).
TEST_F(SnapshotTest, AClaimFromASnapshotIsBound) {
  BoundClaim(*this, Claim("data"));
  Take("one", "data");
  UntilReady("one");
  const Json bound = BoundClaim(*this, Claim("restored", "one"));
  const Json volume = Get(kVolumes, Text(bound, "/spec/volumeName"));
  EXPECT_EQ(Text(volume, "/status/phase"), "Bound");
  EXPECT_EQ(Text(volume, "/spec/claimRef/uid"), UidOf(bound));
  EXPECT_TRUE(Has(bound, "/status/capacity/storage"));
}

TEST_F(SnapshotTest, AClaimFromASnapshotThatIsNotThereIsPending) {
  Create(kClaims, Claim("restored", "nobody"));
  const Json claim =
      Until(kClaims, "restored", [](const Json& now) { return Has(now, "/status/phase"); }, "seen");
  EXPECT_EQ(Text(claim, "/status/phase"), "Pending");
}

// Below the restoreSize nothing is made: the claim is Pending for good.
TEST_F(SnapshotTest, AClaimThatIsSmallerThanItsSnapshotIsPending) {
  BoundClaim(*this, Claim("data"));
  Take("one", "data");
  UntilReady("one");
  Json small = Claim("small", "one");
  small.at("spec").at("resources").at("requests").as_object()["storage"] = "1Mi";
  Create(kClaims, small);
  BoundClaim(*this, Claim("right", "one"));
  EXPECT_EQ(Text(Get(kClaims, "small"), "/status/phase"), "Pending");
}

// A snapshot that a claim is made from cannot go before the claim is there.
TEST_F(SnapshotTest, TheDataOutlivesSnapshotAndSource) {
  Fill("data", "kept");
  Take("one", "data");
  UntilReady("one");
  BoundClaim(*this, Claim("restored", "one"));
  Delete(kSnapshots, "one");
  UntilGone(kSnapshots, "one");
  Delete(kPods, "writer");
  Delete(kClaims, "data");
  UntilGone(kClaims, "data");
  EXPECT_EQ(ReadLedger("restored"), "kept\n");
}

}  // namespace
}  // namespace stillpoint::contract
