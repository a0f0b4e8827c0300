// The status subresource: neither half writes the other.
//
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#status-subresource
#include "contract/support/contract_test.h"

namespace stillpoint::contract {
namespace {

using kube::Verb;
using testing::HasSubstr;

using StatusTest = ContractTest;

TEST_F(StatusTest, ACreationCarriesNoStatus) {
  Json body = Backup("one");
  body.as_object()["status"] = {{"phase", "Completed"}};
  EXPECT_EQ(Text(Create(kBackups, body), "/status/phase"), "");
}

TEST_F(StatusTest, TheMainResourceLeavesTheStatusAlone) {
  Create(kBackups, Backup("one"));
  Merge(kBackups, "one", {{"status", {{"phase", "Pending"}}}}, "status");
  const Json written =
      Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}, {"status", {{"phase", "Failed"}}}});
  EXPECT_EQ(Text(written, "/status/phase"), "Pending");
  EXPECT_EQ(Text(written, "/spec/ttl"), "1d");
}

TEST_F(StatusTest, AWriteOfTheStatusAloneThroughTheMainResourceWritesNothing) {
  const Json made = Create(kBackups, Backup("one"));
  const Json written = Merge(kBackups, "one", {{"status", {{"phase", "Failed"}}}});
  EXPECT_EQ(VersionOf(written), VersionOf(made));
}

TEST_F(StatusTest, TheStatusLeavesSpecAndMetadataAlone) {
  Create(kBackups, Backup("one"));
  const Json written = Merge(kBackups, "one",
                             {{"metadata",
                               {{"labels", {{"a", "b"}}},
                                {"annotations", {{"a", "b"}}},
                                {"finalizers", List({"example.com/hold"})}}},
                              {"spec", {{"ttl", "1d"}}},
                              {"status", {{"phase", "Pending"}}}},
                             "status");
  EXPECT_EQ(Text(written, "/status/phase"), "Pending");
  EXPECT_FALSE(Has(written, "/spec/ttl"));
  EXPECT_FALSE(Has(written, "/metadata/labels"));
  EXPECT_FALSE(Has(written, "/metadata/annotations"));
  EXPECT_FALSE(Has(written, "/metadata/finalizers"));
  EXPECT_EQ(GenerationOf(written), 1);
}

TEST_F(StatusTest, TheStatusIsConditionalToo) {
  const std::string old = VersionOf(Create(kBackups, Backup("one")));
  Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}});
  auto late =
      Try({.verb = Verb::kMergePatch,
           .resource = kBackups,
           .name = "one",
           .subresource = "status",
           .body = {{"metadata", {{"resourceVersion", old}}}, {"status", {{"phase", "Pending"}}}}});
  EXPECT_EQ(CodeOf(late), "Conflict");
}

TEST_F(StatusTest, AnUpdateOfTheStatusReplacesAllOfIt) {
  Create(kBackups, Backup("one"));
  Json now =
      Merge(kBackups, "one", {{"status", {{"phase", "Pending"}, {"reason", "Queued"}}}}, "status");
  now.as_object()["status"] = {{"phase", "Freezing"}};
  now.at("spec").as_object()["ttl"] = "9d";
  const Answer put = Send("PUT", Path(kBackups, "one", "status"), now);
  EXPECT_EQ(put.status, 200) << put.text;
  EXPECT_EQ(Text(put.body, "/status/phase"), "Freezing");
  EXPECT_FALSE(Has(put.body, "/status/reason"));
  EXPECT_FALSE(Has(put.body, "/spec/ttl"));
}

TEST_F(StatusTest, TheStatusCanBeRead) {
  Create(kBackups, Backup("one"));
  const Json made = Merge(kBackups, "one", {{"status", {{"phase", "Pending"}}}}, "status");
  const Json read =
      Do({.verb = Verb::kGet, .resource = kBackups, .name = "one", .subresource = "status"});
  EXPECT_EQ(read, made);
}

// The schema holds for the status as well.
TEST_F(StatusTest, TheStatusIsCheckedByOurSchema) {
  Create(kBackups, Backup("one"));
  const Answer bad = Send("PATCH", Path(kBackups, "one", "status"),
                          {{"status", {{"phase", "Sleeping"}}}}, "application/merge-patch+json");
  EXPECT_EQ(bad.status, 422);
  EXPECT_THAT(bad.Message(), HasSubstr("status.phase: Unsupported value: \"Sleeping\""));
}

TEST_F(StatusTest, BuiltInKindsHaveOneToo) {
  Create(kClaims, Claim("one"));
  const Json written = Merge(kClaims, "one", {{"status", {{"phase", "Lost"}}}});
  EXPECT_NE(Text(written, "/status/phase"), "Lost");
}

// autoscaling/v1 Scale: what `kubectl scale` and a restore may use.
TEST_F(StatusTest, TheScaleSubresourceChangesTheReplicas) {
  Create(kDeployments, Deployment("one", 0));
  const Json scale =
      Do({.verb = Verb::kGet, .resource = kDeployments, .name = "one", .subresource = "scale"});
  EXPECT_EQ(Text(scale, "/kind"), "Scale");
  EXPECT_EQ(Text(scale, "/apiVersion"), "autoscaling/v1");
  EXPECT_EQ(Text(scale, "/status/selector"), "app=one");
  const Json scaled = Merge(kDeployments, "one", {{"spec", {{"replicas", 2}}}}, "scale");
  EXPECT_EQ(Number(scaled, "/spec/replicas"), 2);
  EXPECT_EQ(Number(Get(kDeployments, "one"), "/spec/replicas"), 2);
  EXPECT_EQ(GenerationOf(Get(kDeployments, "one")), 2);
}

}  // namespace
}  // namespace stillpoint::contract
