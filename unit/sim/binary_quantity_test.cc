// Sizes as the controllers of a cluster write them.
#include "sim/cluster/binary_quantity.h"

#include <gtest/gtest.h>

namespace stillpoint::sim {
namespace {

TEST(BinaryQuantityTest, TakesTheLargestUnitThatDivides) {
  EXPECT_EQ(BinaryQuantity(std::int64_t{1} << 30), "1Gi");
  EXPECT_EQ(BinaryQuantity(std::int64_t{64} << 20), "64Mi");
  EXPECT_EQ(BinaryQuantity(std::int64_t{1536} << 20), "1536Mi");
  EXPECT_EQ(BinaryQuantity(std::int64_t{7} << 60), "7Ei");
  EXPECT_EQ(BinaryQuantity(1000), "1000");
  EXPECT_EQ(BinaryQuantity(0), "0");
}

}  // namespace
}  // namespace stillpoint::sim
