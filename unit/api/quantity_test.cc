#include "api/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace stillpoint::api {
namespace {

struct Good {
  std::string_view text;
  std::int64_t want;
};

class GoodQuantityTest : public testing::TestWithParam<Good> {};

TEST_P(GoodQuantityTest, AmountsToAndKeepsItsText) {
  const auto quantity = Quantity::Parse(GetParam().text);
  ASSERT_TRUE(quantity.has_value()) << quantity.error().message;
  EXPECT_EQ(quantity->bytes(), GetParam().want);
  EXPECT_EQ(quantity->text(), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodQuantityTest,
    testing::Values(Good{"0", 0}, Good{"1", 1}, Good{"10Gi", 10LL << 30}, Good{"1Ki", 1024},
                    Good{"64Mi", 64LL << 20}, Good{"2Ti", 2LL << 40}, Good{"3Pi", 3LL << 50},
                    Good{"7Ei", 7LL << 60}, Good{"1k", 1000}, Good{"500M", 500'000'000},
                    Good{"1G", 1'000'000'000}, Good{"1T", 1'000'000'000'000},
                    Good{"1P", 1'000'000'000'000'000}, Good{"9E", 9'000'000'000'000'000'000},
                    Good{"1.5Gi", 1'610'612'736}, Good{".5Ki", 512}, Good{"1.Ki", 1024},
                    Good{"+1Ki", 1024}, Good{"100m", 1}, Good{"1500m", 2}, Good{"1n", 1},
                    Good{"1u", 1}, Good{"0m", 0}, Good{"1e3", 1000}, Good{"1E3", 1000},
                    Good{"1e+3", 1000}, Good{"1.5e3", 1500}, Good{"1e-3", 1}, Good{"12e-1", 2},
                    Good{"0.0000000000000000001", 1}, Good{"1.0000000000000000000", 1},
                    Good{"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
                    Good{"0.1Gi", 107'374'183}));

class BadQuantityTest : public testing::TestWithParam<std::string_view> {};

TEST_P(BadQuantityTest, IsRefused) {
  const auto quantity = Quantity::Parse(GetParam());
  ASSERT_FALSE(quantity.has_value());
  EXPECT_EQ(quantity.error().code, Code::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(Table, BadQuantityTest,
                         testing::Values("", "lots", "Gi", ".", "+", "-1Gi", "1 Gi", "1gi", "1KI",
                                         "1K", "1Gi ", "1.2.3", "8Ei", "10E", "1e19", "1e", "1e+",
                                         "1e+-3", "1e3Gi", "1e99999999999", "9223372036854775808",
                                         "9223372036854775807.5",
                                         "99999999999999999999999999999999999999999999"));

TEST(QuantityTest, SaysWhatWouldBeRight) {
  EXPECT_EQ(Quantity::Parse("lots").error().message,
            "\"lots\" is not a size, for example 10Gi or 500M");
}

TEST(QuantityTest, ComparesWhatItAmountsTo) {
  const Quantity gi = Quantity::Parse("1Gi").value();
  const Quantity mi = Quantity::Parse("1024Mi").value();
  const Quantity g = Quantity::Parse("1G").value();
  EXPECT_EQ(gi, mi);
  EXPECT_LT(g, gi);
  EXPECT_EQ(Max(g, gi).text(), "1Gi");
  EXPECT_EQ(Max(gi, mi).text(), "1Gi");
  EXPECT_EQ(Max(mi, gi).text(), "1024Mi");
}

TEST(QuantityTest, IsMadeFromBytes) {
  EXPECT_EQ(Quantity::FromBytes(67'108'864).text(), "67108864");
  EXPECT_EQ(Quantity::FromBytes(67'108'864), Quantity::Parse("64Mi").value());
  EXPECT_TRUE(Quantity().empty());
}

}  // namespace
}  // namespace stillpoint::api
