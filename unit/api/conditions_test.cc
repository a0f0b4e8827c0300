#include "api/conditions.h"

#include <gtest/gtest.h>

namespace stillpoint::api {
namespace {

using namespace std::chrono_literals;

constexpr Time kEarlier = Time{} + 1h;
constexpr Time kLater = Time{} + 2h;

Condition Ready(std::string status, std::string reason) {
  return {.type = "Ready", .status = std::move(status), .reason = std::move(reason)};
}

TEST(SetConditionTest, AddsWhatIsNew) {
  std::vector<Condition> conditions;
  EXPECT_TRUE(SetCondition(conditions, Ready("False", "Waiting"), kEarlier));
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0].last_transition_time, kEarlier);
}

TEST(SetConditionTest, KeepsTheTimeWhileTheStatusStays) {
  std::vector<Condition> conditions;
  SetCondition(conditions, Ready("False", "Waiting"), kEarlier);
  EXPECT_TRUE(SetCondition(conditions, Ready("False", "StillWaiting"), kLater));
  EXPECT_EQ(conditions[0].reason, "StillWaiting");
  EXPECT_EQ(conditions[0].last_transition_time, kEarlier);
}

TEST(SetConditionTest, ChangesTheTimeWithTheStatus) {
  std::vector<Condition> conditions;
  SetCondition(conditions, Ready("False", "Waiting"), kEarlier);
  EXPECT_TRUE(SetCondition(conditions, Ready("True", "Done"), kLater));
  EXPECT_EQ(conditions[0].last_transition_time, kLater);
}

TEST(SetConditionTest, SaysWhenNothingChanged) {
  std::vector<Condition> conditions;
  SetCondition(conditions, Ready("True", "Done"), kEarlier);
  EXPECT_FALSE(SetCondition(conditions, Ready("True", "Done"), kLater));
}

TEST(SetConditionTest, LeavesOtherTypesAlone) {
  std::vector<Condition> conditions{{.type = "Cut", .status = "True"}};
  SetCondition(conditions, Ready("True", "Done"), kEarlier);
  ASSERT_EQ(conditions.size(), 2U);
  EXPECT_EQ(conditions[0].type, "Cut");
}

TEST(FindConditionTest, FindsByType) {
  const std::vector<Condition> conditions{Ready("True", "Done"),
                                          {.type = "Cut", .status = "False"}};
  EXPECT_EQ(FindCondition(conditions, "Ready"), &conditions[0]);
  EXPECT_EQ(FindCondition(conditions, "Frozen"), nullptr);
  EXPECT_TRUE(IsTrue(conditions, "Ready"));
  EXPECT_FALSE(IsTrue(conditions, "Cut"));
  EXPECT_FALSE(IsTrue(conditions, "Frozen"));
}

}  // namespace
}  // namespace stillpoint::api
