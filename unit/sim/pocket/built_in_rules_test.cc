// Rules of kinds without a schema here.
#include "sim/pocket/built_in_rules.h"

#include "api/authorization.h"
#include "api/core.h"
#include "api/snapshot.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <string>

namespace stillpoint::sim::pocket {
namespace {

namespace json = boost::json;

constexpr api::Resource kLeases{"coordination.k8s.io", "v1", "Lease", "leases"};
constexpr api::Resource kEvents{"events.k8s.io", "v1", "Event", "events"};

json::object Parse(const std::string& text) {
  return json::parse(text).as_object();
}

api::Result<void> Write(const api::Resource& resource, const std::string& before,
                        const std::string& after, const std::string& subresource = "") {
  const json::object old = Parse(before);
  json::object now = Parse(after);
  return CheckBuiltIn({resource, &old, subresource, now});
}

TEST(BuiltInRulesTest, ALeaseLastsForSomeTime) {
  const std::string none = R"({"spec": {}})";
  EXPECT_TRUE(Write(kLeases, none, R"({"spec": {"leaseDurationSeconds": 15}})"));
  EXPECT_TRUE(Write(kLeases, none, none));
  const auto zero = Write(kLeases, none, R"({"metadata": {"name": "a"},
                                             "spec": {"leaseDurationSeconds": 0}})");
  ASSERT_FALSE(zero);
  EXPECT_EQ(zero.error().message,
            "Lease.coordination.k8s.io \"a\" is invalid: spec.leaseDurationSeconds: Invalid value: "
            "0: must be greater than 0");
}

TEST(BuiltInRulesTest, AClaimStaysAsItWasMade) {
  const auto& claims = api::PersistentVolumeClaim::kResource;
  const std::string made = R"({"spec": {"accessModes": ["ReadWriteOnce"]}})";
  const std::string bound = R"({"spec": {"accessModes": ["ReadWriteOnce"], "volumeName": "v"}})";
  EXPECT_TRUE(Write(claims, made, bound)) << "the volume may still be named";
  EXPECT_FALSE(Write(claims, bound, made));
  EXPECT_FALSE(Write(claims, made, R"({"spec": {"accessModes": ["ReadOnlyMany"]}})"));
  EXPECT_TRUE(Write(claims, made, R"({"spec": {}})", "status"));
}

TEST(BuiltInRulesTest, ASnapshotKeepsItsSource) {
  const auto& snapshots = api::VolumeSnapshot::kResource;
  const std::string made = R"({"spec": {"source": {"persistentVolumeClaimName": "data"}}})";
  const std::string other = R"({"spec": {"source": {"persistentVolumeClaimName": "log"}}})";
  EXPECT_TRUE(Write(snapshots, made, made));
  EXPECT_FALSE(Write(snapshots, made, other));
}

TEST(BuiltInRulesTest, AnEventHasAllItsFieldsAndNoneIsTooLong) {
  json::object event = Parse(R"({"eventTime": "2026-01-01T00:00:00.000000Z", "action": "Backup",
      "reportingController": "c", "reportingInstance": "i", "reason": "Frozen", "type": "Normal",
      "note": "n"})");
  EXPECT_TRUE(CheckCreation(kEvents, event));
  event["reason"] = std::string(128, 'x');
  EXPECT_TRUE(CheckCreation(kEvents, event));
  event["reason"] = std::string(129, 'x');
  EXPECT_FALSE(CheckCreation(kEvents, event));
  event.erase("reason");
  EXPECT_FALSE(CheckCreation(kEvents, event));
}

TEST(BuiltInRulesTest, AReviewAsksForSomething) {
  const auto& reviews = api::SelfSubjectAccessReview::kResource;
  EXPECT_FALSE(CheckCreation(reviews, Parse(R"({"spec": {}})")));
  EXPECT_TRUE(CheckCreation(reviews, Parse(R"({"spec": {"resourceAttributes": {}}})")));
}

}  // namespace
}  // namespace stillpoint::sim::pocket
