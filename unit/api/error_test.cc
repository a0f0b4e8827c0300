#include "api/error.h"

#include <gtest/gtest.h>

namespace stillpoint::api {
namespace {

TEST(ErrorTest, CodesAreNamedAsStatusReasonsAre) {
  EXPECT_STREQ(ToString(Code::kNotFound), "NotFound");
  EXPECT_STREQ(ToString(Code::kTooManyRequests), "TooManyRequests");
  EXPECT_STREQ(ToString(Code::kUnknown), "Unknown");
}

TEST(ErrorTest, AResultIsMadeFromAnErrorAndFromAValue) {
  const Result<int> good = 3;
  const Result<int> bad = Error{Code::kTimeout, "too slow"};
  EXPECT_EQ(good.value(), 3);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, Code::kTimeout);
  EXPECT_EQ(bad.error().retry_after, std::nullopt);
}

}  // namespace
}  // namespace stillpoint::api
