// What is refused before any object is looked at, in the words of a real API server.
#include "sim/pocket/request_check.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace stillpoint::sim::pocket {
namespace {

int StatusOf(const std::optional<Refused>& refused) {
  return refused ? refused->status : 0;
}

TEST(RequestCheckTest, KnowsItsMediaTypes) {
  EXPECT_EQ(StatusOf(CheckMediaType("POST", "application/json; charset=utf-8", true)), 0);
  EXPECT_EQ(StatusOf(CheckMediaType("POST", "", true)), 0);
  EXPECT_EQ(StatusOf(CheckMediaType("POST", "text/plain", true)), 415);
  EXPECT_EQ(StatusOf(CheckMediaType("PATCH", "application/json", true)), 415);
  EXPECT_EQ(StatusOf(CheckMediaType("PATCH", "application/merge-patch+json", true)), 0);
  EXPECT_EQ(StatusOf(CheckMediaType("PATCH", "application/strategic-merge-patch+json", true)), 415);
  EXPECT_EQ(StatusOf(CheckMediaType("PATCH", "application/strategic-merge-patch+json", false)), 0);
  EXPECT_EQ(StatusOf(CheckMediaType("GET", "text/plain", false)), 0);
}

TEST(RequestCheckTest, RefusesWhatIsNoSelector) {
  EXPECT_EQ(StatusOf(CheckSelectors(Query("labelSelector=app%3Dx"), true)), 0);
  EXPECT_EQ(StatusOf(CheckSelectors(Query("labelSelector=app%3D%3D%3Dx"), true)), 400);
  const auto field = CheckSelectors(Query("fieldSelector=spec.applicationRef%3Dx"), true);
  ASSERT_TRUE(field);
  EXPECT_EQ(field->message, "field label not supported: spec.applicationRef");
  EXPECT_EQ(StatusOf(CheckSelectors(Query("fieldSelector=involvedObject.uid%3Dx"), false)), 0);
}

TEST(RequestCheckTest, RefusesTokensOfOthersAndVersionsToCome) {
  EXPECT_EQ(StatusOf(CheckListVersion(Query("continue=nonsense"), 100)), 400);
  EXPECT_EQ(StatusOf(CheckListVersion(Query("continue=rest-1"), 100)), 0);
  EXPECT_EQ(StatusOf(CheckListVersion(Query("resourceVersion=100"), 100)), 0);
  const auto future = CheckListVersion(Query("resourceVersion=101"), 100);
  EXPECT_EQ(StatusOf(future), 504);
  EXPECT_EQ(future->cause, "ResourceVersionTooLarge");
}

TEST(RequestCheckTest, AnApplyHasAManagerAndKnownFields) {
  const RequestPath path{.kind = FindKind("backups.example.com", "v1alpha1", "volumebackups"),
                         .ns = "shop",
                         .name = "b"};
  const auto good = boost::json::parse(R"({"spec": {"applicationRef": "ledger"}})");
  const auto bad = boost::json::parse(R"({"spec": {"retries": 3}})");
  EXPECT_EQ(StatusOf(CheckApply(Query("fieldManager=me"), path, good)), 0);
  EXPECT_EQ(StatusOf(CheckApply(Query(""), path, good)), 422);
  const auto unknown = CheckApply(Query("fieldManager=me"), path, bad);
  EXPECT_EQ(StatusOf(unknown), 500);
  EXPECT_EQ(unknown->message,
            "failed to create typed patch object (shop/b; backups.example.com/v1alpha1, "
            "Kind=VolumeBackup): .spec.retries: field not declared in schema");
}

}  // namespace
}  // namespace stillpoint::sim::pocket
