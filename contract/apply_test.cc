// Server-side apply, as far as the product uses it: its status, and the fields of others that it
// must not touch. The product's client applies as "stillpoint"; others come by plain HTTP.
//
// https://kubernetes.io/docs/reference/using-api/server-side-apply/
#include "contract/support/contract_test.h"

#include "kube/request_url.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::contract {
namespace {

using kube::Verb;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kNobody[] = "11111111-2222-3333-4444-555555555555";

class ApplyTest : public ContractTest {
 protected:
  static Json Spec(const Json& spec) { return Object(kBackups, "one", {{"spec", spec}}); }
  static Json Status(const Json& status, boost::json::object metadata = {}) {
    return Object(kBackups, "one", {{"metadata", std::move(metadata)}, {"status", status}});
  }

  api::Result<Json> TryApply(const Json& body, const std::string& subresource = "") {
    return Try({.verb = Verb::kApply,
                .resource = kBackups,
                .name = "one",
                .subresource = subresource,
                .body = body,
                .force = true});
  }
  Json Apply(const Json& body, const std::string& subresource = "") {
    auto applied = TryApply(body, subresource);
    if (!applied) throw std::runtime_error(applied.error().message);
    return std::move(*applied);
  }

  // As another manager.
  Answer ApplyAs(const std::string& manager, const Json& body, const std::string& more = "",
                 const std::string& subresource = "") {
    return Send("PATCH", Path(kBackups, "one", subresource) + "?fieldManager=" + manager + more,
                body, "application/apply-patch+yaml");
  }

