#include "api/time.h"

#include <gtest/gtest.h>

namespace stillpoint::api {
namespace {

using namespace std::chrono_literals;

// 2026-11-21T02:00:04Z.
constexpr Time kNight = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 2h + 4s;

struct Good {
  std::string_view text;
  Time want;
  std::string_view canonical;
};

class GoodTimeTest : public testing::TestWithParam<Good> {};

TEST_P(GoodTimeTest, IsReadAndWritten) {
  const auto time = ParseTime(GetParam().text);
  ASSERT_TRUE(time.has_value()) << time.error().message;
  EXPECT_EQ(*time, GetParam().want);
  EXPECT_EQ(FormatTime(*time), GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodTimeTest,
    testing::Values(
        Good{"2026-11-21T02:00:04Z", kNight, "2026-11-21T02:00:04Z"},
        Good{"2026-11-21t02:00:04z", kNight, "2026-11-21T02:00:04Z"},
        Good{"2026-11-21T02:00:04.036Z", kNight + 36ms, "2026-11-21T02:00:04.036Z"},
        Good{"2026-11-21T02:00:04.5Z", kNight + 500ms, "2026-11-21T02:00:04.500Z"},
        Good{"2026-11-21T02:00:04.000001Z", kNight + 1us, "2026-11-21T02:00:04.000001Z"},
        Good{"2026-11-21T02:00:04.123456789Z", kNight + 123456us, "2026-11-21T02:00:04.123456Z"},
        Good{"2026-11-21T02:00:04.000000Z", kNight, "2026-11-21T02:00:04Z"},
        Good{"2026-11-21T03:00:04+01:00", kNight, "2026-11-21T02:00:04Z"},
        Good{"2026-11-20T20:30:04.5-05:30", kNight + 500ms, "2026-11-21T02:00:04.500Z"},
        Good{"2026-11-21T02:00:04+00:00", kNight, "2026-11-21T02:00:04Z"},
        Good{"1970-01-01T00:00:00Z", Time{}, "1970-01-01T00:00:00Z"},
        Good{"1969-12-31T23:59:59.999Z", Time{} - 1ms, "1969-12-31T23:59:59.999Z"},
        Good{"2024-02-29T00:00:00Z", std::chrono::sys_days(std::chrono::year(2024) / 2 / 29),
             "2024-02-29T00:00:00Z"},
        Good{"0001-01-01T00:00:00Z", std::chrono::sys_days(std::chrono::year(1) / 1 / 1),
             "0001-01-01T00:00:00Z"}));

class BadTimeTest : public testing::TestWithParam<std::string_view> {};

TEST_P(BadTimeTest, IsRefused) {
  const auto time = ParseTime(GetParam());
  ASSERT_FALSE(time.has_value());
  EXPECT_EQ(time.error().code, Code::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadTimeTest,
    testing::Values("", "yesterday", "2026-11-21", "2026-11-21T02:00:04", "2026-11-21 02:00:04Z",
                    "2026-11-21T02:00Z", "2026-02-29T00:00:00Z", "2026-00-01T00:00:00Z",
                    "2026-13-01T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-21T24:00:00Z",
                    "2026-11-21T02:60:00Z", "2026-11-21T02:00:60Z", "2026-11-21T02:00:04.Z",
                    "2026-11-21T02:00:04Zjunk", "2026-11-21T02:00:04+1:00", "2026-11-21T02:00:04+",
                    "2026-11-21T02:00:04+01:60", "2026-11-21T02:00:04+0100", "26-11-21T02:00:04Z",
                    "+026-11-21T02:00:04Z", "2026-11-21T02:00:-4Z", "9999-12-31T23:30:00-01:00",
                    "0000-01-01T00:30:00+01:00"));

TEST(TimeTest, SaysWhatWouldBeRight) {
  EXPECT_EQ(ParseTime("yesterday").error().message,
            "\"yesterday\" is not a time, for example 2026-11-21T02:00:04Z");
}

TEST(TimeTest, AMicroTimeAlwaysHasSixDigits) {
  EXPECT_EQ(FormatMicroTime({kNight}), "2026-11-21T02:00:04.000000Z");
  EXPECT_EQ(FormatMicroTime({kNight + 36ms}), "2026-11-21T02:00:04.036000Z");
}

TEST(TimeTest, NanosecondsAreCutToMicroseconds) {
  EXPECT_EQ(TimeFromUnixNanoseconds(1'795'226'404'123'456'789), kNight + 123456us);
  EXPECT_EQ(TimeFromUnixNanoseconds(-1), Time{} - 1us);
}

}  // namespace
}  // namespace stillpoint::api
