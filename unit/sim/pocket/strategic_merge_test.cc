#include "sim/pocket/strategic_merge.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>

namespace stillpoint::sim::pocket {
namespace {

std::string Merged(const char* target, const char* patch) {
  auto value = boost::json::parse(target);
  StrategicMerge(value, boost::json::parse(patch));
  return boost::json::serialize(value);
}

TEST(StrategicMergeTest, MergesContainersByName) {
  EXPECT_EQ(Merged(R"({"containers":[{"name":"a","image":"1"},{"name":"b"}]})",
                   R"({"$setElementOrder/containers":[{"name":"b"}],
                       "containers":[{"name":"a","image":"2"},{"name":"c"}]})"),
            R"({"containers":[{"name":"a","image":"2"},{"name":"b"},{"name":"c"}]})");
}

TEST(StrategicMergeTest, DeletesWhatItIsToldTo) {
  EXPECT_EQ(Merged(R"({"volumes":[{"name":"a"},{"name":"b"}],"x":1})",
                   R"({"volumes":[{"name":"a","$patch":"delete"}],"x":null})"),
            R"({"volumes":[{"name":"b"}]})");
}

TEST(StrategicMergeTest, ReplacesAndRetains) {
  EXPECT_EQ(Merged(R"({"a":{"b":1}})", R"({"a":{"$patch":"replace","c":2}})"), R"({"a":{"c":2}})");
  EXPECT_EQ(Merged(R"({"s":{"type":"RollingUpdate","rollingUpdate":{}}})",
                   R"({"s":{"$retainKeys":["type"],"type":"Recreate"}})"),
            R"({"s":{"type":"Recreate"}})");
}

TEST(StrategicMergeTest, FinalizersAreASet) {
  EXPECT_EQ(Merged(R"({"finalizers":["a"]})", R"({"finalizers":["a","b"]})"),
            R"({"finalizers":["a","b"]})");
  EXPECT_EQ(
      Merged(R"({"finalizers":["a","b"]})", R"({"$deleteFromPrimitiveList/finalizers":["a"]})"),
      R"({"finalizers":["b"]})");
}

TEST(StrategicMergeTest, OtherListsAreReplaced) {
  EXPECT_EQ(Merged(R"({"command":["a","b"]})", R"({"command":["c"]})"), R"({"command":["c"]})");
}

}  // namespace
}  // namespace stillpoint::sim::pocket
