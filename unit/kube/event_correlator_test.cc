#include "kube/event_correlator.h"

#include "api/labels.h"
#include "api/volume_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace stillpoint::kube {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = EventCorrelator::Write::Kind;

Occurrence Frozen() {
  api::VolumeBackup backup;
  backup.metadata = {.name = "nightly", .ns = "shop", .uid = "u1", .resource_version = "7"};
  return {.regarding = ReferenceTo(backup),
          .reason = "Frozen",
          .action = "Freeze",
          .note = "3 pods are still"};
}

class EventCorrelatorTest : public testing::Test {
 protected:
  std::optional<EventCorrelator::Write> Record(const Occurrence& occurrence) {
    return correlator_.Record(occurrence, wall_, now_);
  }
  void Pass(std::chrono::milliseconds time) {
    now_ += time;
    wall_ += time;
  }

  EventCorrelator correlator_{"stillpoint-0_abc"};
  Clock::Steady now_{1h};
  api::Time wall_{std::chrono::sys_days(std::chrono::January / 1 / 2026)};
};

TEST_F(EventCorrelatorTest, WritesAnEventThatTheApiServerTakes) {
  const auto write = Record(Frozen());
  ASSERT_TRUE(write);
  EXPECT_EQ(write->kind, Kind::kCreate);
  const auto& event = write->event;
  EXPECT_EQ(event.metadata.ns, "shop");
  EXPECT_EQ(event.metadata.name, "nightly.18867251edfa0000");
  EXPECT_EQ(event.event_time.value, wall_);
  EXPECT_EQ(event.reporting_controller, "stillpoint");
  EXPECT_EQ(event.reporting_instance, "stillpoint-0_abc");
  EXPECT_EQ(event.type, "Normal");
  EXPECT_EQ(event.reason, "Frozen");
  EXPECT_EQ(event.action, "Freeze");
  EXPECT_EQ(event.regarding.api_version, "backups.example.com/v1alpha1");
  EXPECT_EQ(event.regarding.kind, "VolumeBackup");
  EXPECT_EQ(event.regarding.uid, "u1");
  EXPECT_THAT(event.regarding.resource_version, IsEmpty());
  EXPECT_FALSE(event.series);
}

TEST_F(EventCorrelatorTest, NamesDifferWithinOneInstant) {
  auto other = Frozen();
  other.note = "another";
  EXPECT_NE(Record(Frozen())->event.metadata.name, Record(other)->event.metadata.name);
}

TEST_F(EventCorrelatorTest, LongNameStillMakesAName) {
  auto frozen = Frozen();
  frozen.regarding.name = std::string(234, 'a') + "-." + std::string(17, 'b');
  const auto name = Record(frozen)->event.metadata.name;
  EXPECT_LE(name.size(), 253u);
  EXPECT_TRUE(api::IsDns1123Subdomain(name)) << name;
}

TEST_F(EventCorrelatorTest, ClusterScopedObjectsHaveTheirEventsInDefault) {
  auto frozen = Frozen();
  frozen.regarding.ns.clear();
  EXPECT_EQ(Record(frozen)->event.metadata.ns, "default");
}

TEST_F(EventCorrelatorTest, ActionFallsBackToReason) {
  auto frozen = Frozen();
  frozen.action.clear();
  EXPECT_EQ(Record(frozen)->event.action, "Frozen");
}

TEST_F(EventCorrelatorTest, RepetitionBecomesASeriesOfTheSameEvent) {
  const auto first = Record(Frozen());
  Pass(10s);
  const auto second = Record(Frozen());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->kind, Kind::kSeries);
  EXPECT_EQ(second->event.metadata.name, first->event.metadata.name);
  EXPECT_EQ(second->event.series->count, 2);
  EXPECT_EQ(second->event.series->last_observed_time.value, wall_);
}

