// What the model's API server does every day; the contract suite asks the same of a real one.
#include "sim/cluster/api_server.h"

#include "unit/sim/objects_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <string>
#include <vector>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;
using kube::Request;
using kube::Verb;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kThing[] = R"({"metadata":{"name":"a","namespace":"shop"},"spec":{"size":1}})";

class ApiServerTest : public ObjectsTest {
 protected:
  json::value Do(const Request& request) { return *server_.Answer(request).value(); }
  std::string WordOf(const Request& request) { return Word(server_.Answer(request)); }

  static Request AskStatus(const std::string& body) {
    Request request = Ask(Verb::kApply, body);
    request.subresource = "status";
    return request;
  }

  static std::string VersionOf(const json::value& object) {
    return object.at("metadata").at("resourceVersion").as_string().c_str();
  }

  [[nodiscard]] bool Exists() const {
    return server_.objects().Peek(kThings, {"shop", "a"}) != nullptr;
  }

  // Names.
  std::vector<std::string> Listed(const std::string& ns, const std::string& labels = "",
                                  const std::string& fields = "") {
    Request list = Ask(Verb::kList);
    list.ns = ns;
    list.label_selector = labels;
    list.field_selector = fields;
    std::vector<std::string> names;
    for (const auto& item : Do(list).at("items").as_array()) {
      names.emplace_back(item.at("metadata").at("name").as_string());
    }
    return names;
  }
};

TEST_F(ApiServerTest, CreateFillsInWhatIsTheServers) {
  const auto created = Do(Ask(Verb::kCreate, R"({"metadata":{"name":"a"},"spec":{"size":1},
                                                 "status":{"phase":"Done"}})"));
  const auto& metadata = created.at("metadata").as_object();
  EXPECT_EQ(metadata.at("namespace"), "shop");
  EXPECT_EQ(metadata.at("generation"), 1);
  EXPECT_EQ(metadata.at("creationTimestamp"), "2026-01-01T00:00:00Z");
  EXPECT_FALSE(metadata.at("uid").as_string().empty());
  EXPECT_FALSE(created.as_object().contains("status")) << "written through its subresource only";
  EXPECT_EQ(WordOf(Ask(Verb::kCreate, R"({"metadata":{"name":"a"}})")), "AlreadyExists");
  EXPECT_EQ(WordOf(Ask(Verb::kCreate, R"({"metadata":{"name":"No_Name"}})")), "Invalid");
}

TEST_F(ApiServerTest, GenerationCountsChangesOfTheSpecOnly) {
  Put(kThings, kThing);
  const auto labelled = Do(Ask(Verb::kMergePatch, R"({"metadata":{"labels":{"a":"b"}}})"));
  EXPECT_EQ(labelled.at("metadata").at("generation"), 1);
  const auto respecified = Do(Ask(Verb::kMergePatch, R"({"spec":{"size":2}})"));
  EXPECT_EQ(respecified.at("metadata").at("generation"), 2);
  const auto status = Do(AskStatus(R"({"status":{"phase":"Done"}})"));
  EXPECT_EQ(status.at("metadata").at("generation"), 2);
}

TEST_F(ApiServerTest, StatusAndTheRestAreWrittenApart) {
  Put(kThings, kThing);
  const auto by_status = Do(AskStatus(R"({"spec":{"size":2},"status":{"ready":"3/3"}})"));
  EXPECT_EQ(by_status.at("spec").at("size"), 1);
  EXPECT_EQ(by_status.at("status").at("ready"), "3/3");
  const auto by_main = Do(Ask(Verb::kMergePatch, R"({"status":{"ready":"0/3"}})"));
  EXPECT_EQ(by_main.at("status").at("ready"), "3/3");
}

TEST_F(ApiServerTest, StaleVersionConflicts) {
  const std::string first = VersionOf(Put(kThings, kThing));
  auto patch = Ask(Verb::kMergePatch, R"({"spec":{"size":2}})");
  patch.body.as_object()["metadata"] = {{"resourceVersion", first}};
  EXPECT_NE(VersionOf(Do(patch)), first);
  EXPECT_EQ(WordOf(patch), "Conflict");
}

TEST_F(ApiServerTest, WriteWithoutChangeIsNoNewVersion) {
  const std::string first = VersionOf(Put(kThings, kThing));
  EXPECT_EQ(VersionOf(Do(Ask(Verb::kMergePatch, R"({"spec":{"size":1}})"))), first);
}

TEST_F(ApiServerTest, FinalizerHoldsADeletedObject) {
  Put(kThings, R"({"metadata":{"name":"a","namespace":"shop","finalizers":["a/one"]}})");
  EXPECT_EQ(WordOf(Ask(Verb::kDelete)), "ok");
  EXPECT_TRUE(Thing().at("metadata").as_object().contains("deletionTimestamp"));
  EXPECT_EQ(WordOf(Ask(Verb::kMergePatch, R"({"metadata":{"finalizers":["a/one","b/two"]}})")),
            "Invalid");
  EXPECT_EQ(WordOf(Ask(Verb::kMergePatch, R"({"metadata":{"finalizers":null}})")), "ok");
  EXPECT_FALSE(Exists());
  EXPECT_EQ(WordOf(Ask(Verb::kDelete)), "NotFound");
}

