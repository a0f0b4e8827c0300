// The reap script, with real shells and real processes; see guard_test.cc.
#include "hooks/reap_script.h"

#include "hooks/guard.h"
#include "hooks/hold_script.h"
#include "unit/support/shell_process.h"
#include "unit/support/shell_test.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using unit::Alive;
using unit::Begun;
using unit::Pids;
using unit::Process;

constexpr const char* kPath = "/usr/bin:/bin";

class ReapScriptTest : public unit::ShellTest {
 protected:
  void SetUp() override {
    ShellTest::SetUp();
    // Tests run side by side on one machine.
    key_ = HookKey(dir_.Path("uid"), 1);
  }

  std::vector<std::string> Held(const std::string& text) const {
    return HeldArgv(shell_, text, 60s, key_);
  }
  std::vector<std::string> Guarded(const std::string& text) const {
    return GuardedArgv({shell_, "-c", text}, 60s, OnStreamLoss::kEndCommand, key_);
  }

  int Reap(const std::string& key) const {
    Process reaper(ReapArgv(shell_, key), kPath);
    reaper.CloseStdin();
    EXPECT_EQ(reaper.ReadAll(), "");
    return reaper.ExitCode();
  }

  std::string key_;
};

TEST_P(ReapScriptTest, FindsNothingWhereNothingIs) {
  EXPECT_EQ(Reap(key_), 0);
}

TEST_P(ReapScriptTest, ReleasesAHeldHookAsItsTimerDoes) {
  Begun held(Held("echo STILLPOINT HELD; cat; echo let go"), kPath);
  held.ReadLine();
  EXPECT_EQ(Reap(key_), 0);
  EXPECT_EQ(held.ReadAll(), "STILLPOINT HELD\nlet go\n");
  EXPECT_EQ(held.ExitCode(), kHoldExpired);
}

TEST_P(ReapScriptTest, WaitsForARelease) {
  Begun held(Held("echo $$; cat; sleep 0.5"), kPath);
  const std::vector<pid_t> pids = Pids(held.ReadLine());
  ASSERT_EQ(pids.size(), 1U);
  EXPECT_EQ(Reap(key_), 0);
  EXPECT_FALSE(Alive(pids[0]));
}

TEST_P(ReapScriptTest, EndsAGuardedHookWithItsChildren) {
  Begun guard(Guarded("sleep 60 & echo $$ $!; wait"), kPath);
  const std::vector<pid_t> pids = Pids(guard.ReadLine());
  ASSERT_EQ(pids.size(), 2U);
  EXPECT_EQ(Reap(key_), 0);
  for (const pid_t pid : pids) EXPECT_FALSE(Alive(pid)) << pid;
  EXPECT_NE(guard.ExitCode(), 0);
}

TEST_P(ReapScriptTest, EndsAGuardThatWaitsForTheWordToBegin) {
  Process guard(Guarded("echo on"), kPath);
  EXPECT_EQ(Reap(key_), 0);
  EXPECT_EQ(guard.ReadAll(), "");
  EXPECT_NE(guard.ExitCode(), 0);
}

TEST_P(ReapScriptTest, KillsAGuardedHookThatIgnoresItsSignals) {
  Begun guard(Guarded("trap '' TERM; echo $$; while :; do sleep 0.1; done"), kPath);
  const std::vector<pid_t> pids = Pids(guard.ReadLine());
  ASSERT_EQ(pids.size(), 1U);
  EXPECT_EQ(Reap(key_), 0);
  EXPECT_FALSE(Alive(pids[0]));
}

TEST_P(ReapScriptTest, FindsTheHookOfAHoldScriptThatWasKilled) {
  Begun held(Held("echo $$; exec sleep 60"), kPath);
  const std::vector<pid_t> pids = Pids(held.ReadLine());
  ASSERT_EQ(pids.size(), 1U);
  kill(-held.pid(), SIGKILL);
  EXPECT_EQ(Reap(key_), 0);
  EXPECT_FALSE(Alive(pids[0]));
}

TEST_P(ReapScriptTest, LeavesOtherHooksAlone) {
  Begun held(Held("echo STILLPOINT HELD; cat"), kPath);
  Begun guard(Guarded("echo on; exec sleep 60"), kPath);
  held.ReadLine();
  guard.ReadLine();
  const std::string other = HookKey(dir_.Path("uid"), 10);
  EXPECT_EQ(Reap(other), 0);
  EXPECT_EQ(Reap(HookKey(dir_.Path("other"), 1)), 0);
  held.WriteStdin("release\n");
  held.ReadAll();
  EXPECT_EQ(held.ExitCode(), kHoldReleased);
  EXPECT_TRUE(Alive(guard.pid()));
}

INSTANTIATE_TEST_SUITE_P(Shells, ReapScriptTest, testing::Values("dash", "bash", "busybox"),
                         [](const auto& test) { return std::string(test.param); });

TEST(ReapArgvTest, HandsTheKeyOver) {
  const auto argv = ReapArgv("/bin/sh", HookKey("26dab40d", 3));
  ASSERT_EQ(argv.size(), 6U);
  EXPECT_EQ(argv[3], "/bin/sh");
  EXPECT_EQ(argv[4], "26dab40d.3;");
  EXPECT_EQ(argv[5], "reap");
  EXPECT_LT(argv[2].size(), 1500U);  // it travels in a URL
}

}  // namespace
}  // namespace stillpoint::hooks
