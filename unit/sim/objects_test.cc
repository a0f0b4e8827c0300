// What the model's API server does beyond the everyday of api_server_test.cc; the contract suite
// asks the same of a real one.
#include "sim/cluster/objects.h"

#include "sim/cluster/same.h"
#include "unit/sim/objects_fixture.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;
using api::Code;
using kube::Request;
using kube::Verb;

constexpr api::Resource kPods{"", "v1", "Pod", "pods"};
constexpr api::Resource kNamespaces{"", "v1", "Namespace", "namespaces", false};
constexpr api::Resource kLeases{"coordination.k8s.io", "v1", "Lease", "leases"};

TEST_F(ObjectsTest, WhatAnotherManagerHasAppliedIsAConflictUnlessForced) {
  EXPECT_EQ(Apply(R"({"spec":{"size":1,"ours":1}})", "us"), "ok");
  EXPECT_EQ(Apply(R"({"spec":{"size":1}})", "them"), "ok");
  EXPECT_EQ(Apply(R"({"spec":{"size":2}})", "them"), "Conflict");
  EXPECT_EQ(Apply(R"({"spec":{"size":2}})", "them", true), "ok");
  EXPECT_EQ(Apply(R"({"spec":{"ours":1}})", "us"), "ok");
  EXPECT_EQ(Thing().at("spec"), json::parse(R"({"size":2,"ours":1})"));
}

TEST_F(ObjectsTest, AnUpdateReplacesAllButTheStatusAndNeedsAVersion) {
  auto object = Put(kThings, R"({"metadata":{"name":"a","namespace":"shop"},"spec":{"x":1},
      "status":{"s":1}})");
  EXPECT_EQ(Word(server_.Update(Ask(Verb::kGet, R"({"metadata":{"name":"a"},"spec":{"y":2}})"))),
            "Invalid");
  object.as_object()["spec"] = json::parse(R"({"y":2})");
  object.as_object().erase("status");
  Request update = Ask(Verb::kGet, "{}");
  update.body = object;
  EXPECT_EQ(Word(server_.Update(update)), "ok");
  EXPECT_EQ(Thing().at("spec"), json::parse(R"({"y":2})"));
  EXPECT_EQ(Thing().at("status"), json::parse(R"({"s":1})"));
  EXPECT_EQ(Thing().at("metadata").at("generation"), 2);
  EXPECT_EQ(Word(server_.Update(update)), "Conflict");
}

TEST_F(ObjectsTest, APodWaitsForItsKubelet) {
  Put(kPods, R"({"metadata":{"name":"a","namespace":"shop"},"spec":{"nodeName":"n"}})");
  ASSERT_EQ(Word(server_.Answer(Ask(Verb::kDelete, "null", kPods))), "ok");
  const auto terminating = server_.objects().Peek(kPods, {"shop", "a"});
  ASSERT_TRUE(terminating);
  EXPECT_EQ(terminating->at("metadata").at("deletionGracePeriodSeconds"), 30);
  ASSERT_EQ(Word(server_.Answer(Ask(Verb::kDelete, R"({"gracePeriodSeconds":0})", kPods))), "ok");
  EXPECT_FALSE(server_.objects().Peek(kPods, {"shop", "a"}));
}

TEST_F(ObjectsTest, APodWithoutAKubeletGoesAtOnce) {
  for (const char* rest :
       {R"("spec":{})", R"("spec":{"nodeName":"n"},"status":{"phase":"Failed"})"}) {
    Put(kPods, std::string(R"({"metadata":{"name":"a","namespace":"shop"},)") + rest + "}");
    ASSERT_EQ(Word(server_.Answer(Ask(Verb::kDelete, "null", kPods))), "ok");
    EXPECT_FALSE(server_.objects().Peek(kPods, {"shop", "a"})) << rest;
  }
}

TEST_F(ObjectsTest, AnotherUidMeansWhatItMeansToTheKindOfWrite) {
  Put(kThings, R"({"metadata":{"name":"a","namespace":"shop"}})");
  const std::string body = R"({"metadata":{"uid":"other"},"status":{"s":1}})";
  EXPECT_EQ(Word(server_.Answer(Ask(Verb::kMergePatch, body))), "Invalid");
  EXPECT_EQ(Word(server_.Answer(Ask(Verb::kApply, body))), "Conflict");
  Request status = Ask(Verb::kApply, body);
  status.subresource = "status";
  EXPECT_EQ(Word(server_.Answer(status)), "ok");
}

