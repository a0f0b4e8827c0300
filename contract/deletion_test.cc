// Deletion, finalizers and preconditions.
//
// https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
// https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-deletion
#include "contract/support/contract_test.h"

namespace stillpoint::contract {
namespace {

using kube::Verb;
using testing::HasSubstr;

constexpr char kHold[] = "example.com/hold";

class DeletionTest : public ContractTest {
 protected:
  ~DeletionTest() override {
    if (Exists(kBackups, "one")) Merge(kBackups, "one", {{"metadata", {{"finalizers", nullptr}}}});
  }
  Json Held() { return Create(kBackups, Backup("one", {{"finalizers", List({kHold})}})); }
  std::string SetFinalizers(const Json& finalizers) {
    return CodeOf(Try({.verb = Verb::kMergePatch,
                       .resource = kBackups,
                       .name = "one",
                       .body = {{"metadata", {{"finalizers", finalizers}}}}}));
  }
};

// The answer is a Status that names what went, not the object.
TEST_F(DeletionTest, WithoutFinalizersItIsAtOnce) {
  const Json made = Create(kBackups, Backup("one"));
  const Json answer = Delete(kBackups, "one");
  EXPECT_EQ(Text(answer, "/kind"), "Status");
  EXPECT_EQ(Text(answer, "/status"), "Success");
  EXPECT_EQ(Text(answer, "/details/name"), "one");
  EXPECT_EQ(Text(answer, "/details/uid"), UidOf(made));
  EXPECT_FALSE(Exists(kBackups, "one"));
  EXPECT_EQ(CodeOf(Try({.verb = Verb::kDelete, .resource = kBackups, .name = "one"})), "NotFound");
}

// The generation counts the deletion, as it is a change of what is wanted.
TEST_F(DeletionTest, WithFinalizersItIsAnnounced) {
  const Json made = Held();
  const Json answer = Delete(kBackups, "one");
  EXPECT_EQ(Text(answer, "/kind"), "VolumeBackup") << "the object, as it is still there";
  const Json now = Get(kBackups, "one");
  EXPECT_TRUE(Has(now, "/metadata/deletionTimestamp"));
  EXPECT_EQ(Number(now, "/metadata/deletionGracePeriodSeconds"), 0);
  EXPECT_EQ(UidOf(now), UidOf(made));
  EXPECT_NE(VersionOf(now), VersionOf(made));
  EXPECT_EQ(GenerationOf(now), 2);
}

TEST_F(DeletionTest, AnnouncedTwiceItChangesNothingMore) {
  Held();
  Delete(kBackups, "one");
  const Json once = Get(kBackups, "one");
  Delete(kBackups, "one");
  EXPECT_EQ(Get(kBackups, "one"), once);
}

TEST_F(DeletionTest, ItCannotBeTakenBack) {
  Held();
  Delete(kBackups, "one");
  const std::string since = Text(Get(kBackups, "one"), "/metadata/deletionTimestamp");
  Merge(kBackups, "one", {{"metadata", {{"deletionTimestamp", nullptr}}}});
  EXPECT_EQ(Text(Get(kBackups, "one"), "/metadata/deletionTimestamp"), since);
}

TEST_F(DeletionTest, ThenNoFinalizerCanBeAdded) {
  Held();
  Delete(kBackups, "one");
  const Answer added = Send("PATCH", Path(kBackups, "one"),
                            {{"metadata", {{"finalizers", List({kHold, "example.com/late"})}}}},
                            "application/merge-patch+json");
  EXPECT_EQ(added.status, 422);
  EXPECT_THAT(added.Message(),
              HasSubstr("no new finalizers can be added if the object is being deleted"));
}

TEST_F(DeletionTest, ThenSpecAndStatusCanStillBeWritten) {
  Held();
  Delete(kBackups, "one");
  EXPECT_EQ(Text(Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}}), "/spec/ttl"), "1d");
  EXPECT_EQ(
      Text(Merge(kBackups, "one", {{"status", {{"phase", "Thawing"}}}}, "status"), "/status/phase"),
      "Thawing");
}

// In that very update: the answer has the object once more, and then it is gone.
TEST_F(DeletionTest, TheLastFinalizerTakesTheObjectWithIt) {
  Create(kBackups, Backup("one", {{"finalizers", List({kHold, "example.com/other"})}}));
  Delete(kBackups, "one");
  EXPECT_EQ(SetFinalizers(List({"example.com/other"})), "ok");
  EXPECT_TRUE(Exists(kBackups, "one"));
  const Json last = Merge(kBackups, "one", {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(Text(last, "/kind"), "VolumeBackup");
  EXPECT_TRUE(Has(last, "/metadata/deletionTimestamp"));
  EXPECT_FALSE(Has(last, "/metadata/finalizers"));
  EXPECT_FALSE(Exists(kBackups, "one"));
}

// As the product removes its own: by uid and resourceVersion.
TEST_F(DeletionTest, TheRemovalOfAFinalizerCanLoseARace) {
  Held();
  const std::string old = VersionOf(Get(kBackups, "one"));
  Delete(kBackups, "one");
  const Json body{{"metadata", {{"resourceVersion", old}, {"finalizers", nullptr}}}};
  EXPECT_EQ(
      CodeOf(Try({.verb = Verb::kMergePatch, .resource = kBackups, .name = "one", .body = body})),
      "Conflict");
  EXPECT_TRUE(Exists(kBackups, "one"));
}

TEST_F(DeletionTest, AFinalizerMustBeQualified) {
  Create(kBackups, Backup("one"));
  EXPECT_EQ(SetFinalizers(List({"not a name"})), "Invalid");
}

TEST_F(DeletionTest, ItCanBeOfOneUidOnly) {
  const Json made = Create(kBackups, Backup("one"));
  const kube::Request other{.verb = Verb::kDelete,
                            .resource = kBackups,
                            .name = "one",
                            .precondition_uid = "11111111-2222-3333-4444-555555555555"};
  EXPECT_EQ(CodeOf(Try(other)), "Conflict");
  kube::Request right = other;
  right.precondition_uid = UidOf(made);
  EXPECT_EQ(CodeOf(Try(right)), "ok");
}

TEST_F(DeletionTest, ItCanBeOfOneVersionOnly) {
  const std::string old = VersionOf(Create(kBackups, Backup("one")));
  const Json now = Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}});
  kube::Request request{.verb = Verb::kDelete,
                        .resource = kBackups,
                        .name = "one",
                        .precondition_resource_version = old};
  EXPECT_EQ(CodeOf(Try(request)), "Conflict");
  request.precondition_resource_version = VersionOf(now);
  EXPECT_EQ(CodeOf(Try(request)), "ok");
}