  // The fieldsV1 of a manager; null when it has none.
  static Json FieldsOf(const Json& object, const std::string& manager, const std::string& operation,
                       const std::string& subresource = "") {
    for (const Json& entry : Elements(object, "/metadata/managedFields")) {
      if (Text(entry, "/manager") == manager && Text(entry, "/operation") == operation &&
          Text(entry, "/subresource") == subresource) {
        return entry.at("fieldsV1");
      }
    }
    return nullptr;
  }
};

TEST_F(ApplyTest, MakesWhatIsNotThere) {
  const Answer made = ApplyAs("other", Spec({{"applicationRef", "ledger"}}));
  EXPECT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(GenerationOf(made.body), 1);
  EXPECT_EQ(Text(made.body, "/spec/maxFreeze"), "30s") << "defaults come in";
  const Answer again = ApplyAs("other", Spec({{"applicationRef", "ledger"}}));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(VersionOf(again.body), VersionOf(made.body)) << "nothing changed, nothing written";
}

// The shape that controllers/managers_plan.cc reads.
TEST_F(ApplyTest, RecordsWhoOwnsWhat) {
  const Json made = ApplyAs("other", Spec({{"applicationRef", "ledger"}, {"ttl", "1d"}})).body;
  const auto entries = Elements(made, "/metadata/managedFields");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(Text(entries[0], "/manager"), "other");
  EXPECT_EQ(Text(entries[0], "/operation"), "Apply");
  EXPECT_EQ(Text(entries[0], "/apiVersion"), "backups.example.com/v1alpha1");
  EXPECT_EQ(Text(entries[0], "/fieldsType"), "FieldsV1");
  EXPECT_TRUE(Has(entries[0], "/time"));
  EXPECT_EQ(entries[0].at("fieldsV1"), Parse(R"({"f:spec":{"f:applicationRef":{},"f:ttl":{}}})"))
      << "defaulted fields have no owner";
}

TEST_F(ApplyTest, OtherWritesAreRecordedAsUpdates) {
  Create(kBackups, Backup("one"));
  const Json written = Merge(kBackups, "one", {{"metadata", {{"labels", {{"a", "b"}}}}}});
  const Json fields = FieldsOf(written, std::string(kube::kFieldManager), "Update");
  EXPECT_TRUE(Has(fields, "/f:spec/f:applicationRef")) << ToText(fields);
  EXPECT_TRUE(Has(fields, "/f:metadata/f:labels/f:a")) << ToText(fields);
  const Json with_status = Merge(kBackups, "one", {{"status", {{"phase", "Pending"}}}}, "status");
  EXPECT_EQ(FieldsOf(with_status, std::string(kube::kFieldManager), "Update", "status"),
            Parse(R"({"f:status":{".":{},"f:phase":{}}})"));
}

// Without a fieldManager the name is the user agent up to the first slash.
TEST_F(ApplyTest, AWriterWithoutANameIsCalledByItsUserAgent) {
  const Answer made = Send("POST", Path(kBackups), Backup("one"));
  EXPECT_EQ(Text(made.body, "/metadata/managedFields/0/manager"),
            config().user_agent.substr(0, config().user_agent.find('/')));
}

TEST_F(ApplyTest, NeedsAFieldManager) {
  const Answer applied = Send("PATCH", Path(kBackups, "one"), Spec({{"applicationRef", "x"}}),
                              "application/apply-patch+yaml");
  EXPECT_EQ(applied.status, 422);
  EXPECT_THAT(applied.Message(), HasSubstr("fieldManager: Required value"));
}

TEST_F(ApplyTest, WhatIsNoLongerAppliedGoes) {
  Apply(Spec({{"applicationRef", "ledger"}, {"ttl", "1d"}}));
  EXPECT_FALSE(Has(Apply(Spec({{"applicationRef", "ledger"}})), "/spec/ttl"));
}

TEST_F(ApplyTest, WhatAnotherOwnsTooStays) {
  Apply(Spec({{"applicationRef", "ledger"}, {"ttl", "1d"}}));
  EXPECT_EQ(ApplyAs("other", Spec({{"ttl", "1d"}})).status, 200) << "equal: no conflict";
  EXPECT_EQ(Text(Apply(Spec({{"applicationRef", "ledger"}})), "/spec/ttl"), "1d");
  EXPECT_FALSE(Has(ApplyAs("other", Spec(boost::json::object())).body, "/spec/ttl"));
}

TEST_F(ApplyTest, WhatNobodyAppliedStays) {
  Create(kBackups, Backup("one", {{"labels", {{"a", "b"}}}}));
  const Json applied = Apply(Spec({{"ttl", "1d"}}));
  EXPECT_EQ(Text(applied, "/metadata/labels/a"), "b");
  EXPECT_EQ(Text(applied, "/spec/applicationRef"), "ledger");
}

TEST_F(ApplyTest, AnotherValueOfAnothersFieldIsAConflict) {
  ApplyAs("other", Spec({{"applicationRef", "ledger"}, {"ttl", "1d"}}));
  const Answer refused = ApplyAs("third", Spec({{"ttl", "2d"}}));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.Reason(), "Conflict");
  EXPECT_EQ(refused.Message(), "Apply failed with 1 conflict: conflict with \"other\": .spec.ttl");
  EXPECT_EQ(Text(refused.body, "/details/causes/0/reason"), "FieldManagerConflict");
  EXPECT_EQ(Text(refused.body, "/details/causes/0/field"), ".spec.ttl");
}

TEST_F(ApplyTest, ForceTakesTheField) {
  ApplyAs("other", Spec({{"applicationRef", "ledger"}, {"ttl", "1d"}}));
  const Answer taken = ApplyAs("third", Spec({{"ttl", "2d"}}), "&force=true");
  EXPECT_EQ(taken.status, 200) << taken.text;
  EXPECT_EQ(Text(taken.body, "/spec/ttl"), "2d");
  EXPECT_EQ(FieldsOf(taken.body, "other", "Apply"), Parse(R"({"f:spec":{"f:applicationRef":{}}})"));
  EXPECT_EQ(FieldsOf(taken.body, "third", "Apply"), Parse(R"({"f:spec":{"f:ttl":{}}})"));
}