TEST_F(ObjectsTest, TheClusterEditsAnyPartOfAnObject) {
  Put(kThings, R"({"metadata":{"name":"a","namespace":"shop","finalizers":["f"]},"spec":{}})");
  int changes = 0;
  server_.objects().OnChange([&](const api::Resource&, const Change&) { ++changes; });
  auto& objects = server_.objects();
  const api::NamespacedName key{"shop", "a"};
  EXPECT_TRUE(objects.Edit(kThings, key, [](json::object& o) { o["status"] = "s"; }));
  EXPECT_TRUE(objects.Edit(kThings, key, [](json::object&) {}));
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(Word(server_.Answer(Ask(Verb::kDelete))), "ok");
  EXPECT_TRUE(
      objects.Edit(kThings, key, [](json::object& o) { MetadataOf(o).erase("finalizers"); }));
  EXPECT_FALSE(objects.Peek(kThings, key));
  EXPECT_FALSE(objects.Edit(kThings, key, [](json::object&) {}));
  EXPECT_EQ(changes, 3);
}

TEST_F(ObjectsTest, ANamespaceMustBeThereAndStay) {
  const std::string body = R"({"metadata":{"name":"a"}})";
  server_.objects().RequireNamespaces();
  EXPECT_EQ(Word(server_.Answer(Ask(Verb::kCreate, body))), "NotFound");
  Put(kNamespaces, R"({"metadata":{"name":"shop","finalizers":["kubernetes"]}})");
  Request gone = Ask(Verb::kDelete, "null", kNamespaces);
  gone.name = "shop";
  ASSERT_EQ(Word(server_.Answer(gone)), "ok");
  EXPECT_EQ(Word(server_.Answer(Ask(Verb::kCreate, body))), "Forbidden");
}

TEST_F(ObjectsTest, AdmissionMayDefaultAndRefuse) {
  server_.objects().SetAdmission([](const Admission& write) -> api::Result<void> {
    if (write.before) return api::Error{Code::kInvalid, "immutable"};
    write.object["spec"] = json::parse(R"({"size":1})");
    return {};
  });
  EXPECT_EQ(Word(server_.Answer(Ask(Verb::kCreate, R"({"metadata":{"name":"a"}})"))), "ok");
  EXPECT_EQ(Thing().at("spec").at("size"), 1);
  EXPECT_EQ(Word(server_.Answer(Ask(Verb::kMergePatch, R"({"spec":{}})"))), "Invalid");
}

TEST_F(ObjectsTest, SomeKindsHaveNoGeneration) {
  const auto lease = Put(kLeases, R"({"metadata":{"name":"a","namespace":"shop"}})");
  EXPECT_FALSE(lease.at("metadata").as_object().contains("generation"));
}

TEST_F(ObjectsTest, AWatchThatFallsBehindTheHistoryExpires) {
  server_.objects().KeepHistory(2);
  auto cursor = server_.OpenWatch({.resource = kThings});
  ASSERT_TRUE(cursor);
  const std::string start = std::to_string(server_.objects().resource_version());
  for (int i = 0; i < 2; ++i) Put(kThings, R"({"metadata":{"name":"a","namespace":"shop"}})");
  auto first = cursor->Take();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->Event().type, kube::WatchEvent::Type::kAdded);
  for (int i = 0; i < 2; ++i) Put(kThings, R"({"metadata":{"name":"a","namespace":"shop"}})");
  const auto behind = cursor->Take();
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.error().code, Code::kExpired);
  const auto resumed = server_.OpenWatch({.resource = kThings, .resource_version = start});
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().code, Code::kExpired);
}

TEST_F(ObjectsTest, PagesCanBeShorterThanAsked) {
  for (const char* name : {"a", "b", "c"}) {
    Put(kThings, std::string(R"({"metadata":{"namespace":"shop","name":")") + name + "\"}}");
  }
  server_.SetPageLimit(1);
  Request list = Ask(Verb::kList);
  list.limit = 500;
  int pages = 0;
  do {
    const auto page = server_.Answer(list);
    ASSERT_TRUE(page);
    ++pages;
    const auto* next = (*page)->at("metadata").as_object().if_contains("continue");
    list.continue_token = next ? next->as_string().c_str() : "";
  } while (!list.continue_token.empty());
  EXPECT_EQ(pages, 3);
}

