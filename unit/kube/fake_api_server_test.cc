// What the fake puts around the model's API server: faults, callbacks, watches as streams.
#include "unit/support/fake_api_server.h"

#include "api/volume_backup.h"
#include "unit/support/fake_clock.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <memory>
#include <optional>
#include <string>

namespace stillpoint::unit {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using api::Code;
using api::VolumeBackup;
using kube::Request;
using kube::Verb;

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

  api::Result<kube::Answer> Do(Request request) {
    return clock_.Run(server_.Do(std::move(request)));
  }

  Code Fails(Request request) {
    auto result = Do(std::move(request));
    return result ? Code::kUnknown : result.error().code;
  }

  void TearDown() override { io_.reset(); }

  std::optional<asio::io_context> io_{std::in_place, 1};
  FakeClock clock_{*io_};
  FakeApiServer server_{clock_};
};

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
}

TEST_F(FakeApiServerTest, CallbacksRunBeforeTheAnswer) {
  server_.On(Verb::kCreate, "volumebackups", [&](const json::object& object) {
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
    const auto& metadata = event->object->at("metadata").as_object();
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