TEST_F(ApiServerTest, DeletePreconditions) {
  const auto thing = Put(kThings, kThing);
  auto wrong = Ask(Verb::kDelete);
  wrong.precondition_uid = "another";
  EXPECT_EQ(WordOf(wrong), "Conflict");
  auto stale = Ask(Verb::kDelete);
  stale.precondition_resource_version = "1";
  EXPECT_EQ(WordOf(stale), "Conflict");
  auto right = Ask(Verb::kDelete);
  right.precondition_uid = thing.at("metadata").at("uid").as_string().c_str();
  EXPECT_EQ(WordOf(right), "ok");
}

TEST_F(ApiServerTest, DryRunChangesNothing) {
  auto request = Ask(Verb::kCreate, R"({"metadata":{"name":"a"}})");
  request.dry_run = true;
  EXPECT_EQ(WordOf(request), "ok");
  EXPECT_FALSE(Exists());
}

TEST_F(ApiServerTest, ApplyRemovesWhatItHadAppliedAndLeavesTheRest) {
  Put(kThings, kThing);
  ASSERT_EQ(WordOf(AskStatus(R"({"status":{"phase":"Frozen","ready":"1/3",
      "conditions":[{"type":"Cut","status":"True"},{"type":"Ready","status":"False"}]}})")),
            "ok");
  ASSERT_EQ(WordOf(Ask(Verb::kApply, R"({"metadata":{"labels":{"mine":"1"}}})")), "ok");
  ASSERT_EQ(WordOf(Ask(Verb::kMergePatch, R"({"metadata":{"labels":{"theirs":"1"}}})")), "ok");
  const auto status =
      Do(AskStatus(R"({"status":{"phase":"Cut","conditions":[{"type":"Ready"}]}})"));
  EXPECT_EQ(status.at("status"), json::parse(R"({"phase":"Cut","conditions":[{"type":"Ready"}]})"));
  const auto labels = Do(Ask(Verb::kApply, R"({"metadata":{"annotations":{"mine":"1"}}})"));
  EXPECT_EQ(labels.at("metadata").at("labels"), json::parse(R"({"theirs":"1"})"));
  auto absent = AskStatus(R"({"status":{}})");
  absent.name = "absent";
  EXPECT_EQ(WordOf(absent), "NotFound");
  absent.subresource = "";
  EXPECT_EQ(WordOf(absent), "ok") << "an apply of the object itself creates it";
}

TEST_F(ApiServerTest, ListSelects) {
  for (const std::string name : {"c", "a", "b"}) {
    Put(kThings, R"({"metadata":{"name":")" + name + R"(","namespace":"shop","labels":{"tier":")" +
                     name + R"("}}})");
  }
  EXPECT_THAT(Listed("shop"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Listed("other"), IsEmpty());
  EXPECT_THAT(Listed("shop", "tier in (a,c),tier!=c,tier"), ElementsAre("a"));
  EXPECT_THAT(Listed("shop", "!tier"), IsEmpty());
  EXPECT_THAT(Listed("shop", "", "metadata.name=b"), ElementsAre("b"));
  EXPECT_THAT(Listed("shop", "", "metadata.name!=b"), ElementsAre("a", "c"));
  Request list = Ask(Verb::kList);
  list.field_selector = "spec.size=1";
  EXPECT_EQ(WordOf(list), "Invalid");
}

TEST_F(ApiServerTest, PagesAreOneInstant) {
  for (const std::string name : {"a", "b", "c"}) {
    Put(kThings, R"({"metadata":{"namespace":"shop","name":")" + name + R"("}})");
  }
  Request page = Ask(Verb::kList);
  page.limit = 2;
  const auto first = Do(page);
  EXPECT_EQ(first.at("items").as_array().size(), 2u);
  page.continue_token = first.at("metadata").at("continue").as_string().c_str();
  server_.objects().Remove(kThings, {"shop", "c"});
  EXPECT_EQ(Do(page).at("items").as_array().size(), 1u);
  EXPECT_EQ(WordOf(page), "Expired");
}

TEST_F(ApiServerTest, RightsAndKindsCanBeMissing) {
  Put(kThings, kThing);
  server_.Forbid("get", "things");
  EXPECT_EQ(WordOf(Ask(Verb::kGet)), "Forbidden");
  server_.Allow("get", "things");
  EXPECT_EQ(WordOf(Ask(Verb::kGet)), "ok");
  server_.RemoveResource("things");
  EXPECT_EQ(WordOf(Ask(Verb::kGet)), "NotFound");
}

}  // namespace
}  // namespace stillpoint::sim