TEST(SameTest, OrderOfMembersIsNoPartOfIt) {
  const json::value value = json::parse(R"({"a":[1,{"b":null,"c":"x"}],"d":2})");
  for (const char* same :
       {R"({"a":[1,{"b":null,"c":"x"}],"d":2})", R"({"d":2,"a":[1,{"c":"x","b":null}]})"}) {
    EXPECT_TRUE(IsSame(value, json::parse(same))) << same;
  }
  for (const char* other :
       {R"({"a":[1,{"b":null,"c":"y"}],"d":2})", R"({"a":[{"b":null,"c":"x"},1],"d":2})",
        R"({"a":[1,{"b":null,"c":"x"}],"e":2})", R"({"a":[1,{"b":null,"c":"x"}]})", "[]"}) {
    EXPECT_FALSE(IsSame(value, json::parse(other))) << other;
  }
}

// ---- a watch cache that lags --------------------------------------------------------------------

class OldListTest : public ObjectsTest {
 protected:
  // "a" is new, then "b" comes, then "a" is old and "b" goes.
  OldListTest() {
    for (const char* body : {R"({"metadata":{"name":"a","namespace":"shop"},"word":"new"})",
                             R"({"metadata":{"name":"b","namespace":"shop"},"word":"new"})",
                             R"({"metadata":{"name":"a","namespace":"shop"},"word":"old"})"}) {
      Put(kThings, body);
      versions_.push_back(server_.objects().resource_version());
    }
    EXPECT_TRUE(server_.objects().Remove(kThings, {"shop", "b"}));
  }

  // "name=word" of each, and the version of the list; or the word of the error.
  [[nodiscard]] std::string List(const std::string& asked, std::uint64_t cached) {
    Request request = Ask(Verb::kList, "null");
    request.resource_version = asked;
    const auto list = server_.Answer(request, "test", cached);
    if (!list) return Word(list);
    std::string text;
    for (const auto& item : (*list)->at("items").as_array()) {
      text += item.at("metadata").at("name").as_string();
      text += item.at("word").as_string() == "new" ? "=new " : "=old ";
    }
    return text + (*list)->at("metadata").at("resourceVersion").as_string().c_str();
  }

  [[nodiscard]] std::string At(std::size_t change) const {
    return std::to_string(versions_[change]);
  }

  std::vector<std::uint64_t> versions_;
};

TEST_F(OldListTest, WhoNamesNoVersionGetsTheNewest) {
  const std::string newest = "a=old " + std::to_string(server_.objects().resource_version());
  EXPECT_EQ(List("", versions_[0]), newest);
  EXPECT_EQ(List("0", WatchCursor::kAll), newest);
}

TEST_F(OldListTest, WhoAsksForAnyGetsWhatTheCacheHas) {
  EXPECT_EQ(List("0", versions_[0]), "a=new " + At(0));
  EXPECT_EQ(List("0", versions_[1]), "a=new b=new " + At(1));
  EXPECT_EQ(List("0", versions_[2]), "a=old b=new " + At(2));
}

TEST_F(OldListTest, NothingIsOlderThanWhatWasAskedFor) {
  EXPECT_EQ(List(At(1), versions_[0]), "a=new b=new " + At(1));
  EXPECT_EQ(List(At(0), versions_[2]), "a=old b=new " + At(2));
}

TEST_F(OldListTest, AWatchGoesOnFromAnOldList) {
  const auto cursor = server_.OpenWatch({.resource = kThings, .resource_version = At(1)});
  ASSERT_TRUE(cursor);
  WatchCursor rest = *cursor;
  const auto changed = rest.Take();
  ASSERT_TRUE(changed && *changed);
  EXPECT_EQ((*changed)->type, kube::WatchEvent::Type::kModified);
  const auto gone = rest.Take();
  ASSERT_TRUE(gone && *gone);
  EXPECT_EQ((*gone)->type, kube::WatchEvent::Type::kDeleted);
}

TEST_F(OldListTest, WhatIsForgottenIsNotServed) {
  server_.objects().KeepHistory(1);
  Put(kThings, R"({"metadata":{"name":"c","namespace":"shop"},"word":"new"})");
  EXPECT_EQ(List("0", versions_[0]), "a=old " + std::to_string(versions_[2] + 1));
}

}  // namespace
}  // namespace stillpoint::sim