// An update takes the field without asking.
TEST_F(ApplyTest, AnUpdateTakesTheField) {
  ApplyAs("other", Spec({{"applicationRef", "ledger"}, {"ttl", "1d"}}));
  const Json written = Merge(kBackups, "one", {{"spec", {{"ttl", "2d"}}}});
  EXPECT_FALSE(Has(FieldsOf(written, "other", "Apply"), "/f:spec/f:ttl"));
  EXPECT_EQ(ApplyAs("other", Spec({{"applicationRef", "ledger"}, {"ttl", "1d"}})).status, 409);
}

// ---- status, as the product writes it ----------------------------------------------------------

TEST_F(ApplyTest, OfTheStatusWritesTheStatusAlone) {
  Create(kBackups, Backup("one"));
  Json body = Status({{"phase", "Pending"}});
  body.as_object()["spec"] = {{"ttl", "5d"}};
  const Json applied = Apply(body, "status");
  EXPECT_EQ(Text(applied, "/status/phase"), "Pending");
  EXPECT_FALSE(Has(applied, "/spec/ttl"));
  EXPECT_EQ(GenerationOf(applied), 1);
  EXPECT_EQ(FieldsOf(applied, std::string(kube::kFieldManager), "Apply", "status"),
            Parse(R"({"f:status":{"f:phase":{}}})"));
}

TEST_F(ApplyTest, OfTheStatusRemovesWhatIsNoLongerApplied) {
  Create(kBackups, Backup("one"));
  Apply(Status({{"phase", "Pending"}, {"reason", "Queued"}}), "status");
  const Json applied = Apply(Status({{"phase", "Freezing"}}), "status");
  EXPECT_EQ(Text(applied, "/status/phase"), "Freezing");
  EXPECT_FALSE(Has(applied, "/status/reason"));
}

TEST_F(ApplyTest, OfTheSameStatusWritesNothing) {
  Create(kBackups, Backup("one"));
  const Json once = Apply(Status({{"phase", "Pending"}}), "status");
  EXPECT_EQ(VersionOf(Apply(Status({{"phase", "Pending"}}), "status")), VersionOf(once));
}

// Conditions are a map by type, so that another may add one of its own.
TEST_F(ApplyTest, ConditionsAreMergedByType) {
  Create(kBackups, Backup("one"));
  const auto condition = [](const std::string& type) {
    return boost::json::object{{"type", type},
                               {"status", "True"},
                               {"reason", "Because"},
                               {"message", ""},
                               {"lastTransitionTime", "2026-01-02T03:04:05Z"}};
  };
  Apply(Status({{"conditions", boost::json::array{condition("Frozen")}}}), "status");
  const Answer more = ApplyAs(
      "other", Status({{"conditions", boost::json::array{condition("Watched")}}}), "", "status");
  EXPECT_EQ(more.status, 200) << more.text;
  EXPECT_EQ(ConditionOf(more.body, "Frozen"), "True");
  EXPECT_EQ(ConditionOf(more.body, "Watched"), "True");
  const Json fewer =
      Apply(Status({{"conditions", boost::json::array{condition("Cut")}}}), "status");
  EXPECT_EQ(ConditionOf(fewer, "Frozen"), "");
  EXPECT_EQ(ConditionOf(fewer, "Cut"), "True");
  EXPECT_EQ(ConditionOf(fewer, "Watched"), "True");
}

TEST_F(ApplyTest, OfTheStatusIsConditionalByVersion) {
  const std::string old = VersionOf(Create(kBackups, Backup("one")));
  Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}});
  const auto late = TryApply(Status({{"phase", "Pending"}}, {{"resourceVersion", old}}), "status");
  EXPECT_EQ(CodeOf(late), "Conflict");
}

