// The fake is trusted by every controller test, so its own promises are tested like a product's.
#include "unit/support/fake_api_server.h"

#include "api/coordination.h"
#include "api/core.h"
#include "api/volume_backup.h"
#include "sim/cluster/patch.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::unit {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using api::Code;
using api::VolumeBackup;
using kube::Request;
using kube::Verb;
using testing::ElementsAre;

const api::NamespacedName kKey{"shop", "nightly"};

VolumeBackup Nightly() {
  VolumeBackup backup;
  backup.metadata.name = kKey.name;
  backup.metadata.ns = kKey.ns;
  backup.spec.application_ref = "mysql";
  return backup;
}

class FakeApiServerTest : public testing::Test {
 protected:
  static Request Ask(Verb verb, const std::string& body = "") {
    Request request;
    request.verb = verb;
    request.resource = VolumeBackup::kResource;
    request.ns = kKey.ns;
    request.name = kKey.name;
    if (!body.empty()) request.body = json::parse(body);
    return request;
  }

  api::Result<json::value> Do(Request request) {
    return clock_.Run(server_.Do(std::move(request)));
  }

  static std::string VersionOf(const json::value& object) {
    return object.at("metadata").at("resourceVersion").as_string().c_str();
  }

  Code Fails(Request request) {
    auto result = Do(std::move(request));
    return result ? Code::kUnknown : result.error().code;
  }

  api::Result<json::value> Status(const std::string& body) {
    auto request = Ask(Verb::kApply, body);
    request.subresource = "status";
    return Do(std::move(request));
  }

  void TearDown() override { io_.reset(); }

  std::optional<asio::io_context> io_{std::in_place, 1};
  FakeClock clock_{*io_};
  FakeApiServer server_{clock_};
};

TEST_F(FakeApiServerTest, CreateFillsInWhatIsTheServers) {
  auto created = Do(Ask(Verb::kCreate, R"({"metadata":{"name":"nightly"},"spec":{"a":1},
                                          "status":{"phase":"Completed"}})"));
  ASSERT_TRUE(created) << created.error().message;
  const auto& metadata = created->at("metadata").as_object();
  EXPECT_EQ(metadata.at("namespace"), "shop");
  EXPECT_EQ(metadata.at("generation"), 1);
  EXPECT_EQ(metadata.at("creationTimestamp"), "2026-01-01T00:00:00Z");
  EXPECT_FALSE(metadata.at("uid").as_string().empty());
  EXPECT_FALSE(created->as_object().contains("status")) << "written through its subresource only";
  EXPECT_EQ(Fails(Ask(Verb::kCreate, R"({"metadata":{"name":"nightly"}})")), Code::kAlreadyExists);
  EXPECT_EQ(Fails(Ask(Verb::kCreate, R"({"metadata":{"name":"No_Name"}})")), Code::kInvalid);
}

TEST_F(FakeApiServerTest, GenerationCountsChangesOfTheSpecOnly) {
  server_.Put(Nightly());
  auto labelled = Do(Ask(Verb::kMergePatch, R"({"metadata":{"labels":{"a":"b"}}})"));
  EXPECT_EQ(labelled->at("metadata").at("generation"), 1);
  auto respecified = Do(Ask(Verb::kMergePatch, R"({"spec":{"cancel":true}})"));
  EXPECT_EQ(respecified->at("metadata").at("generation"), 2);
  auto status = Status(R"({"status":{"phase":"Frozen"}})");
  EXPECT_EQ(status->at("metadata").at("generation"), 2);
}

TEST_F(FakeApiServerTest, StatusAndTheRestAreWrittenApart) {
  server_.Put(Nightly());
  auto by_status = Status(R"({"spec":{"cancel":true},"status":{"volumesReady":"3/3"}})");
  EXPECT_EQ(by_status->at("spec").at("cancel"), false);
  EXPECT_EQ(by_status->at("status").at("volumesReady"), "3/3");
  auto by_main = Do(Ask(Verb::kMergePatch, R"({"status":{"volumesReady":"0/3"}})"));
  EXPECT_EQ(by_main->at("status").at("volumesReady"), "3/3");
}

