#include "kube/random.h"

#include <gtest/gtest.h>

namespace stillpoint::kube {
namespace {

using namespace std::chrono_literals;

TEST(RandomTest, IsXoshiro256StarStar) {
  Random random(0);  // the reference implementation's state after SplitMix64 from 0
  EXPECT_EQ(random.Next(), 0x99ec5f36cb75f2b4U);
  EXPECT_EQ(random.Next(), 0xbf6e1f784956452aU);
  EXPECT_EQ(random.Next(), 0x1a5f849d4933e6e0U);
}

TEST(RandomTest, SameSeedSameRun) {
  Random a(7);
  Random b(7);
  Random c(8);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(a.Next(), c.Next());
}

TEST(RandomTest, StaysInItsRange) {
  Random random(1);
  for (int i = 0; i < 10'000; ++i) {
    const double unit = random.Unit();
    ASSERT_GE(unit, 0);
    ASSERT_LT(unit, 1);
    const auto jitter = random.Jitter(1s, 0.5);
    ASSERT_GE(jitter, 1s);
    ASSERT_LT(jitter, 1500ms);
  }
}

}  // namespace
}  // namespace stillpoint::kube