// A surprise: the uid alone protects nothing here, so the version must go with it.
TEST_F(ApplyTest, OfTheStatusIgnoresTheUid) {
  Create(kBackups, Backup("one"));
  EXPECT_EQ(CodeOf(TryApply(Status({{"phase", "Pending"}}, {{"uid", kNobody}}), "status")), "ok");
}

TEST_F(ApplyTest, OfTheStatusMakesNothing) {
  EXPECT_EQ(CodeOf(TryApply(Status({{"phase", "Pending"}}), "status")), "NotFound");
  EXPECT_EQ(CodeOf(TryApply(Status({{"phase", "Pending"}}, {{"resourceVersion", "1"}}), "status")),
            "NotFound");
}

// A uid says "there was one", so nothing is made where there is none. A surprise: a version does
// not say so.
TEST_F(ApplyTest, WithAUidMakesNothing) {
  Json body = Spec({{"applicationRef", "ledger"}});
  body.at("metadata").as_object()["uid"] = kNobody;
  EXPECT_EQ(CodeOf(TryApply(body)), "Conflict");
  body.at("metadata").as_object().erase("uid");
  body.at("metadata").as_object()["resourceVersion"] = "1";
  EXPECT_EQ(CodeOf(TryApply(body)), "ok");
}

TEST_F(ApplyTest, ManagedFieldsAreNotForTheBody) {
  const Json made = ApplyAs("other", Spec({{"applicationRef", "ledger"}})).body;
  Json body = Spec({{"applicationRef", "ledger"}});
  body.at("metadata").as_object()["managedFields"] = made.at("metadata").at("managedFields");
  const Answer applied = ApplyAs("other", body);
  EXPECT_EQ(applied.status, 400) << applied.text;
  EXPECT_THAT(applied.Message(), HasSubstr("metadata.managedFields must be nil"));
}

TEST_F(ApplyTest, IsCheckedByOurSchema) {
  const Answer applied = ApplyAs("other", Spec({{"applicationRef", "ledger"}, {"ttl", "soon"}}));
  EXPECT_EQ(applied.status, 422);
  EXPECT_THAT(applied.Message(), HasSubstr("spec.ttl: Invalid value: \"soon\""));
}

// Whatever the field validation asked for: a field that the schema does not know has no type.
TEST_F(ApplyTest, AnUnknownFieldIsRefused) {
  const Answer applied = ApplyAs("other", Spec({{"applicationRef", "ledger"}, {"retries", 3}}));
  EXPECT_EQ(applied.status, 500);
  EXPECT_FALSE(Has(applied.body, "/reason"));
  EXPECT_THAT(applied.Message(), StartsWith("failed to create typed patch object ("));
  EXPECT_THAT(applied.Message(), HasSubstr(".spec.retries: field not declared in schema"));
}

// Who may change a workload behind our back: Argo CD and Flux are found so.
TEST_F(ApplyTest, ATemplateOfADeploymentShowsItsManagers) {
  const Answer made = Send("PATCH", Path(kDeployments, "app") + "?fieldManager=argocd-controller",
                           Deployment("app", 0, "data"), "application/apply-patch+yaml");
  ASSERT_EQ(made.status, 201) << made.text;
  const Json repointed = Do({.verb = Verb::kJsonPatch,
                             .resource = kDeployments,
                             .name = "app",
                             .body = Parse(R"([{"op":"replace",
            "path":"/spec/template/spec/volumes/0/persistentVolumeClaim/claimName",
            "value":"restored"}])")});
  const Json theirs = FieldsOf(repointed, "argocd-controller", "Apply");
  const Json ours = FieldsOf(repointed, std::string(kube::kFieldManager), "Update");
  const std::string volume =
      R"(/f:spec/f:template/f:spec/f:volumes/k:{"name":"data"}/f:persistentVolumeClaim/f:claimName)";
  EXPECT_TRUE(Has(ours, volume)) << ToText(ours);
  EXPECT_FALSE(Has(theirs, volume)) << ToText(theirs);
}

}  // namespace
}  // namespace stillpoint::contract
