// What a write does to an object's name, uid, resourceVersion and generation.
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
#include "contract/support/contract_test.h"

#include <fmt/format.h>

#include <cctype>

namespace stillpoint::contract {
namespace {

namespace json = boost::json;
using api::Code;
using kube::Verb;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kNobody[] = "11111111-2222-3333-4444-555555555555";

class WritesTest : public ContractTest {
 protected:
  // PUT, which the product's client does not have.
  Answer Update(const api::Resource& resource, const Json& object) {
    return Send("PUT", Path(resource, NameOf(object)), object);
  }
};

// api-conventions, "metadata": the server gives uid, resourceVersion, creationTimestamp, and a
// custom resource begins with generation 1.
TEST_F(WritesTest, CreationFillsInTheMetadata) {
  const Json made = Create(kBackups, Backup("one"));
  EXPECT_EQ(NameOf(made), "one");
  EXPECT_EQ(Text(made, "/metadata/namespace"), ns());
  EXPECT_EQ(UidOf(made).size(), 36U) << "a UUID: " << UidOf(made);
  EXPECT_FALSE(VersionOf(made).empty());
  EXPECT_EQ(GenerationOf(made), 1);
  EXPECT_EQ(Text(made, "/metadata/creationTimestamp").size(), sizeof "2026-01-01T00:00:00Z" - 1);
  EXPECT_EQ(Text(made, "/kind"), "VolumeBackup");
  EXPECT_EQ(Text(made, "/apiVersion"), "backups.example.com/v1alpha1");
}

// api-conventions, "defaulting": the defaults of the schema are part of what is stored and read.
TEST_F(WritesTest, CreationFillsInTheDefaultsOfOurSchema) {
  const Json made = Create(kBackups, Backup("one"));
  EXPECT_EQ(Text(made, "/spec/maxFreeze"), "30s");
  EXPECT_EQ(Text(made, "/spec/onInconsistent"), "Fail");
  EXPECT_EQ(Text(made, "/spec/deletionPolicy"), "Retain");
  EXPECT_EQ(Text(made, "/spec/readyTimeout"), "10m");
}

TEST_F(WritesTest, WhatOnlyTheServerWritesIsIgnoredInACreation) {
  const Json made =
      Create(kBackups, Backup("one", {{"uid", "mine"},
                                      {"generation", 7},
                                      {"creationTimestamp", "2001-01-01T00:00:00Z"},
                                      {"deletionTimestamp", "2001-01-01T00:00:00Z"}}));
  EXPECT_NE(UidOf(made), "mine");
  EXPECT_EQ(GenerationOf(made), 1);
  EXPECT_THAT(Text(made, "/metadata/creationTimestamp"), StartsWith("20"));
  EXPECT_NE(Text(made, "/metadata/creationTimestamp"), "2001-01-01T00:00:00Z");
  EXPECT_FALSE(Has(made, "/metadata/deletionTimestamp"));
}

TEST_F(WritesTest, CreationWithAResourceVersionIsRefused) {
  auto made = Try({.verb = Verb::kCreate,
                   .resource = kBackups,
                   .body = Backup("one", {{"resourceVersion", "1"}})});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message,
              HasSubstr("resourceVersion should not be set on objects to be created"));
}

TEST_F(WritesTest, CreationOfWhatExistsIsRefused) {
  Create(kBackups, Backup("one"));
  const Answer again = Send("POST", Path(kBackups), Backup("one"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.Reason(), "AlreadyExists");
  EXPECT_EQ(again.Message(), "volumebackups.backups.example.com \"one\" already exists");
  EXPECT_EQ(Text(again.body, "/kind"), "Status");
  EXPECT_EQ(Text(again.body, "/details/name"), "one");
  EXPECT_EQ(Text(again.body, "/details/group"), "backups.example.com");
  EXPECT_EQ(Text(again.body, "/details/kind"), "volumebackups");
}

TEST_F(WritesTest, CreationInAMissingNamespaceIsNotFound) {
  auto made = Try({.verb = Verb::kCreate,
                   .resource = kBackups,
                   .ns = "contract-nowhere",
                   .body = Backup("one")});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kNotFound);
  EXPECT_THAT(made.error().message, HasSubstr("namespaces \"contract-nowhere\" not found"));
}

TEST_F(WritesTest, AnotherNamespaceInTheBodyIsRefused) {
  const Answer made = Send("POST", Path(kBackups), Backup("one", {{"namespace", "elsewhere"}}));
  EXPECT_EQ(made.status, 400);
  EXPECT_EQ(made.Reason(), "BadRequest");
}

TEST_F(WritesTest, AnotherNameInTheBodyOfAnUpdateIsRefused) {
  Json made = Create(kBackups, Backup("one"));
  made.at("metadata").as_object()["name"] = "two";
  const Answer answer = Send("PUT", Path(kBackups, "one"), made);
  EXPECT_EQ(answer.status, 400);
}

// api-concepts, "Generated values": the suffix is five letters and digits, and a retry makes
// another object.
TEST_F(WritesTest, GenerateNameMakesFreshNames) {
  const Json nameless = Backup("", {{"generateName", "nightly-"}});
  const std::string one = NameOf(Create(kBackups, nameless));
  const std::string two = NameOf(Create(kBackups, nameless));
  EXPECT_THAT(one, StartsWith("nightly-"));
  EXPECT_EQ(one.size(), sizeof "nightly-" - 1 + 5);
  EXPECT_NE(one, two);
  EXPECT_EQ(Text(Get(kBackups, one), "/metadata/generateName"), "nightly-");
}

TEST_F(WritesTest, ANameIsNeeded) {
  const Answer made = Send("POST", Path(kBackups), Backup(""));
  EXPECT_EQ(made.status, 422);
  EXPECT_THAT(made.Message(), HasSubstr("name or generateName is required"));
}

TEST_F(WritesTest, ANameMustBeOne) {
  const Answer made = Send("POST", Path(kBackups), Backup("Not_A_Name"));
  EXPECT_EQ(made.status, 422);
  EXPECT_EQ(made.Reason(), "Invalid");
  EXPECT_THAT(made.Message(),
              StartsWith("VolumeBackup.backups.example.com \"Not_A_Name\" is invalid: "
                         "metadata.name: Invalid value: \"Not_A_Name\": "));
}

TEST_F(WritesTest, AReCreatedObjectIsAnotherOne) {
  const Json first = Create(kBackups, Backup("one"));
  Delete(kBackups, "one");
  const Json second = Create(kBackups, Backup("one"));
  EXPECT_NE(UidOf(first), UidOf(second));
  EXPECT_EQ(GenerationOf(second), 1);
}

TEST_F(WritesTest, EveryWriteChangesTheResourceVersion) {
  const Json made = Create(kBackups, Backup("one"));
  const Json written = Merge(kBackups, "one", {{"metadata", {{"labels", {{"a", "b"}}}}}});
  EXPECT_NE(VersionOf(made), VersionOf(written));
  EXPECT_EQ(UidOf(made), UidOf(written));
}

// api-conventions, "metadata.generation": of the desired state only.
TEST_F(WritesTest, GenerationCountsChangesOfTheSpecAlone) {
  Create(kBackups, Backup("one"));
  Merge(kBackups, "one", {{"metadata", {{"labels", {{"a", "b"}}}}}});
  Merge(kBackups, "one", {{"metadata", {{"annotations", {{"a", "b"}}}}}});
  Merge(kBackups, "one", {{"metadata", {{"finalizers", List({"example.com/hold"})}}}});
  Merge(kBackups, "one", {{"status", {{"phase", "Pending"}}}}, "status");
  EXPECT_EQ(GenerationOf(Merge(kBackups, "one", {{"metadata", {{"finalizers", nullptr}}}})), 1);
  EXPECT_EQ(GenerationOf(Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}})), 2);
  EXPECT_EQ(GenerationOf(Merge(kBackups, "one", {{"spec", {{"ttl", "2d"}}}})), 3);
}

