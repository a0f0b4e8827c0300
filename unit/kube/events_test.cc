#include "kube/events.h"

#include "unit/support/fake_api_server.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using api::Code;
using api::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const api::Error kDown{Code::kUnavailable, "connection refused"};

Occurrence Say(const std::string& note) {
  return {.regarding = {.kind = "VolumeBackup", .ns = "shop", .name = "nightly", .uid = "u1"},
          .reason = "Frozen",
          .note = note};
}

class EventRecorderTest : public testing::Test {
 protected:
  EventRecorderTest() { Make(1000); }

  void Make(std::size_t max_queue) {
    recorder_.emplace(
        io_->get_executor(), server_, clock_,
        [this](Severity, std::string_view line) { log_.emplace_back(line); },
        EventRecorder::Options{.identity = "me", .max_queue = max_queue});
    clock_.Settle();
  }

  std::vector<std::string> Notes() {
    std::vector<std::string> notes;
    for (const auto& event : server_.All<Event>("shop")) {
      const int count = event.series ? event.series->count : 1;
      notes.push_back(event.note + (count == 1 ? "" : " x" + std::to_string(count)));
    }
    return notes;
  }

  void TearDown() override { io_.reset(); }

  std::optional<asio::io_context> io_{std::in_place, 1};
  unit::FakeClock clock_{*io_};
  unit::FakeApiServer server_{clock_};
  std::vector<std::string> log_;
  std::optional<EventRecorder> recorder_;
};

TEST_F(EventRecorderTest, WritesInOrderWithoutWaiting) {
  recorder_->Record(Say("one"));
  recorder_->Record(Say("two"));
  EXPECT_THAT(Notes(), IsEmpty()) << "Record() returns at once";
  clock_.Settle();
  EXPECT_THAT(Notes(), ElementsAre("one", "two"));
  EXPECT_EQ(recorder_->stats().written, 2u);
}

TEST_F(EventRecorderTest, RepetitionIsACount) {
  for (int i = 0; i < 5; ++i) recorder_->Record(Say("again"));
  clock_.Settle();
  EXPECT_THAT(Notes(), ElementsAre("again x2"));
  clock_.Advance(1min);
  EXPECT_THAT(Notes(), ElementsAre("again x5"));
  EXPECT_EQ(server_.requests().size(), 3u);
}

TEST_F(EventRecorderTest, SeriesWhoseEventHasExpiredBeginsAnew) {
  recorder_->Record(Say("again"));
  clock_.Settle();
  server_.Remove<Event>({"shop", server_.All<Event>()[0].metadata.name});
  recorder_->Record(Say("again"));
  clock_.Settle();
  EXPECT_THAT(Notes(), ElementsAre("again x2"));
}

TEST_F(EventRecorderTest, OutageIsWaitedForAShortWhile) {
  for (int i = 0; i < 2; ++i) server_.FailNext(Verb::kCreate, "events", kDown);
  recorder_->Record(Say("one"));
  clock_.Advance(6s);
  EXPECT_THAT(Notes(), ElementsAre("one"));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(EventRecorderTest, LostAnswerMakesNoSecondEvent) {
  server_.FailNext(Verb::kCreate, "events", kDown, unit::FakeApiServer::When::kAfterEffect);
  recorder_->Record(Say("one"));
  clock_.Advance(3s);
  EXPECT_THAT(Notes(), ElementsAre("one"));
  EXPECT_EQ(recorder_->stats().written, 1u);
}

TEST_F(EventRecorderTest, FailureIsLoggedAndTheNextGoesOn) {
  server_.FailNext(Verb::kCreate, "events", {Code::kForbidden, "namespace is being terminated"});
  recorder_->Record(Say("one"));
  recorder_->Record(Say("two"));
  clock_.Settle();
  EXPECT_THAT(Notes(), ElementsAre("two"));
  EXPECT_THAT(log_, ElementsAre("Event Frozen of VolumeBackup shop/nightly is lost: namespace is "
                                "being terminated"));
  EXPECT_EQ(recorder_->stats().failed, 1u);
}

TEST_F(EventRecorderTest, FullQueueDropsTheNewest) {
  clock_.Run(recorder_->Stop(1s));
  Make(2);
  for (int i = 0; i < 4; ++i) recorder_->Record(Say(std::to_string(i)));
  clock_.Settle();
  EXPECT_THAT(Notes(), ElementsAre("0", "1"));
  EXPECT_EQ(recorder_->stats().dropped, 2u);
  EXPECT_THAT(log_, SizeIs(1));
}

TEST_F(EventRecorderTest, StopWritesWhatWaits) {
  for (int i = 0; i < 5; ++i) recorder_->Record(Say("again"));
  clock_.Run(recorder_->Stop(5s));
  EXPECT_THAT(Notes(), ElementsAre("again x5"));
  recorder_->Record(Say("late"));
  clock_.Settle();
  EXPECT_THAT(Notes(), SizeIs(1));
}

TEST_F(EventRecorderTest, StopGivesUpAfterItsGrace) {
  for (int i = 0; i < 9; ++i) server_.FailNext(Verb::kCreate, "events", kDown);
  recorder_->Record(Say("one"));
  recorder_->Record(Say("two"));
  const auto before = clock_.SteadyNow();
  clock_.Run(recorder_->Stop(1s));
  EXPECT_EQ(clock_.SteadyNow() - before, 1s);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("1 Events were not written")));
}

}  // namespace
}  // namespace stillpoint::kube