// kube::DeleteByUid: what it promises of the API.
TEST_F(DeletionTest, ByUidSparesANamesake) {
  const std::string gone = UidOf(Create(kBackups, Backup("one")));
  Delete(kBackups, "one");
  Create(kBackups, Backup("one"));
  EXPECT_TRUE(Await(kube::DeleteByUid(client(), kBackups, {ns(), "one"}, gone)));
  EXPECT_TRUE(Exists(kBackups, "one"));
}

TEST_F(DeletionTest, OfACollectionTakesWhatTheSelectorTakes) {
  Create(kBackups, Backup("a", {{"labels", {{"app", "x"}}}}));
  Create(kBackups, Backup("b", {{"labels", {{"app", "y"}}}}));
  const Answer answer = Send("DELETE", Path(kBackups) + "?labelSelector=app%3Dx");
  EXPECT_EQ(answer.status, 200) << answer.text;
  EXPECT_FALSE(Exists(kBackups, "a"));
  EXPECT_TRUE(Exists(kBackups, "b"));
}

// ---- owners: https://kubernetes.io/docs/concepts/architecture/garbage-collection/ ---------------

class OwnerTest : public ContractTest {
 protected:
  static boost::json::object OwnedBy(const api::Resource& resource, const Json& owner) {
    return {{"ownerReferences",
             boost::json::array{boost::json::object{{"apiVersion", Text(owner, "/apiVersion")},
                                                    {"kind", resource.kind},
                                                    {"name", NameOf(owner)},
                                                    {"uid", UidOf(owner)}}}}};
  }
};

TEST_F(OwnerTest, DependentsGoWithTheirOwner) {
  const Json owner = Create(kBackups, Backup("owner"));
  Create(kConfigMaps, Object(kConfigMaps, "dependent", {{"metadata", OwnedBy(kBackups, owner)}}));
  Delete(kBackups, "owner");
  UntilGone(kConfigMaps, "dependent");
}

TEST_F(OwnerTest, DependentsOfAnOwnerThatNeverWasGo) {
  Json owner = Backup("owner", {{"uid", "11111111-2222-3333-4444-555555555555"}});
  Create(kConfigMaps, Object(kConfigMaps, "dependent", {{"metadata", OwnedBy(kBackups, owner)}}));
  UntilGone(kConfigMaps, "dependent");
}

TEST_F(OwnerTest, ADependentWithALivingOwnerStays) {
  const Json one = Create(kBackups, Backup("one"));
  const Json two = Create(kBackups, Backup("two"));
  auto metadata = OwnedBy(kBackups, one);
  metadata["ownerReferences"].as_array().push_back(
      OwnedBy(kBackups, two)["ownerReferences"].as_array().front());
  Create(kConfigMaps, Object(kConfigMaps, "shared", {{"metadata", metadata}}));
  Delete(kBackups, "one");
  Until(
      kConfigMaps, "shared",
      [](const Json& now) { return Elements(now, "/metadata/ownerReferences").size() == 1; },
      "rid of the owner that is gone");
  Delete(kBackups, "two");
  UntilGone(kConfigMaps, "shared");
}

TEST_F(OwnerTest, OrphansStay) {
  const Json owner = Create(kBackups, Backup("owner"));
  Create(kConfigMaps, Object(kConfigMaps, "dependent", {{"metadata", OwnedBy(kBackups, owner)}}));
  Do({.verb = Verb::kDelete,
      .resource = kBackups,
      .name = "owner",
      .propagation_policy = "Orphan"});
  UntilGone(kBackups, "owner");
  EXPECT_FALSE(Has(Get(kConfigMaps, "dependent"), "/metadata/ownerReferences"));
}

TEST_F(OwnerTest, InTheForegroundTheOwnerWaits) {
  const Json owner = Create(kBackups, Backup("owner"));
  auto metadata = OwnedBy(kBackups, owner);
  metadata["ownerReferences"].as_array().front().as_object()["blockOwnerDeletion"] = true;
  metadata["finalizers"] = List({kHold});
  Create(kConfigMaps, Object(kConfigMaps, "dependent", {{"metadata", metadata}}));
  Do({.verb = Verb::kDelete,
      .resource = kBackups,
      .name = "owner",
      .propagation_policy = "Foreground"});
  EXPECT_EQ(Texts(Get(kBackups, "owner"), "/metadata/finalizers"),
            std::vector<std::string>{"foregroundDeletion"});
  Until(
      kConfigMaps, "dependent",
      [](const Json& now) { return Has(now, "/metadata/deletionTimestamp"); }, "terminating");
  EXPECT_TRUE(Exists(kBackups, "owner"));
  Merge(kConfigMaps, "dependent", {{"metadata", {{"finalizers", nullptr}}}});
  UntilGone(kBackups, "owner");
}

}  // namespace
}  // namespace stillpoint::contract
