#include "kube/watch_framing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace stillpoint::kube {
namespace {

using testing::ElementsAre;

std::vector<std::string> Drain(WatchFramer& framer) {
  std::vector<std::string> lines;
  while (true) {
    auto line = framer.Next();
    if (!line || !*line) return lines;
    lines.push_back(**line);
  }
}

TEST(WatchFramingTest, FindsTheSameEventsAtEverySplit) {
  const std::string body = "{\"a\":1}\n\n{\"b\":\"x\\ny\"}\r\n{}\n{\"half";
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (std::size_t second = first; second <= body.size(); ++second) {
      WatchFramer framer;
      std::vector<std::string> lines;
      for (const std::string& piece :
           {body.substr(0, first), body.substr(first, second - first), body.substr(second)}) {
        framer.Feed(piece);
        for (std::string& line : Drain(framer)) lines.push_back(std::move(line));
      }
      ASSERT_THAT(lines, ElementsAre("{\"a\":1}", "{\"b\":\"x\\ny\"}", "{}"))
          << "split at " << first << " and " << second;
    }
  }
}

TEST(WatchFramingTest, FeedingBeforeDrainingLosesNothing) {
  WatchFramer framer;
  framer.Feed("1\n2\n3");
  EXPECT_EQ(framer.Next(), std::optional<std::string>("1"));
  framer.Feed("4\n");
  EXPECT_THAT(Drain(framer), ElementsAre("2", "34"));
}

TEST(WatchFramingTest, RefusesAnEventBeyondTheLimit) {
  for (const char* body : {"12345", "12345\n", "1\n12345"}) {
    WatchFramer framer(4);
    framer.Feed(body);
    auto line = framer.Next();
    if (line) line = framer.Next();
    ASSERT_FALSE(line) << body;
    EXPECT_EQ(line.error().code, api::Code::kUnavailable);
  }
}

TEST(WatchFramingTest, TakesAnEventAtTheLimit) {
  WatchFramer framer(4);
  framer.Feed("1234\n1234");
  EXPECT_THAT(Drain(framer), ElementsAre("1234"));
}

}  // namespace
}  // namespace stillpoint::kube
