#include "api/quote.h"

#include <gtest/gtest.h>

namespace stillpoint::api {
namespace {

TEST(QuoteTest, EscapesWhatWouldBreakALine) {
  EXPECT_EQ(Quote(""), R"("")");
  EXPECT_EQ(Quote("5 parsecs"), R"("5 parsecs")");
  EXPECT_EQ(Quote("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Quote("a\nb\x1b[31m\x7f"), R"("a\u000ab\u001b[31m\u007f")");
  EXPECT_EQ(Quote("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
}

TEST(QuoteTest, CutsALongTextBetweenCharacters) {
  EXPECT_EQ(Quote(std::string(64, 'a')), '"' + std::string(64, 'a') + '"');
  EXPECT_EQ(Quote(std::string(65, 'a')), '"' + std::string(64, 'a') + "\"...");
  EXPECT_EQ(Quote(std::string(63, 'a') + "\xc3\xbc" + "b"), '"' + std::string(63, 'a') + "\"...");
}

}  // namespace
}  // namespace stillpoint::api
