#include "kube/informer.h"

#include "api/volume_backup.h"
#include "kube/task_group.h"
#include "unit/support/fake_api_server.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using api::Code;
using api::VolumeBackup;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const api::Error kReset{Code::kUnavailable, "connection reset"};
const api::Error kGone{Code::kExpired, "too old resource version"};

class InformerTest : public testing::Test {
 protected:
  InformerTest() { Make({}); }

  void Make(Informer<VolumeBackup>::Options options) {
    informer_.emplace(
        io_->get_executor(), server_, clock_,
        [this](Severity, std::string_view line) { log_.emplace_back(line); }, std::move(options));
    informer_->OnChange(
        [this](const api::NamespacedName& key, const VolumeBackup* old, const VolumeBackup* now) {
          changes_.push_back((!old ? "+" : !now ? "-" : "~") + key.name);
        });
  }

  void Start() {
    tasks_.Spawn("informer", informer_->Run());
    clock_.Settle();
  }

  void Put(const std::string& name, const std::string& target = "mysql") {
    VolumeBackup backup;
    backup.metadata.ns = "shop";
    backup.metadata.name = name;
    backup.metadata.labels["target"] = target;
    backup.spec.application_ref = target;
    server_.Put(backup);
    clock_.Settle();
  }

  void Remove(const std::string& name) {
    server_.Remove<VolumeBackup>({"shop", name});
    clock_.Settle();
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& backup : informer_->List()) names.push_back(backup->metadata.name);
    return names;
  }

  void ExpectEqualToServer() {
    const auto truth = server_.All<VolumeBackup>();
    ASSERT_THAT(Names(), SizeIs(truth.size()));
    for (const auto& backup : truth) {
      const auto cached = informer_->Get({backup.metadata.ns, backup.metadata.name});
      ASSERT_TRUE(cached) << backup.metadata.name;
      EXPECT_EQ(*cached, backup);
    }
  }

  int Lists() const { return server_.Count(Verb::kList, "volumebackups"); }

  // The tasks die with the loop, as in a crash.
  void TearDown() override { io_.reset(); }

  std::optional<asio::io_context> io_{std::in_place, 1};
  unit::FakeClock clock_{*io_};
  unit::FakeApiServer server_{clock_};
  std::vector<std::string> log_;
  std::vector<std::string> changes_;
  std::optional<Informer<VolumeBackup>> informer_;
  TaskGroup tasks_{io_->get_executor(), [](Severity, std::string_view) {}};
};

TEST_F(InformerTest, ListsThenWatches) {
  Put("a");
  EXPECT_FALSE(informer_->Synced());
  Start();
  EXPECT_TRUE(informer_->Synced());
  Put("b");
  Put("a", "postgres");
  Remove("b");
  EXPECT_THAT(changes_, ElementsAre("+a", "+b", "~a", "-b"));
  EXPECT_EQ(informer_->Get({"shop", "a"})->spec.application_ref, "postgres");
  EXPECT_EQ(informer_->Get({"shop", "b"}), nullptr);
  EXPECT_EQ(Lists(), 1);
}