TEST_F(EventCorrelatorTest, LaterRepetitionsAreWrittenOncePerMinute) {
  std::ignore = Record(Frozen());
  EXPECT_TRUE(Record(Frozen()));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Record(Frozen()));
  EXPECT_THAT(correlator_.Due(now_), IsEmpty());
  ASSERT_EQ(correlator_.NextDue(), now_ + 1min);
  Pass(1min);
  const auto due = correlator_.Due(now_);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].event.series->count, 12);
  EXPECT_FALSE(correlator_.NextDue());
  EXPECT_THAT(correlator_.Due(now_), IsEmpty());
}

TEST_F(EventCorrelatorTest, FlushWritesWhatWaits) {
  for (int i = 0; i < 3; ++i) std::ignore = Record(Frozen());
  ASSERT_THAT(correlator_.Flush(), SizeIs(1));
  EXPECT_THAT(correlator_.Flush(), IsEmpty());
}

TEST_F(EventCorrelatorTest, SilenceEndsASeries) {
  const auto first = Record(Frozen());
  Pass(5min);
  EXPECT_EQ(Record(Frozen())->kind, Kind::kSeries);
  Pass(6min);
  const auto again = Record(Frozen());
  EXPECT_EQ(again->kind, Kind::kCreate);
  EXPECT_NE(again->event.metadata.name, first->event.metadata.name);
}

TEST_F(EventCorrelatorTest, AnythingElseIsAnotherEvent) {
  EXPECT_EQ(Record(Frozen())->kind, Kind::kCreate);
  auto other = Frozen();
  other.regarding.uid = "u2";
  EXPECT_EQ(Record(other)->kind, Kind::kCreate);
  other = Frozen();
  other.related = other.regarding;
  EXPECT_EQ(Record(other)->kind, Kind::kCreate);
  other = Frozen();
  other.type = EventType::kWarning;
  EXPECT_EQ(Record(other)->event.type, "Warning");
}

TEST_F(EventCorrelatorTest, OneObjectCannotFlood) {
  int written = 0;
  const auto burst = [&](int count) {
    written = 0;
    for (int i = 0; i < count; ++i) {
      auto frozen = Frozen();
      frozen.note = std::to_string(now_.time_since_epoch().count()) + std::to_string(i);
      written += Record(frozen) ? 1 : 0;
    }
    return written;
  };
  EXPECT_EQ(burst(40), 25);
  EXPECT_EQ(correlator_.suppressed(), 15u);
  auto other = Frozen();
  other.regarding.uid = "u2";
  EXPECT_TRUE(Record(other)) << "the limit is per object";
  Pass(10min);
  EXPECT_EQ(burst(40), 2);
  Pass(24h);
  EXPECT_EQ(burst(40), 25);
}

TEST(BoundedTextTest, CutsBetweenCharacters) {
  EXPECT_EQ(BoundedText("short", 8), "short");
  EXPECT_EQ(BoundedText("12345678", 8), "12345678");
  EXPECT_EQ(BoundedText("123456789", 8), "12345...");
  EXPECT_EQ(BoundedText("1234\u00e9678", 8), "1234...");  // the letter takes bytes 5 and 6
  EXPECT_EQ(BoundedText("\u20ac\u20ac\u20ac", 8), "\u20ac...");
  EXPECT_EQ(BoundedText("", 8), "");
  EXPECT_EQ(BoundedText(std::string(2000, 'x'), 1024).size(), 1024u);
}

TEST(BoundedTextTest, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(BoundedText("a\xff\xc3|\xe2\x82", 20), "a??|??");
  EXPECT_EQ(BoundedText("\xc0\xaf\xed\xa0\x80", 20), "?????") << "overlong, and half a surrogate";
  EXPECT_EQ(BoundedText("\xf4\x90\x80\x80|\xf0\x9f\x98\x80", 20), "????|\xf0\x9f\x98\x80");
}

}  // namespace
}  // namespace stillpoint::kube
