// Leases, Events and access reviews: what the product's runtime writes beside its own objects.
//
// https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
// https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
// https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
#include "contract/support/contract_test.h"

#include "kube/access.h"

namespace stillpoint::contract {
namespace {

using kube::Verb;
using testing::HasSubstr;
using testing::IsEmpty;

class LeaseTest : public ContractTest {
 protected:
  static Json HeldBy(const std::string& holder) {
    return Object(kLeases, "leader",
                  {{"spec",
                    {{"holderIdentity", holder},
                     {"leaseDurationSeconds", 15},
                     {"acquireTime", "2026-01-02T03:04:05.000006Z"},
                     {"renewTime", "2026-01-02T03:04:05.000006Z"},
                     {"leaseTransitions", 0}}}});
  }
};

TEST_F(LeaseTest, MicrosecondsComeBackAsTheyWent) {
  const Json made = Create(kLeases, HeldBy("a"));
  EXPECT_EQ(Text(made, "/spec/renewTime"), "2026-01-02T03:04:05.000006Z");
  EXPECT_EQ(Get(kLeases, "leader"), made);
}

TEST_F(LeaseTest, OfTwoWhoCreateItOneDoes) {
  const auto results =
      Together({{.verb = Verb::kCreate, .resource = kLeases, .body = HeldBy("a")},
                {.verb = Verb::kCreate, .resource = kLeases, .body = HeldBy("b")}});
  const auto& loser = results[0] ? results[1] : results[0];
  EXPECT_NE(results[0].has_value(), results[1].has_value());
  EXPECT_EQ(CodeOf(loser), "AlreadyExists");
}

TEST_F(LeaseTest, OfTwoWhoTakeItOneDoes) {
  const std::string version = VersionOf(Create(kLeases, HeldBy("gone")));
  const auto take = [&](const std::string& who) {
    return kube::Request{.verb = Verb::kMergePatch,
                         .resource = kLeases,
                         .name = "leader",
                         .body = {{"metadata", {{"resourceVersion", version}}},
                                  {"spec", {{"holderIdentity", who}}}}};
  };
  const auto results = Together({take("a"), take("b")});
  EXPECT_NE(results[0].has_value(), results[1].has_value());
  EXPECT_EQ(CodeOf(results[0] ? results[1] : results[0]), "Conflict");
}

// The leader writes on top of its own last write: each answer has the version for the next.
TEST_F(LeaseTest, RenewalsFollowOneAnother) {
  std::string version = VersionOf(Create(kLeases, HeldBy("a")));
  for (const char* time : {"2026-01-02T03:04:07.000000Z", "2026-01-02T03:04:09.000000Z"}) {
    version = VersionOf(
        Merge(kLeases, "leader",
              {{"metadata", {{"resourceVersion", version}}}, {"spec", {{"renewTime", time}}}}));
  }
  EXPECT_EQ(Text(Get(kLeases, "leader"), "/spec/renewTime"), "2026-01-02T03:04:09.000000Z");
}

// Given up: an empty holder is stored as such, and is not the same as none.
TEST_F(LeaseTest, AnEmptyHolderIsKept) {
  Create(kLeases, HeldBy("a"));
  const Json released = Merge(kLeases, "leader", {{"spec", {{"holderIdentity", ""}}}});
  EXPECT_TRUE(Has(released, "/spec/holderIdentity"));
  EXPECT_EQ(Text(released, "/spec/holderIdentity"), "");
}

TEST_F(LeaseTest, ADurationMustBePositive) {
  Json lease = HeldBy("a");
  lease.at("spec").as_object()["leaseDurationSeconds"] = 0;
  const Answer answer = Send("POST", Path(kLeases), lease);
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.Message(), HasSubstr("spec.leaseDurationSeconds: Invalid value: 0: must be "
                                          "greater than 0"));
}

// ---- Events ------------------------------------------------------------------------------------

class EventTest : public ContractTest {
 protected:
  Json Event(const std::string& name = "one.1") {
    return Object(kEvents, name,
                  {{"eventTime", "2026-01-02T03:04:05.000006Z"},
                   {"reportingController", "backups.example.com/stillpoint"},
                   {"reportingInstance", "stillpoint-0"},
                   {"action", "Backup"},
                   {"reason", "Frozen"},
                   {"type", "Normal"},
                   {"note", "every pod stands still"},
                   {"regarding",
                    {{"apiVersion", "backups.example.com/v1alpha1"},
                     {"kind", "VolumeBackup"},
                     {"namespace", ns()},
                     {"name", "one"},
                     {"uid", "u1"}}}});
  }
};

TEST_F(EventTest, IsMade) {
  const Json made = Create(kEvents, Event());
  EXPECT_EQ(Text(made, "/eventTime"), "2026-01-02T03:04:05.000006Z");
  EXPECT_EQ(Text(made, "/note"), "every pod stands still");
  EXPECT_EQ(Text(made, "/regarding/name"), "one");
  EXPECT_FALSE(Has(made, "/metadata/generation"));
}

TEST_F(EventTest, OfTheSameNameExistsAlready) {
  Create(kEvents, Event());
  EXPECT_EQ(CodeOf(Try({.verb = Verb::kCreate, .resource = kEvents, .body = Event()})),
            "AlreadyExists");
}

TEST_F(EventTest, ASeriesIsPatchedIn) {
  Create(kEvents, Event());
  for (int count : {2, 3}) {
    const Json patched = Merge(
        kEvents, "one.1",
        {{"series", {{"count", count}, {"lastObservedTime", "2026-01-02T03:04:06.000000Z"}}}});
    EXPECT_EQ(Number(patched, "/series/count"), count);
  }
  EXPECT_EQ(CodeOf(Try({.verb = Verb::kMergePatch,
                        .resource = kEvents,
                        .name = "other.1",
                        .body = {{"series", {{"count", 2}}}}})),
            "NotFound");
}

// kubectl describe and kubectl get events read the old form of the same object.
TEST_F(EventTest, TheCoreGroupShowsIt) {
  Create(kEvents, Event());
  const Json old = Get({"", "v1", "Event", "events"}, "one.1");
  EXPECT_EQ(Text(old, "/apiVersion"), "v1");
  EXPECT_EQ(Text(old, "/message"), "every pod stands still");
  EXPECT_EQ(Text(old, "/involvedObject/name"), "one");
  EXPECT_EQ(Text(old, "/reason"), "Frozen");
  EXPECT_EQ(Text(old, "/reportingComponent"), "backups.example.com/stillpoint");
}

TEST_F(EventTest, IsFoundByItsObject) {
  Create(kEvents, Event());
  const Json old = Do({.verb = Verb::kList,
                       .resource = {"", "v1", "Event", "events"},
                       .field_selector = "involvedObject.name=one,involvedObject.uid=u1"});
  EXPECT_EQ(Elements(old, "/items").size(), 1U);
  const Json other = Do({.verb = Verb::kList,
                         .resource = {"", "v1", "Event", "events"},
                         .field_selector = "involvedObject.uid=u2"});
  EXPECT_THAT(Elements(other, "/items"), IsEmpty());
}

// kube/event_correlator.cc cuts to these lengths.
TEST_F(EventTest, HasItsLimits) {
  int made = 0;
  for (const auto& [field, size] :
       {std::pair("note", 1024), std::pair("action", 128), std::pair("reason", 128),
        std::pair("reportingInstance", 128)}) {
    Json event = Event("long" + std::to_string(++made));
    event.as_object()[field] = std::string(static_cast<std::size_t>(size), 'x');
    EXPECT_EQ(CodeOf(Try({.verb = Verb::kCreate, .resource = kEvents, .body = event})), "ok")
        << field;
    event.at("metadata").as_object()["name"] = "longer";
    event.as_object()[field] = std::string(static_cast<std::size_t>(size) + 1, 'x');
    EXPECT_EQ(CodeOf(Try({.verb = Verb::kCreate, .resource = kEvents, .body = event})), "Invalid")
        << field;
  }
}

TEST_F(EventTest, NeedsItsFields) {
  for (const char* field :
       {"eventTime", "reportingController", "reportingInstance", "action", "reason", "type"}) {
    Json event = Event();
    event.as_object().erase(field);
    EXPECT_EQ(CodeOf(Try({.verb = Verb::kCreate, .resource = kEvents, .body = event})), "Invalid")
        << field;
  }
}

// ---- access ------------------------------------------------------------------------------------

class AccessTest : public ContractTest {
 protected:
  Json Review(const boost::json::object& attributes) {
    return Create(api::SelfSubjectAccessReview::kResource,
                  Object(api::SelfSubjectAccessReview::kResource, "",
                         {{"spec", {{"resourceAttributes", attributes}}}}));
  }
};

TEST_F(AccessTest, AnAdministratorMayDoAnything) {
  const Json answer = Review(
      {{"verb", "create"}, {"resource", "pods"}, {"subresource", "exec"}, {"namespace", ns()}});
  EXPECT_TRUE(Flag(answer, "/status/allowed")) << ToText(answer);
  EXPECT_EQ(Text(answer, "/kind"), "SelfSubjectAccessReview");
}

TEST_F(AccessTest, TheHelperFindsNothingMissing) {
  auto missing = Await(kube::MissingRights(
      client(), {{.verb = "create", .resource = "pods", .subresource = "exec"},
                 {.verb = "list", .group = "backups.example.com", .resource = "volumebackups"}}));
  ASSERT_TRUE(missing);
  EXPECT_THAT(*missing, IsEmpty());
}

TEST_F(AccessTest, AReviewIsNotStored) {
  const Answer list = Send("GET", Path(api::SelfSubjectAccessReview::kResource));
  EXPECT_EQ(list.status, 405) << list.text;
}

TEST_F(AccessTest, AReviewNeedsAQuestion) {
  const Answer answer =
      Send("POST", Path(api::SelfSubjectAccessReview::kResource),
           Object(api::SelfSubjectAccessReview::kResource, "", {{"spec", boost::json::object()}}));
  EXPECT_EQ(answer.status, 422) << answer.text;
}

}  // namespace
}  // namespace stillpoint::contract