TEST_F(InformerTest, ListsInPages) {
  Make({.page_size = 2});
  for (const char* name : {"a", "b", "c", "d", "e"}) Put(name);
  Start();
  EXPECT_THAT(Names(), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(Lists(), 3);
}

TEST_F(InformerTest, WaitSyncedWakes) {
  server_.FailNext(Verb::kList, "volumebackups", kReset);
  Start();
  EXPECT_FALSE(informer_->Synced());
  clock_.Run(informer_->WaitSynced());
  EXPECT_TRUE(informer_->Synced());
}

TEST_F(InformerTest, SelectorsAndNamespaceAreAskedFor) {
  Make({.ns = "shop", .label_selector = "target=mysql", .field_selector = "metadata.name!=x"});
  Put("a");
  Put("x");
  Put("p", "postgres");
  Start();
  EXPECT_THAT(Names(), ElementsAre("a"));
  Put("p", "mysql");
  Put("a", "postgres");
  EXPECT_THAT(Names(), ElementsAre("p"));
  EXPECT_THAT(informer_->List([](const VolumeBackup& b) { return b.metadata.name == "q"; }),
              IsEmpty());
}

TEST_F(InformerTest, RoutineEndOfAWatchResumesAtOnceWithoutAList) {
  Put("a");
  Start();
  clock_.Advance(451s);  // beyond any lifetime
  Put("b");
  EXPECT_EQ(Lists(), 1);
  EXPECT_THAT(server_.watches(), SizeIs(2));
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
}

TEST_F(InformerTest, ResumesFromABookmark) {
  Start();
  Put("a");
  clock_.Advance(2s);
  // Others move the version on; the bookmark lets the watch outlive a compaction.
  server_.Put([] {
    api::VolumeBackup other;
    other.metadata.ns = "elsewhere";
    other.metadata.name = "z";
    return other;
  }());
  server_.SendBookmarks();
  server_.Compact();
  clock_.Settle();
  server_.EndWatches("volumebackups", kReset);
  clock_.Settle();
  Put("b");
  EXPECT_EQ(Lists(), 1);
  EXPECT_THAT(Names(), ElementsAre("z", "a", "b"));
}

TEST_F(InformerTest, BookmarkIsNoObject) {
  Start();
  Put("a");
  server_.SendBookmarks();
  clock_.Settle();
  EXPECT_THAT(changes_, ElementsAre("+a"));
  EXPECT_EQ(informer_->stats().events, 1u);
}

TEST_F(InformerTest, ExpiredWatchListsAgainAndSeesTheDeletionsItMissed) {
  for (const char* name : {"a", "b", "c"}) Put(name);
  Start();
  clock_.Advance(2s);
  changes_.clear();
  server_.HoldWatches(true);
  Put("a", "postgres");
  Remove("b");
  Put("d");
  server_.EndWatches("volumebackups", kGone);
  server_.HoldWatches(false);
  server_.Compact();
  clock_.Advance(1s);
  EXPECT_EQ(Lists(), 2);
  ExpectEqualToServer();
  EXPECT_EQ(informer_->stats().expired, 1u);
}

TEST_F(InformerTest, EndlessExpiryBacksOff) {
  for (int i = 0; i < 100; ++i) server_.FailNextWatch("volumebackups", kGone);
  Start();
  clock_.Advance(120s);
  EXPECT_GT(Lists(), 5);
  EXPECT_LT(Lists(), 25) << "0.5, 1, 2, 4, 8, 10, 10 s ... and jitter";
}

// A life of an informer in which the n-th list, the n-th opening of a watch and every third stream
// fail, while the world goes on.
TEST_F(InformerTest, EveryDropPointHeals) {
  for (const auto& error : {kReset, kGone, api::Error{Code::kTimeout, "silent"}}) {
    for (int n = 0; n < 3; ++n) {
      SCOPED_TRACE(std::string(api::ToString(error.code)) + " at " + std::to_string(n));
      Make({.seed = static_cast<std::uint64_t>(n)});
      TaskGroup tasks(io_->get_executor(), [](Severity, std::string_view) {});
      tasks.Spawn("informer", informer_->Run());
      server_.FailNext(Verb::kList, "volumebackups", error,
                       unit::FakeApiServer::When::kBeforeEffect, n);
      server_.FailNextWatch("volumebackups", error, n);
      for (int i = 0; i < 12; ++i) {
        Put("b" + std::to_string(i % 5), "t" + std::to_string(i * n));
        if (i % 3 == 0) server_.EndWatches("", error);
        Remove("b" + std::to_string((i + 2) % 5));
        clock_.Advance(std::chrono::milliseconds(700 * (i % 4)));
      }
      clock_.Advance(1min);
      EXPECT_FALSE(informer_->Problem());
      ExpectEqualToServer();
      clock_.Run(tasks.Stop());
    }
  }
}

TEST_F(InformerTest, PageThatHasExpiredStartsTheListAgain) {
  Make({.page_size = 2});
  for (const char* name : {"a", "b", "c"}) Put(name);
  server_.FailNext(Verb::kList, "volumebackups", kGone, unit::FakeApiServer::When::kBeforeEffect,
                   1);
  Start();
  EXPECT_FALSE(informer_->Synced());
  EXPECT_THAT(Names(), IsEmpty()) << "half a list is no view";
  clock_.Advance(1s);
  EXPECT_EQ(informer_->size(), 3u);
}

TEST_F(InformerTest, MissingRightIsNamedOnceRetriedAndHealed) {
  Put("a");
  server_.Forbid("list", "volumebackups");
  Make({.ns = "shop"});
  Start();
  clock_.Advance(95s);
  EXPECT_FALSE(informer_->Synced());
  ASSERT_TRUE(informer_->Problem());
  EXPECT_EQ(informer_->Problem()->code, Code::kForbidden);
  EXPECT_THAT(informer_->Problem()->message,
              HasSubstr("cannot list volumebackups.backups.example.com in namespace shop: the "
                        "right to list it is missing"));
  EXPECT_THAT(log_, ElementsAre(informer_->Problem()->message));
  EXPECT_EQ(Lists(), 10) << "every 10 s";
  server_.Allow("list", "volumebackups");
  clock_.Advance(10s);
  EXPECT_TRUE(informer_->Synced());
  EXPECT_FALSE(informer_->Problem());
  EXPECT_THAT(log_, SizeIs(2));
}

TEST_F(InformerTest, AbsentResourceIsAConditionAndNoCrash) {
  server_.RemoveResource("volumebackups");
  Start();
  clock_.Advance(1min);
  ASSERT_TRUE(informer_->Problem());
  EXPECT_EQ(informer_->Problem()->code, Code::kNotFound);
  EXPECT_THAT(informer_->Problem()->message, HasSubstr("is its CRD installed?"));
  EXPECT_THAT(log_, SizeIs(1));
  server_.RestoreResource("volumebackups");
  clock_.Advance(10s);
  EXPECT_TRUE(informer_->Synced());
}

TEST_F(InformerTest, RightTakenAwayLaterIsAProblemUntilItIsBack) {
  Start();
  clock_.Advance(2s);
  server_.Forbid("watch", "volumebackups");
  server_.EndWatches("", kReset);
  clock_.Advance(30s);
  EXPECT_TRUE(informer_->Synced());
  ASSERT_TRUE(informer_->Problem());
  EXPECT_THAT(informer_->Problem()->message, HasSubstr("cannot watch volumebackups"));
  Put("a");
  EXPECT_THAT(Names(), IsEmpty());
  server_.Allow("watch", "volumebackups");
  clock_.Advance(10s);
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_FALSE(informer_->Problem());
}

TEST_F(InformerTest, ServersHintIsHonoured) {
  server_.FailNext(Verb::kList, "volumebackups", {Code::kTooManyRequests, "slow down", 20s});
  Start();
  clock_.Advance(19s);
  EXPECT_EQ(Lists(), 1);
  clock_.Advance(1s);
  EXPECT_EQ(Lists(), 2);
}

TEST_F(InformerTest, UndecodableObjectStopsNobody) {
  std::vector<std::string> bad;
  informer_->OnUndecodable([&](const Undecodable& object) {
    bad.push_back(object.key.name + ": " + object.error.message);
  });
  server_.PutJson(VolumeBackup::kResource, {{"metadata", {{"namespace", "shop"}, {"name", "bad"}}},
                                            {"spec", {{"maxFreeze", "5 parsecs"}}}});
  Put("good");
  Start();
  EXPECT_TRUE(informer_->Synced());
  EXPECT_THAT(Names(), ElementsAre("good"));
  EXPECT_THAT(bad, ElementsAre(HasSubstr("bad: spec.maxFreeze")));
  EXPECT_EQ(informer_->undecodable(), 1u);
}

TEST_F(InformerTest, OwnWriteIsReadBeforeTheWatchShowsIt) {
  Put("a");
  Start();
  server_.HoldWatches(true);
  const auto read = informer_->Get({"shop", "a"});
  auto written = server_.Change<VolumeBackup>({"shop", "a"}, [](auto& b) { b.spec.cancel = true; });
  EXPECT_TRUE(informer_->Observe(written, read->metadata.resource_version));
  EXPECT_TRUE(informer_->Get({"shop", "a"})->spec.cancel);
  EXPECT_FALSE(read->spec.cancel) << "what was handed out does not change";
  server_.HoldWatches(false);
  clock_.Settle();
  EXPECT_THAT(changes_, ElementsAre("+a", "~a"));
  ExpectEqualToServer();
}

TEST_F(InformerTest, OwnWriteDuringAListMakesItListAgain) {
  Put("a");
  Start();
  clock_.Advance(2s);
  bool written = false;
  server_.On(Verb::kList, "volumebackups", [&](const json::object&) {
    if (std::exchange(written, true)) return;
    const auto version = informer_->Get({"shop", "a"})->metadata.resource_version;
    auto now = server_.Change<VolumeBackup>({"shop", "a"}, [](auto& b) { b.spec.cancel = true; });
    EXPECT_TRUE(informer_->Observe(now, version));
  });
  server_.EndWatches("", kGone);
  clock_.Advance(1s);
  EXPECT_EQ(Lists(), 3);
  EXPECT_TRUE(informer_->Get({"shop", "a"})->spec.cancel);
}

TEST_F(InformerTest, StopsWhenCancelled) {
  Start();
  clock_.Run(tasks_.Stop());
  EXPECT_EQ(tasks_.size(), 0u);
}

}  // namespace
}  // namespace stillpoint::kube
