#include "sim/run/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;
using ::testing::Field;
using ::testing::UnorderedElementsAre;

TEST(CampaignTest, CountsEveryRunOfAllWorkers) {
  const auto result = RunCampaign(
      [](std::uint64_t n) {
        RunSummary summary{.virtual_time = 2s, .backups = n, .events = 1};
        summary.tested[0] = 3;
        summary.least_slack = std::chrono::milliseconds(100 - n);
        return summary;
      },
      {.runs = 10, .jobs = 3});
  EXPECT_EQ(result.totals.runs, 10U);
  EXPECT_EQ(result.totals.failed, 0U);
  EXPECT_EQ(result.totals.virtual_time, 20s);
  EXPECT_EQ(result.totals.backups, 45U);
  EXPECT_EQ(result.totals.tested[0], 30U);
  EXPECT_EQ(result.totals.least_slack, 91ms);
  EXPECT_EQ(result.totals.tightest_run, 9U);
}

TEST(CampaignTest, KeepsTheShortestFailureOfEachInvariant) {
  const auto result = RunCampaign(
      [](std::uint64_t n) {
        RunSummary summary{.events = 50 - n};
        if (n % 3 == 0) summary.violated = Invariant::kI1;
        if (n % 3 == 1) summary.violated = Invariant::kI4;
        return summary;
      },
      {.runs = 12, .jobs = 2});
  EXPECT_EQ(result.totals.failed, 8U);
  EXPECT_THAT(result.failures,
              UnorderedElementsAre(Field(&Failure::run, 9U), Field(&Failure::run, 10U)));
}

TEST(CampaignTest, StopsAfterEnoughFailures) {
  const auto result =
      RunCampaign([](std::uint64_t) { return RunSummary{.violated = Invariant::kI1}; },
                  {.runs = 1'000'000'000, .jobs = 1, .most_failures = 5});
  EXPECT_GE(result.totals.failed, 5U);
}

TEST(CampaignTest, NamesTheRunThatEndedItsWorkerAndGoesOn) {
  const auto result = RunCampaign(
      [](std::uint64_t n) {
        if (n == 4) raise(SIGKILL);
        return RunSummary{};
      },
      {.runs = 9, .jobs = 2});
  EXPECT_EQ(result.totals.runs, 9U);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].run, 4U);
  EXPECT_EQ(result.failures[0].invariant, Invariant::kCrash);
}

TEST(CampaignTest, EndsARunThatHangs) {
  const auto result = RunCampaign(
      [](std::uint64_t n) {
        if (n != 1) return RunSummary{};
        while (true) pause();
      },
      {.runs = 3, .jobs = 1, .run_limit = 0s});
  EXPECT_EQ(result.totals.failed, 1U);
  EXPECT_EQ(result.totals.runs, 3U);
}

}  // namespace
}  // namespace stillpoint::sim::run
