#include "hooks/output_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace stillpoint::hooks {
namespace {

std::string TextOf(std::string_view output) {
  OutputTail tail;
  tail.Append(output);
  return tail.Text();
}

TEST(OutputTailTest, KeepsPlainText) {
  EXPECT_EQ(TextOf(""), "");
  EXPECT_EQ(TextOf("a\tb\nü 漢 🙂\n"), "a\tb\nü 漢 🙂\n");
}

TEST(OutputTailTest, TakesOutWhatATerminalWouldAct) {
  EXPECT_EQ(TextOf("\x1b[31mred\x1b[0m\x07 \x1b[2Kbell\x7f"), "red bell");
  EXPECT_EQ(TextOf("10%\r20%\r\ndone"), "10%\n20%\ndone");
  EXPECT_EQ(TextOf("\xc2\x9b"
                   "31m"),
            "31m");
  EXPECT_EQ(TextOf("cut in an escape \x1b["), "cut in an escape ");
}

TEST(OutputTailTest, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(TextOf("a\xff"
                   "b"),
            "a\uFFFDb");
  EXPECT_EQ(TextOf("\xc0\x80"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(TextOf("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(TextOf("\xf4\x90\x80\x80").size(), 4 * 3U);     // above U+10FFFF
  EXPECT_EQ(TextOf("end \xe6\xbc"), "end \uFFFD\uFFFD");    // cut off
}

TEST(OutputTailTest, JoinsACharacterThatCameInTwoPieces) {
  OutputTail tail;
  tail.Append("\xc3");
  tail.Append("\xbc");
  EXPECT_EQ(tail.Text(), "ü");
}

TEST(OutputTailTest, CutsAtTheStartOfALine) {
  const std::string line(99, 'x');
  OutputTail tail;
  for (int i = 0; i < 30; ++i) tail.Append(line + "\n");
  EXPECT_EQ(tail.Text().size(), 1000U);
  EXPECT_THAT(tail.Text(), testing::StartsWith(line + "\n"));
  EXPECT_TRUE(tail.truncated());
}

TEST(OutputTailTest, CutsALongLineBetweenCharacters) {
  OutputTail tail;
  for (int i = 0; i < 10'001; ++i) tail.Append("漢");
  EXPECT_EQ(tail.Text().size(), 1023U);
  EXPECT_THAT(tail.Text(), testing::StartsWith("漢"));
  EXPECT_TRUE(tail.truncated());
}

TEST(OutputTailTest, IsNotTruncatedWhenAllIsThere) {
  OutputTail tail;
  tail.Append(std::string(1024, 'x'));
  EXPECT_FALSE(tail.truncated());
  EXPECT_EQ(tail.Text().size(), 1024U);
  tail.Append("y");
  EXPECT_TRUE(tail.truncated());
  EXPECT_EQ(tail.Text().size(), 1024U);
}

TEST(OutputTailTest, TakesMuchAtOnce) {
  OutputTail tail;
  tail.Append(std::string(1'000'000, 'x') + "\nthe end");
  EXPECT_THAT(tail.Text(), testing::EndsWith("x\nthe end"));
}

}  // namespace
}  // namespace stillpoint::hooks
