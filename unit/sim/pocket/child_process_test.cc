// Processes of containers, and what they must not pass on.
#include "sim/pocket/child_process.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

namespace stillpoint::sim::pocket {
namespace {

int WaitFor(pid_t child) {
  int status = 0;
  return waitpid(child, &status, 0) == child ? ExitCodeOf(status) : -1;
}

TEST(ChildProcessTest, TheExitCodeIsThatOfTheBody) {
  EXPECT_EQ(WaitFor(StartChild([] { return 7; }, {})), 7);
}

// As early as it can come, whichever of the two processes runs first.
TEST(ChildProcessTest, ASignalToTheChildIsNoneToTheParent) {
  boost::asio::io_context io;
  boost::asio::signal_set signals(io, SIGTERM);
  bool seen = false;
  signals.async_wait([&seen](boost::system::error_code error, int) { seen = !error; });
  for (int i = 0; i < 50; ++i) {
    const pid_t child = StartChild(
        [] {
          pause();
          return 0;
        },
        {});
    kill(child, SIGTERM);
    EXPECT_EQ(WaitFor(child), 128 + SIGTERM);
  }
  io.poll();
  EXPECT_FALSE(seen);
}

TEST(ChildProcessTest, TheParentHearsItsOwnSignalsAfterwards) {
  boost::asio::io_context io;
  boost::asio::signal_set signals(io, SIGTERM);
  bool seen = false;
  signals.async_wait([&seen](boost::system::error_code error, int) { seen = !error; });
  EXPECT_EQ(WaitFor(StartChild([] { return 0; }, {})), 0);
  raise(SIGTERM);
  io.run();
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace stillpoint::sim::pocket