// Built-in kinds that have a status count in the same way; those without one have no generation.
TEST_F(WritesTest, GenerationOfBuiltInKinds) {
  EXPECT_EQ(GenerationOf(Create(kDeployments, Deployment("one", 0))), 1);
  Merge(kDeployments, "one", {{"metadata", {{"labels", {{"a", "b"}}}}}});
  EXPECT_EQ(GenerationOf(Merge(kDeployments, "one", {{"spec", {{"paused", true}}}})), 2);
  EXPECT_FALSE(Has(Create(kLeases, Object(kLeases, "one")), "/metadata/generation"));
  EXPECT_FALSE(Has(Create(kClaims, Claim("one")), "/metadata/generation"));
}

// Nothing is written, and no watch sees anything.
TEST_F(WritesTest, AWriteThatChangesNothingKeepsTheResourceVersion) {
  Create(kBackups, Backup("one"));
  const Json change{{"spec", {{"ttl", "1d"}}}};
  const Json once = Merge(kBackups, "one", change);
  EXPECT_EQ(VersionOf(Merge(kBackups, "one", change)), VersionOf(once));
  const Answer put = Update(kBackups, once);
  EXPECT_EQ(put.status, 200) << put.text;
  EXPECT_EQ(VersionOf(put.body), VersionOf(once));
}

