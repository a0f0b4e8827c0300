#include "sim/pocket/json_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace stillpoint::sim::pocket {
namespace {

boost::json::object Object(const char* text) {
  return boost::json::parse(text).as_object();
}

TEST(JsonPathTest, FollowsMembersAndEscapedDots) {
  const auto object = Object(R"({"metadata": {"annotations": {"a.b/c": "yes"}}})");
  EXPECT_EQ(TextAt(object, R"(.metadata.annotations.a\.b/c)"), "yes");
  EXPECT_EQ(TextAt(object, ".metadata.annotations['a.b/c']"), "yes");
}

TEST(JsonPathTest, PicksFromLists) {
  const auto object = Object(R"({"l": [{"type": "A", "s": "1"}, {"type": "B", "s": "2"}]})");
  EXPECT_EQ(TextAt(object, R"(.l[?(@.type=="B")].s)"), "2");
  EXPECT_EQ(TextAt(object, ".l[0].s"), "1");
  EXPECT_EQ(FindAll(object, ".l[*].s").size(), 2U);
}

TEST(JsonPathTest, FindsNothingWhereNothingIs) {
  const auto object = Object(R"({"a": {"b": null}, "c": "text"})");
  for (const char* path : {".a.b", ".x", ".c.d", ".c[0]", ".a[", "", ".a[?(@.x)]"}) {
    EXPECT_EQ(FindFirst(object, path), nullptr) << path;
  }
}

}  // namespace
}  // namespace stillpoint::sim::pocket
