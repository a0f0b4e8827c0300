// JSON merge patch (RFC 7386) and JSON patch (RFC 6902).
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
#include "contract/support/contract_test.h"

#include <fmt/format.h>

namespace stillpoint::contract {
namespace {

class PatchTest : public ContractTest {
 protected:
  void SetUp() override {
    Create(kBackups, Backup("one", {{"labels", {{"app", "ledger"}, {"tier", "db"}}}}));
  }
  static Json SetTtl(const std::string& if_version) {
    return Parse(fmt::format(R"([
        {{"op": "replace", "path": "/metadata/resourceVersion", "value": "{}"}},
        {{"op": "add", "path": "/spec/ttl", "value": "2d"}}])",
                             if_version));
  }
  Answer JsonPatch(const Json& operations) {
    return Send("PATCH", Path(kBackups, "one"), operations, "application/json-patch+json");
  }
};

TEST_F(PatchTest, NullRemovesAField) {
  const Json patched = Merge(kBackups, "one", {{"metadata", {{"labels", {{"tier", nullptr}}}}}});
  EXPECT_EQ(Text(patched, "/metadata/labels/app"), "ledger");
  EXPECT_FALSE(Has(patched, "/metadata/labels/tier"));
}

TEST_F(PatchTest, NullForWhatIsNotThereIsNoError) {
  const std::string before = VersionOf(Get(kBackups, "one"));
  EXPECT_EQ(VersionOf(Merge(kBackups, "one", {{"spec", {{"ttl", nullptr}}}})), before);
}

// The default of the schema comes in again.
TEST_F(PatchTest, NullForADefaultedFieldGivesTheDefault) {
  const Json patched = Merge(kBackups, "one", {{"spec", {{"deletionPolicy", "Delete"}}}});
  EXPECT_EQ(Text(patched, "/spec/deletionPolicy"), "Delete");
  EXPECT_EQ(Text(Merge(kBackups, "one", {{"spec", {{"deletionPolicy", nullptr}}}}),
                 "/spec/deletionPolicy"),
            "Retain");
}

TEST_F(PatchTest, AMergedListReplacesTheList) {
  Merge(kBackups, "one",
        {{"metadata", {{"finalizers", List({"example.com/a", "example.com/b"})}}}});
  const Json patched =
      Merge(kBackups, "one", {{"metadata", {{"finalizers", List({"example.com/b"})}}}});
  EXPECT_EQ(Texts(patched, "/metadata/finalizers"), std::vector<std::string>{"example.com/b"});
  Merge(kBackups, "one", {{"metadata", {{"finalizers", nullptr}}}});
}

TEST_F(PatchTest, JsonPatchChangesAndRemoves) {
  const Answer patched = JsonPatch(Parse(R"([
      {"op": "replace", "path": "/metadata/labels/app", "value": "x"},
      {"op": "remove", "path": "/metadata/labels/tier"},
      {"op": "add", "path": "/spec/ttl", "value": "1d"}])"));
  EXPECT_EQ(patched.status, 200) << patched.text;
  EXPECT_EQ(Text(patched.body, "/metadata/labels/app"), "x");
  EXPECT_FALSE(Has(patched.body, "/metadata/labels/tier"));
  EXPECT_EQ(Text(patched.body, "/spec/ttl"), "1d");
}

// Not a conflict: a reader that retries on 409 would give up here.
TEST_F(PatchTest, AFailedTestIsInvalid) {
  const Answer patched = JsonPatch(Parse(R"([
      {"op": "test", "path": "/metadata/labels/app", "value": "other"},
      {"op": "remove", "path": "/metadata/labels/tier"}])"));
  EXPECT_EQ(patched.status, 422);
  EXPECT_EQ(patched.Reason(), "Invalid");
  EXPECT_TRUE(Has(Get(kBackups, "one"), "/metadata/labels/tier")) << "all or nothing";
}

TEST_F(PatchTest, RemovingWhatIsNotThereIsInvalid) {
  const Answer patched = JsonPatch(Parse(R"([{"op": "remove", "path": "/metadata/labels/none"}])"));
  EXPECT_EQ(patched.status, 422);
}

// How the product makes a JSON patch conditional (controllers/restore_act.cc).
TEST_F(PatchTest, AReplacedResourceVersionMakesAJsonPatchConditional) {
  const std::string old = VersionOf(Get(kBackups, "one"));
  Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}});
  const Answer late = JsonPatch(SetTtl(old));
  EXPECT_EQ(late.status, 409);
  EXPECT_EQ(late.Reason(), "Conflict");
  const std::string now = VersionOf(Get(kBackups, "one"));
  const Answer fresh = JsonPatch(SetTtl(now));
  EXPECT_EQ(fresh.status, 200) << fresh.text;
}

TEST_F(PatchTest, WhatIsNoPatchIsABadRequest) {
  const Answer patched = JsonPatch(Parse(R"({"op": "remove"})"));
  EXPECT_EQ(patched.status, 400);
}

TEST_F(PatchTest, AnUnknownTypeOfPatchIsUnsupported) {
  const Answer patched =
      Send("PATCH", Path(kBackups, "one"), {{"spec", {{"ttl", "1d"}}}}, "application/json");
  EXPECT_EQ(patched.status, 415);
  EXPECT_EQ(patched.Reason(), "UnsupportedMediaType");
}

// Only built-in kinds have the merge keys that it needs.
TEST_F(PatchTest, AStrategicMergePatchOfACustomResourceIsUnsupported) {
  const Answer patched = Send("PATCH", Path(kBackups, "one"), {{"spec", {{"ttl", "1d"}}}},
                              "application/strategic-merge-patch+json");
  EXPECT_EQ(patched.status, 415);
}

// kubectl sends it for every built-in kind.
TEST_F(PatchTest, AStrategicMergePatchMergesContainersByName) {
  Create(kDeployments, Deployment("app", 0));
  const Answer patched =
      Send("PATCH", Path(kDeployments, "app"), Parse(R"({"spec":{"template":{"spec":{"containers":[
             {"name":"main","env":[{"name":"A","value":"b"}]}]}}}})"),
           "application/strategic-merge-patch+json");
  EXPECT_EQ(patched.status, 200) << patched.text;
  EXPECT_EQ(Text(patched.body, "/spec/template/spec/containers/0/env/0/name"), "A");
  EXPECT_TRUE(Has(patched.body, "/spec/template/spec/containers/0/image"));
}

// How a restore repoints a workload.
TEST_F(PatchTest, AJsonPatchReachesIntoAList) {
  Create(kDeployments, Deployment("app", 0, "data"));
  const Answer patched = Send(
      "PATCH", Path(kDeployments, "app"),
      Parse(
          R"([{"op":"replace","path":"/spec/template/spec/volumes/0/persistentVolumeClaim/claimName",
                 "value":"restored"}])"),
      "application/json-patch+json");
  EXPECT_EQ(patched.status, 200) << patched.text;
  EXPECT_EQ(Text(patched.body, "/spec/template/spec/volumes/0/persistentVolumeClaim/claimName"),
            "restored");
  EXPECT_EQ(GenerationOf(patched.body), 2);
}

}  // namespace
}  // namespace stillpoint::contract