TEST_F(WritesTest, APatchForAnOldResourceVersionIsAConflict) {
  const std::string old = VersionOf(Create(kBackups, Backup("one")));
  Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}});
  auto late = Try({.verb = Verb::kMergePatch,
                   .resource = kBackups,
                   .name = "one",
                   .body = {{"metadata", {{"resourceVersion", old}}}, {"spec", {{"ttl", "2d"}}}}});
  EXPECT_EQ(CodeOf(late), "Conflict");
  EXPECT_EQ(Text(Get(kBackups, "one"), "/spec/ttl"), "1d");
}

TEST_F(WritesTest, APatchWithoutAResourceVersionIsUnconditional) {
  Create(kBackups, Backup("one"));
  Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}});
  EXPECT_EQ(Text(Merge(kBackups, "one", {{"spec", {{"ttl", "2d"}}}}), "/spec/ttl"), "2d");
}

// A surprise: a wrong uid alone is no conflict but invalid, which a client takes for final. The
// product sends the version too, which is judged first and is stale for a namesake.
TEST_F(WritesTest, APatchForAnotherUidIsInvalid) {
  for (const auto& [resource, body] :
       {std::pair(kBackups, Backup("one")), std::pair(kDeployments, Deployment("one", 0))}) {
    const std::string old = VersionOf(Create(resource, body));
    Merge(resource, "one", {{"metadata", {{"labels", {{"a", "b"}}}}}});
    Json patch{{"metadata", {{"uid", kNobody}, {"labels", {{"a", "c"}}}}}};
    const kube::Request request{
        .verb = Verb::kMergePatch, .resource = resource, .name = "one", .body = patch};
    EXPECT_EQ(CodeOf(Try(request)), "Invalid");
    patch.at("metadata").as_object()["resourceVersion"] = old;
    kube::Request stale = request;
    stale.body = patch;
    EXPECT_EQ(CodeOf(Try(stale)), "Conflict");
  }
}

TEST_F(WritesTest, AnUpdateForAnOldResourceVersionIsAConflict) {
  Json made = Create(kBackups, Backup("one"));
  Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}});
  made.at("spec").as_object()["ttl"] = "2d";
  const Answer late = Update(kBackups, made);
  EXPECT_EQ(late.status, 409);
  EXPECT_EQ(late.Reason(), "Conflict");
  EXPECT_EQ(
      late.Message(),
      "Operation cannot be fulfilled on volumebackups.backups.example.com \"one\": the object "
      "has been modified; please apply your changes to the latest version and try again");
}