TEST_F(FakeApiServerTest, StaleVersionConflicts) {
  const auto first = server_.Put(Nightly());
  auto patch = Ask(Verb::kMergePatch, R"({"spec":{"cancel":true}})");
  patch.body.as_object()["metadata"] = {{"resourceVersion", first.metadata.resource_version}};
  auto patched = Do(patch);
  ASSERT_TRUE(patched) << patched.error().message;
  EXPECT_NE(VersionOf(*patched), first.metadata.resource_version);
  EXPECT_EQ(Fails(patch), Code::kConflict);
  patch.body.as_object()["metadata"] = {{"uid", "another"}};
  EXPECT_EQ(Fails(patch), Code::kInvalid);  // "field is immutable", as the real one says it
}

TEST_F(FakeApiServerTest, WriteWithoutChangeIsNoNewVersion) {
  const auto first = server_.Put(Nightly());
  auto same = Do(Ask(Verb::kMergePatch, R"({"spec":{"applicationRef":"mysql"}})"));
  EXPECT_EQ(VersionOf(*same), first.metadata.resource_version);
}

TEST_F(FakeApiServerTest, FinalizerHoldsADeletedObject) {
  auto backup = Nightly();
  backup.metadata.finalizers = {"a/one"};
  server_.Put(backup);
  EXPECT_TRUE(Do(Ask(Verb::kDelete)));
  EXPECT_TRUE(server_.Get<VolumeBackup>(kKey).metadata.deletion_timestamp);
  EXPECT_EQ(Fails(Ask(Verb::kMergePatch, R"({"metadata":{"finalizers":["a/one","b/two"]}})")),
            Code::kInvalid);
  EXPECT_TRUE(Do(Ask(Verb::kMergePatch, R"({"metadata":{"finalizers":null}})")));
  EXPECT_FALSE(server_.Exists<VolumeBackup>(kKey));
  EXPECT_EQ(Fails(Ask(Verb::kDelete)), Code::kNotFound);
}

TEST_F(FakeApiServerTest, DeletePreconditions) {
  const auto backup = server_.Put(Nightly());
  auto wrong = Ask(Verb::kDelete);
  wrong.precondition_uid = "another";
  EXPECT_EQ(Fails(wrong), Code::kConflict);
  auto stale = Ask(Verb::kDelete);
  stale.precondition_resource_version = "1";
  EXPECT_EQ(Fails(stale), Code::kConflict);
  auto right = Ask(Verb::kDelete);
  right.precondition_uid = backup.metadata.uid;
  EXPECT_TRUE(Do(right));
}

TEST_F(FakeApiServerTest, DryRunChangesNothing) {
  auto request = Ask(Verb::kCreate, R"({"metadata":{"name":"nightly"}})");
  request.dry_run = true;
  EXPECT_TRUE(Do(request));
  EXPECT_FALSE(server_.Exists<VolumeBackup>(kKey));
}

TEST_F(FakeApiServerTest, ApplyRemovesWhatItHadAppliedAndLeavesTheRest) {
  server_.Put(Nightly());
  ASSERT_TRUE(Status(R"({"status":{"phase":"Frozen","volumesReady":"1/3",
      "conditions":[{"type":"Cut","status":"True"},{"type":"Ready","status":"False"}]}})"));
  ASSERT_TRUE(Do(Ask(Verb::kApply, R"({"metadata":{"labels":{"mine":"1"}}})")));
  ASSERT_TRUE(Do(Ask(Verb::kMergePatch, R"({"metadata":{"labels":{"theirs":"1"}}})")));
  auto status = Status(R"({"status":{"phase":"Cut","conditions":[{"type":"Ready"}]}})");
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->at("status"), json::parse(R"({"phase":"Cut","observedGeneration":0,
                                                  "conditions":[{"type":"Ready"}]})"));
  auto labels = Do(Ask(Verb::kApply, R"({"metadata":{"annotations":{"mine":"1"}}})"));
  EXPECT_EQ(labels->at("metadata").at("labels"), json::parse(R"({"theirs":"1"})"));
  auto absent = Ask(Verb::kApply, R"({"status":{}})");
  absent.name = "absent";
  absent.subresource = "status";
  EXPECT_EQ(Fails(absent), Code::kNotFound);
  absent.subresource = "";
  EXPECT_TRUE(Do(absent)) << "an apply of the object itself creates it";
}

