#include "sim/pocket/columns.h"

#include "api/time.h"
#include "sim/pocket/catalog.h"
#include "sim/pocket/print_table.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>

namespace stillpoint::sim::pocket {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(HumanDurationTest, IsAsKubectlSaysIt) {
  EXPECT_EQ(HumanDuration(seconds(-5)), "<invalid>");
  EXPECT_EQ(HumanDuration(seconds(0)), "0s");
  EXPECT_EQ(HumanDuration(seconds(119)), "119s");
  EXPECT_EQ(HumanDuration(seconds(120)), "2m");
  EXPECT_EQ(HumanDuration(seconds(250)), "4m10s");
  EXPECT_EQ(HumanDuration(seconds(3600)), "60m");
  EXPECT_EQ(HumanDuration(hours(7)), "7h");
  EXPECT_EQ(HumanDuration(hours(47)), "47h");
  EXPECT_EQ(HumanDuration(hours(73)), "3d1h");
  EXPECT_EQ(HumanDuration(hours(24 * 400)), "400d");
  EXPECT_EQ(HumanDuration(hours(24 * 365 * 3)), "3y");
}

// The cells of one object, as one line.
std::string Cells(const char* group, const char* plural, const char* version, const char* text) {
  const auto* kind = FindKind(group, version, plural);
  if (!kind) return "no such kind";
  const auto now = *api::ParseTime("2026-01-01T00:01:00Z");
  const auto table = MakePrintTable(*kind, {boost::json::parse(text)}, RowObject::kNone, now);
  return boost::json::serialize(table.at("rows").at(0).at("cells"));
}

TEST(PrintTableTest, ShowsAPod) {
  EXPECT_EQ(Cells("", "pods", "v1",
                  R"({"metadata": {"name": "db-0", "creationTimestamp": "2026-01-01T00:00:00Z"},
                      "spec": {"containers": [{}, {}], "nodeName": "n1"},
                      "status": {"phase": "Running", "containerStatuses": [
                        {"ready": true, "restartCount": 2}, {"ready": false}]}})"),
            R"(["db-0","1/2","Running","2","60s","<none>","n1"])");
}

TEST(PrintTableTest, SaysWhyAPodWaits) {
  EXPECT_EQ(Cells("", "pods", "v1",
                  R"({"metadata": {"name": "a"}, "spec": {"containers": [{}]}, "status": {
                      "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
                      }})"),
            R"(["a","0/1","CrashLoopBackOff","0","<unknown>","<none>","<none>"])");
}

TEST(PrintTableTest, ShowsOurKindsByTheColumnsOfTheirCrd) {
  EXPECT_EQ(Cells("backups.example.com", "volumebackups", "v1alpha1",
                  R"({"metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
                      "status": {"phase": "Completed", "freezeDuration": "38ms",
                                 "startTime": "2026-01-01T00:00:30Z"}})"),
            R"(["a",null,"Completed",null,"38ms",null,null,"30s",null,"60s"])");
}

TEST(PrintTableTest, RowsCarryTheMetadata) {
  const auto* kind = FindKind("", "v1", "pods");
  ASSERT_NE(kind, nullptr);
  const auto table =
      MakePrintTable(*kind, {boost::json::parse(R"({"metadata": {"name": "a"}, "spec": {}})")},
                     ParseRowObject(""), {});
  EXPECT_EQ(boost::json::serialize(table.at("rows").at(0).at("object")),
            R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",)"
            R"("metadata":{"name":"a"}})");
}

}  // namespace
}  // namespace stillpoint::sim::pocket