// AllowUnconditionalUpdate: false for custom resources, true for most built-in kinds.
TEST_F(WritesTest, AnUpdateOfACustomResourceNeedsAResourceVersion) {
  Json made = Create(kBackups, Backup("one"));
  made.at("metadata").as_object().erase("resourceVersion");
  const Answer blind = Update(kBackups, made);
  EXPECT_EQ(blind.status, 422);
  EXPECT_THAT(blind.Message(), HasSubstr("metadata.resourceVersion: Invalid value: 0: must be "
                                         "specified for an update"));
}

TEST_F(WritesTest, AnUpdateOfABuiltInKindNeedsNoResourceVersion) {
  Json made = Create(kConfigMaps, Object(kConfigMaps, "one"));
  made.at("metadata").as_object().erase("resourceVersion");
  made.as_object()["data"] = {{"a", "b"}};
  const Answer blind = Update(kConfigMaps, made);
  EXPECT_EQ(blind.status, 200) << blind.text;
  EXPECT_EQ(Text(blind.body, "/data/a"), "b");
}

TEST_F(WritesTest, WritesOfWhatIsNotThereAreNotFound) {
  EXPECT_EQ(CodeOf(Try({.verb = Verb::kGet, .resource = kBackups, .name = "one"})), "NotFound");
  EXPECT_EQ(CodeOf(Try({.verb = Verb::kDelete, .resource = kBackups, .name = "one"})), "NotFound");
  EXPECT_EQ(CodeOf(Try({.verb = Verb::kMergePatch,
                        .resource = kBackups,
                        .name = "one",
                        .body = {{"spec", {{"ttl", "2d"}}}}})),
            "NotFound");
  const Answer answer = Send("GET", Path(kBackups, "one"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.Message(), "volumebackups.backups.example.com \"one\" not found");
}

// A kind that nobody serves has no metav1.Status: that is how the product tells the two apart.
TEST_F(WritesTest, AnUnknownKindIsNotFoundInPlainWords) {
  const Answer answer =
      Send("GET", Path({"backups.example.com", "v1alpha1", "Nothing", "nothings"}));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.text, "404 page not found\n");
}

TEST_F(WritesTest, ADryRunLeavesNothing) {
  auto made =
      Try({.verb = Verb::kCreate, .resource = kBackups, .body = Backup("one"), .dry_run = true});
  ASSERT_TRUE(made);
  EXPECT_FALSE(UidOf(*made).empty());
  EXPECT_FALSE(Has(*made, "/metadata/resourceVersion"));
  EXPECT_FALSE(Exists(kBackups, "one"));

  const Json there = Create(kBackups, Backup("one"));
  auto patched = Try({.verb = Verb::kMergePatch,
                      .resource = kBackups,
                      .name = "one",
                      .body = {{"spec", {{"ttl", "2d"}}}},
                      .dry_run = true});
  ASSERT_TRUE(patched);
  EXPECT_EQ(Text(*patched, "/spec/ttl"), "2d");
  Try({.verb = Verb::kDelete, .resource = kBackups, .name = "one", .dry_run = true}).value();
  EXPECT_EQ(Get(kBackups, "one"), there);
}

// Of two who change the version that both have read, one must lose: the leader election and the
// journal rest on it.
TEST_F(WritesTest, OfSimultaneousWritesToOneVersionOneWins) {
  const std::string version = VersionOf(Create(kBackups, Backup("one")));
  std::vector<kube::Request> requests;
  for (const char* ttl : {"1d", "2d", "3d", "4d"}) {
    requests.push_back(
        {.verb = Verb::kMergePatch,
         .resource = kBackups,
         .name = "one",
         .body = {{"metadata", {{"resourceVersion", version}}}, {"spec", {{"ttl", ttl}}}}});
  }
  int won = 0;
  for (const auto& result : Together(std::move(requests))) {
    if (result) {
      ++won;
    } else {
      EXPECT_EQ(result.error().code, Code::kConflict) << result.error().message;
    }
  }
  EXPECT_EQ(won, 1);
}

}  // namespace
}  // namespace stillpoint::contract