TEST_F(FakeApiServerTest, ListSelectsAndPages) {
  for (const char* name : {"c", "a", "b"}) {
    auto backup = Nightly();
    backup.metadata.name = name;
    backup.metadata.labels["tier"] = name;
    server_.Put(backup);
  }
  const auto names = [&](kube::ListOptions options) {
    std::vector<std::string> found;
    auto list = clock_.Run(kube::List<VolumeBackup>(server_, std::move(options)));
    for (const auto& item : list.value().items) found.push_back(item.metadata.name);
    return found;
  };
  EXPECT_THAT(names({.ns = "shop"}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(names({.ns = "other"}), ElementsAre());
  EXPECT_THAT(names({.label_selector = "tier in (a,c),tier!=c,tier"}), ElementsAre("a"));
  EXPECT_THAT(names({.label_selector = "!tier"}), ElementsAre());
  EXPECT_THAT(names({.field_selector = "metadata.name=b"}), ElementsAre("b"));
  EXPECT_THAT(names({.field_selector = "metadata.name!=b"}), ElementsAre("a", "c"));

  auto page = Ask(Verb::kList);
  page.limit = 2;
  auto first = Do(page);
  EXPECT_EQ(first->at("items").as_array().size(), 2u);
  page.continue_token = first->at("metadata").at("continue").as_string().c_str();
  server_.Remove<VolumeBackup>({"shop", "c"});
  auto second = Do(page);
  EXPECT_EQ(second->at("items").as_array().size(), 1u) << "a list is one instant";
  EXPECT_EQ(Fails(page), Code::kExpired);
  page.field_selector = "spec.cancel=true";
  page.continue_token = "";
  EXPECT_EQ(Fails(page), Code::kInvalid);
}

TEST_F(FakeApiServerTest, FaultsBeforeAndAfterTheEffect) {
  const api::Error lost{Code::kUnavailable, "connection reset"};
  server_.FailNext(Verb::kCreate, "volumebackups", lost, FakeApiServer::When::kAfterEffect);
  EXPECT_EQ(Fails(Ask(Verb::kCreate, R"({"metadata":{"name":"nightly"}})")), Code::kUnavailable);
  EXPECT_TRUE(server_.Exists<VolumeBackup>(kKey));
  server_.FailNext(Verb::kDelete, "volumebackups", lost);
  server_.FailNext(Verb::kGet, "volumebackups", lost, FakeApiServer::When::kBeforeEffect, 1);
  EXPECT_EQ(Fails(Ask(Verb::kDelete)), Code::kUnavailable);
  EXPECT_TRUE(Do(Ask(Verb::kGet)));
  EXPECT_EQ(Fails(Ask(Verb::kGet)), Code::kUnavailable);
  EXPECT_TRUE(Do(Ask(Verb::kGet)));
  server_.Forbid("get", "volumebackups");
  EXPECT_EQ(Fails(Ask(Verb::kGet)), Code::kForbidden);
  server_.RemoveResource("volumebackups");
  EXPECT_EQ(Fails(Ask(Verb::kGet)), Code::kNotFound);
}

TEST_F(FakeApiServerTest, CallbacksPlayTheOtherControllers) {
  server_.On(Verb::kCreate, "volumebackups", [&](const json::value& object) {
    server_.Change<VolumeBackup>(kKey, [](VolumeBackup& b) { b.status.volumes_ready = "1/1"; });
    EXPECT_EQ(object.at("metadata").at("name"), "nightly");
  });
  ASSERT_TRUE(Do(Ask(Verb::kCreate, R"({"metadata":{"name":"nightly"}})")));
  EXPECT_EQ(server_.Get<VolumeBackup>(kKey).status.volumes_ready, "1/1");
}

// ---- watches ----

class FakeWatchTest : public FakeApiServerTest {
 protected:
  void Open(kube::WatchRequest request) {
    request.resource = VolumeBackup::kResource;
    auto stream = clock_.Run(server_.Watch(std::move(request)));
    ASSERT_TRUE(stream) << stream.error().message;
    stream_ = std::move(*stream);
  }

  // "ADDED nightly", or the code of the error.
  std::string Next() {
    auto event = clock_.Run(stream_->Next());
    if (!event) return api::ToString(event.error().code);
    constexpr const char* kWords[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
    std::string text = kWords[static_cast<int>(event->type)];
    const auto& metadata = event->object.at("metadata").as_object();
    if (metadata.contains("name"))
      text += std::string(" ") + metadata.at("name").as_string().c_str();
    return text;
  }

  std::string Version() {
    return clock_.Run(kube::List<VolumeBackup>(server_, {})).value().resource_version;
  }

  void Label(const std::string& value) {
    server_.Change<VolumeBackup>(kKey, [&](auto& b) { b.metadata.labels["tier"] = value; });
  }

  // A stream belongs to its loop, as its reader does.
  void TearDown() override {
    stream_.reset();
    FakeApiServerTest::TearDown();
  }

  std::unique_ptr<kube::WatchStream> stream_;
};

TEST_F(FakeWatchTest, ShowsEveryChangeAfterAVersionInOrder) {
  const std::string version = Version();
  server_.Put(Nightly());
  Label("a");
  server_.SendBookmarks();
  server_.Remove<VolumeBackup>(kKey);
  Open({.resource_version = version});
  EXPECT_EQ(Next(), "ADDED nightly");
  EXPECT_EQ(Next(), "MODIFIED nightly");
  EXPECT_EQ(Next(), "BOOKMARK");
  EXPECT_EQ(Next(), "DELETED nightly");
  EXPECT_EQ(Next(), "Unavailable") << "the server ends a watch at its lifetime";
}

TEST_F(FakeWatchTest, SelectorTurnsAChangeIntoComingAndGoing) {
  server_.Put(Nightly());
  Open({.label_selector = "tier=a", .resource_version = Version()});
  Label("a");
  Label("b");
  EXPECT_EQ(Next(), "ADDED nightly");
  EXPECT_EQ(Next(), "DELETED nightly");
}

TEST_F(FakeWatchTest, WithoutAVersionBeginsWithWhatIsThere) {
  server_.Put(Nightly());
  Open({});
  EXPECT_EQ(Next(), "ADDED nightly");
  Label("a");
  EXPECT_EQ(Next(), "MODIFIED nightly");
}

TEST_F(FakeWatchTest, CompactedVersionIsExpired) {
  const std::string version = Version();
  server_.Put(Nightly());
  server_.Compact();
  auto stream =
      clock_.Run(server_.Watch({.resource = VolumeBackup::kResource, .resource_version = version}));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, Code::kExpired);
}

TEST_F(FakeWatchTest, EndDeliversWhatIsDueFirst) {
  Open({.resource_version = Version()});
  server_.Put(Nightly());
  server_.EndWatches("volumebackups", {Code::kExpired, "too old"});
  EXPECT_EQ(Next(), "ADDED nightly");
  EXPECT_EQ(Next(), "Expired");
}

TEST_F(FakeWatchTest, HeldWatchesLag) {
  Open({.resource_version = Version()});
  server_.HoldWatches(true);
  server_.Put(Nightly());
  EXPECT_THROW(std::ignore = clock_.Run(stream_->Next(), 1s), std::logic_error);
}

}  // namespace
}  // namespace stillpoint::unit
