#include "api/duration.h"

#include <gtest/gtest.h>

#include <limits>

namespace stillpoint::api {
namespace {

using namespace std::chrono_literals;

struct Good {
  std::string_view text;
  Duration want;
  std::string_view canonical;
};

class GoodDurationTest : public testing::TestWithParam<Good> {};

TEST_P(GoodDurationTest, IsReadAndWritten) {
  const auto duration = ParseDuration(GetParam().text);
  ASSERT_TRUE(duration.has_value()) << duration.error().message;
  EXPECT_EQ(*duration, GetParam().want);
  EXPECT_EQ(FormatDuration(*duration), GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodDurationTest,
    testing::Values(Good{"30s", 30s, "30s"}, Good{"182ms", 182ms, "182ms"},
                    Good{"1d6h30m", 109800s, "1d6h30m"}, Good{"90s", 90s, "1m30s"},
                    Good{"2w", 336h, "2w"}, Good{"8d", 192h, "1w1d"}, Good{"0s", 0s, "0s"},
                    Good{"0w0d0h0m0s0ms", 0s, "0s"}, Good{"30m1h", 90min, "1h30m"},
                    Good{"1m1ms", 60'001ms, "1m1ms"}, Good{"1ms1m", 60'001ms, "1m1ms"},
                    Good{"007s", 7s, "7s"}, Good{"1s5ms", 1005ms, "1s5ms"},
                    Good{"9223372036854775807ms", Duration::max(), "15250284452w3d7h12m55s807ms"}));

class BadDurationTest : public testing::TestWithParam<std::string_view> {};

TEST_P(BadDurationTest, IsRefused) {
  const auto duration = ParseDuration(GetParam());
  ASSERT_FALSE(duration.has_value());
  EXPECT_EQ(duration.error().code, Code::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(Table, BadDurationTest,
                         testing::Values("", " ", "5", "5 s", "s", "5S", "-5s", "+5s", "1.5h",
                                         "5s ", " 5s", "5sec", "5s5", "1h1h", "5m5m", "1y", "5µs",
                                         "5us", "0x5s", "9223372036854775808ms", "15250284453w",
                                         "9223372036854775807ms1s", "99999999999999999999s"));

TEST(DurationTest, SaysWhatWouldBeRight) {
  EXPECT_EQ(ParseDuration("5 parsecs").error().message,
            "\"5 parsecs\" is not a duration, for example 90s or 1d6h30m");
  EXPECT_EQ(ParseDuration("1h1h").error().message, "\"1h1h\" names h twice");
  EXPECT_EQ(ParseDuration("15250284453w").error().message,
            "\"15250284453w\" is longer than any duration can be");
}

TEST(DurationTest, AClockThatWentBackReadsAsNothing) {
  EXPECT_EQ(FormatDuration(-5s), "0s");
  EXPECT_EQ(FormatDuration(Duration::min()), "0s");
}

}  // namespace
}  // namespace stillpoint::api
