#include "kube/http_watch.h"

#include "unit/support/http_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

namespace stillpoint::kube {
namespace {

using namespace std::chrono_literals;
using api::Code;
using testing::HasSubstr;
using unit::CloseTls;
using unit::Cut;
using unit::HttpAnswer;
using unit::Read;
using unit::Write;

const std::string kHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string Chunk(const std::string& text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

std::string Event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

std::string Numbered(int number) {
  return R"({"number":)" + std::to_string(number) + "}";
}

class HttpWatchTest : public unit::HttpFixture {
 protected:
  api::Result<std::unique_ptr<WatchStream>> Open() {
    return Finish(Spawn(client_->Watch({.resource = unit::kPods, .ns = "shop"})));
  }

  // Serves the steps after the head and opens the watch.
  void OpenOn(std::vector<unit::ScriptStep> steps) {
    steps.insert(steps.begin(), {Read(), Write(kHead)});
    Serve({std::move(steps)});
    auto opened = Open();
    ASSERT_TRUE(opened) << opened.error().message;
    watch_ = std::move(*opened);
  }

  api::Result<WatchEvent> Next() { return Finish(Spawn(watch_->Next())); }

  std::unique_ptr<WatchStream> watch_;
};

TEST_F(HttpWatchTest, GivesEveryTypeOfEvent) {
  OpenOn({Write(Chunk(Event("ADDED", Numbered(1)) + Event("MODIFIED", Numbered(2)))),
          Write(Chunk(Event("DELETED", Numbered(3)))),
          Write(Chunk(Event("BOOKMARK", Numbered(4))))});
  for (const auto& [type, number] :
       std::vector<std::pair<WatchEvent::Type, int>>{{WatchEvent::Type::kAdded, 1},
                                                     {WatchEvent::Type::kModified, 2},
                                                     {WatchEvent::Type::kDeleted, 3},
                                                     {WatchEvent::Type::kBookmark, 4}}) {
    const auto event = Next();
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->type, type);
    EXPECT_EQ(event->object->at("number"), number);
  }
}

TEST_F(HttpWatchTest, PutsEventsTogetherAcrossChunks) {
  const std::string event = Event("ADDED", R"({"text":"a\nb"})");
  std::vector<unit::ScriptStep> steps;
  for (const char c : event) steps.push_back(Write(Chunk(std::string(1, c))));
  OpenOn(steps);
  const auto got = Next();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->object->at("text"), "a\nb");
}

TEST_F(HttpWatchTest, ErrorEventOf410IsExpired) {
  OpenOn({Write(Chunk(
      Event("ERROR", R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})")))});
  const auto event = Next();
  EXPECT_EQ(event.error().code, Code::kExpired);
  EXPECT_EQ(event.error().message, "watch pods in shop: Expired: too old");
  EXPECT_EQ(Next().error().code, Code::kUnavailable);  // it is over
  RunUntil([&] { return server_->open() == 0; });
}

TEST_F(HttpWatchTest, Answer410IsExpired) {
  Serve({{Read(), Write(HttpAnswer(410, R"({"kind":"Status","code":410,"reason":"Expired"})"))}});
  EXPECT_EQ(Open().error().code, Code::kExpired);
}

TEST_F(HttpWatchTest, OpeningIsRepeatedAsAReadIs) {
  Serve({{Read(), Write(HttpAnswer(503, "")), Read(), Write(kHead)}});
  auto future = Spawn(client_->Watch({.resource = unit::kPods}));
  RunUntil([&] { return log_.size() == 1; });
  clock_.Advance(150ms);
  EXPECT_TRUE(Finish(std::move(future)));
}

TEST_F(HttpWatchTest, OpeningHasADeadline) {
  Serve({{Read()}});
  auto future = Spawn(client_->Watch({.resource = unit::kPods}));
  RunUntil([&] { return server_->requests().size() == 1; });
  clock_.Advance(15s);
  EXPECT_EQ(Finish(std::move(future)).error().code, Code::kTimeout);
}

TEST_F(HttpWatchTest, PlannedEndIsUnavailable) {
  OpenOn({Write(Chunk(Event("ADDED", Numbered(1)))), Write("0\r\n\r\n")});
  EXPECT_TRUE(Next());
  EXPECT_EQ(Next().error().message,
            "watch pods in shop: Unavailable: the server has ended the watch");
}

TEST_F(HttpWatchTest, DropIsUnavailable) {
  OpenOn({Write(Chunk(Event("ADDED", Numbered(1)))), Cut()});
  EXPECT_TRUE(Next());
  const auto event = Next();
  EXPECT_EQ(event.error().code, Code::kUnavailable);
  EXPECT_THAT(event.error().message, HasSubstr("connection lost"));
}

TEST_F(HttpWatchTest, HalfAnEventIsNoEvent) {
  OpenOn({Write(Chunk(R"({"type":"ADDED","obj)")), CloseTls()});
  EXPECT_EQ(Next().error().code, Code::kUnavailable);
}

TEST_F(HttpWatchTest, NonsenseIsUnavailable) {
  const std::vector<std::string> lines = {"nonsense\n",
                                          "[]\n",
                                          "{}\n",
                                          "{\"type\":\"ADDED\"}\n",
                                          "{\"type\":1,\"object\":{}}\n",
                                          "{\"type\":\"NEW\",\"object\":{}}\n",
                                          "{\"type\":\"ERROR\",\"object\":{}}\n"};
  unit::ScriptServer::Script script;
  for (const std::string& line : lines) script.push_back({Read(), Write(kHead + Chunk(line))});
  Serve(script);
  for (const std::string& line : lines) {
    watch_ = std::move(Open().value());
    EXPECT_EQ(Next().error().code, Code::kUnavailable) << line;
    EXPECT_EQ(Next().error().code, Code::kUnavailable) << line;
  }
}

TEST_F(HttpWatchTest, SilenceBeyondTheLifetimeIsATimeout) {
  OpenOn({});
  auto next = Spawn(watch_->Next());
  RunUntil([&] { return clock_.sleepers() == 1; });
  clock_.Advance(329s);
  EXPECT_EQ(clock_.sleepers(), 1U);
  clock_.Advance(1s);
  EXPECT_EQ(Finish(std::move(next)).error().code, Code::kTimeout);
  RunUntil([&] { return server_->open() == 0; });
}

TEST_F(HttpWatchTest, BookmarksDoNotPutTheEndOff) {
  OpenOn({Write(Chunk(Event("BOOKMARK", Numbered(1))))});
  clock_.Advance(300s);
  EXPECT_TRUE(Next());
  auto next = Spawn(watch_->Next());
  RunUntil([&] { return clock_.sleepers() == 1; });
  clock_.Advance(30s);
  EXPECT_EQ(Finish(std::move(next)).error().code, Code::kTimeout);
}

TEST_F(HttpWatchTest, DestroyingItClosesTheConnection) {
  OpenOn({});
  watch_.reset();
  RunUntil([&] { return server_->open() == 0; });
}

TEST_F(HttpWatchTest, CancellationEndsIt) {
  OpenOn({});
  boost::asio::cancellation_signal stop;
  auto next = boost::asio::co_spawn(
      io_, watch_->Next(),
      boost::asio::bind_cancellation_slot(stop.slot(), boost::asio::use_future));
  RunUntil([&] { return clock_.sleepers() == 1; });
  stop.emit(boost::asio::cancellation_type::terminal);
  EXPECT_THROW((void)Finish(std::move(next)), boost::system::system_error);
  EXPECT_EQ(Next().error().code, Code::kUnavailable);
  RunUntil([&] { return server_->open() == 0; });
}

}  // namespace
}  // namespace stillpoint::kube
