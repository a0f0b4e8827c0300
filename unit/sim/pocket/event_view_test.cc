#include "sim/pocket/event_view.h"

#include "sim/pocket/json_path.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace stillpoint::sim::pocket {
namespace {

boost::json::object NewEvent() {
  return boost::json::parse(R"({
    "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "a.1"},
    "eventTime": "2026-01-01T00:00:00.123456Z", "reason": "Frozen", "type": "Normal",
    "reportingController": "backups.example.com/stillpoint", "note": "all still",
    "regarding": {"kind": "VolumeBackup", "name": "a"},
    "series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:09.000000Z"}})")
      .as_object();
}

TEST(EventViewTest, ANewEventReadsAsAnOldOne) {
  const auto core = ToCoreEvent(NewEvent());
  EXPECT_EQ(TextAt(core, ".apiVersion"), "v1");
  EXPECT_EQ(TextAt(core, ".message"), "all still");
  EXPECT_EQ(TextAt(core, ".involvedObject.name"), "a");
  EXPECT_EQ(TextAt(core, ".source.component"), "backups.example.com/stillpoint");
  EXPECT_EQ(TextAt(core, ".firstTimestamp"), "2026-01-01T00:00:00Z");
  EXPECT_EQ(TextAt(core, ".lastTimestamp"), "2026-01-01T00:00:09Z");
  EXPECT_EQ(core.at("count"), 3);
}

TEST(EventViewTest, ThereAndBack) {
  const auto back = FromCoreEvent(ToCoreEvent(NewEvent()));
  for (const char* path : {".note", ".regarding.name", ".reportingController", ".eventTime"}) {
    EXPECT_EQ(TextAt(back, path), TextAt(NewEvent(), path)) << path;
  }
}

TEST(EventFilterTest, SelectsAsKubectlDescribeAsks) {
  const auto filter = EventFilter::Parse("involvedObject.name=a,type!=Warning");
  ASSERT_TRUE(filter);
  auto event = ToCoreEvent(NewEvent());
  EXPECT_TRUE(filter->Matches(event));
  event["type"] = "Warning";
  EXPECT_FALSE(filter->Matches(event));
  EXPECT_FALSE(EventFilter::Parse("spec.nodeName=x"));
  EXPECT_FALSE(EventFilter::Parse("reason"));
}

}  // namespace
}  // namespace stillpoint::sim::pocket
