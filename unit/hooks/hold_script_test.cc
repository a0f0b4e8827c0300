// The hold script, with real shells and real processes; see guard_test.cc.
#include "hooks/hold_script.h"

#include "hooks/begin_request.h"
#include "unit/support/shell_process.h"
#include "unit/support/shell_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <chrono>
#include <string>
#include <vector>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using unit::Alive;
using unit::Begun;
using unit::Output;
using unit::Pids;
using unit::Process;
using Clock = std::chrono::steady_clock;

constexpr const char* kPath = "/usr/bin:/bin";

// Holds until its input ends.
constexpr const char* kHold = "echo STILLPOINT HELD; cat; echo let go";

class HoldScriptTest : public unit::ShellTest {
 protected:
  std::vector<std::string> Held(const std::string& text,
                                std::chrono::milliseconds bound = 60s) const {
    return HeldArgv(shell_, text, bound);
  }
};

TEST_P(HoldScriptTest, RunsNothingOnAStreamThatEndsBeforeTheWordToBegin) {
  for (const char* said : {"", "begin", "release\n"}) {
    Process process(Held(kHold), kPath);
    process.WriteStdin(said);
    process.CloseStdin();
    EXPECT_EQ(process.ReadAll(), "") << said;
    EXPECT_EQ(process.ExitCode(), kNotBegun) << said;
  }
}

// ---- the release --------------------------------------------------------------------------------

TEST_P(HoldScriptTest, HoldsUntilItIsAsked) {
  Begun process(Held(kHold), kPath);
  EXPECT_EQ(process.ReadLine(), "STILLPOINT HELD\n");
  process.WriteStdin("release\n");
  EXPECT_EQ(process.ReadAll(), "STILLPOINT HELD\nlet go\n");
  EXPECT_EQ(process.ExitCode(), kHoldReleased);
}

TEST_P(HoldScriptTest, TellsAnEndOfTheStreamFromARequest) {
  for (const char* said : {"", "releas", "release", "held\nplease\n"}) {
    Begun process(Held(kHold), kPath);
    process.ReadLine();
    process.WriteStdin(said);
    process.CloseStdin();
    EXPECT_EQ(process.ReadAll(), "STILLPOINT HELD\nlet go\n");
    EXPECT_EQ(process.ExitCode(), kHoldStreamEnded) << said;
  }
}

TEST_P(HoldScriptTest, MayBeAskedAndClosed) {
  Begun process(Held(kHold), kPath);
  process.ReadLine();
  process.WriteStdin("release\n");
  process.CloseStdin();
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), kHoldReleased);
}

TEST_P(HoldScriptTest, ReleasesAtItsBound) {
  Begun process(Held(kHold, 200ms), kPath);
  EXPECT_EQ(process.ReadAll(), "STILLPOINT HELD\nlet go\n");
  EXPECT_EQ(process.ExitCode(), kHoldExpired);
}

TEST_P(HoldScriptTest, DoesNotCountARequestAfterItsBound) {
  Begun process(Held("cat; echo let go; sleep 0.3", 100ms), kPath);
  EXPECT_EQ(process.ReadLine(), "let go\n");
  process.WriteStdin("release\n");
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), kHoldExpired);
}

TEST_P(HoldScriptTest, ReportsACommandThatFails) {
  Begun process(Held("echo no >&2; exit 7"), kPath);
  EXPECT_EQ(process.ReadAll(), "no\n");
  EXPECT_EQ(process.ExitCode(), 7);
}

TEST_P(HoldScriptTest, ReportsAReleaseThatFails) {
  Begun process(Held("echo STILLPOINT HELD; cat; exit 7"), kPath);
  process.ReadLine();
  process.WriteStdin("release\n");
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), 7);
}

TEST_P(HoldScriptTest, ReportsACommandThatDoesNotWait) {
  Begun process(Held("echo STILLPOINT HELD"), kPath);
  EXPECT_EQ(process.ReadAll(), "STILLPOINT HELD\n");
  EXPECT_EQ(process.ExitCode(), kHoldEndedEarly);
}

TEST_P(HoldScriptTest, ReportsACommandThatIsKilledAtOnce) {
  Begun process(Held("echo $$; cat"), kPath);
  const std::vector<pid_t> pids = Pids(process.ReadLine());
  ASSERT_EQ(pids.size(), 1U);
  const auto killed = Clock::now();
  kill(pids[0], SIGKILL);
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), 137);
  EXPECT_LT(Clock::now() - killed, 3s);
}

TEST_P(HoldScriptTest, TakesTheChildrenOfAFailedCommandAlong) {
  Begun process(Held("sleep 60 & echo $$ $!; wait"), kPath);
  const std::vector<pid_t> pids = Pids(process.ReadLine());
  ASSERT_EQ(pids.size(), 2U);
  kill(pids[0], SIGKILL);
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), 137);
  EXPECT_FALSE(Alive(pids[1]));
}

TEST_P(HoldScriptTest, EndsACommandThatIgnoresItsInput) {
  if (std::string_view(GetParam()) != "dash") GTEST_SKIP() << "it takes the whole grace";
  Begun process(Held("sleep 60 & echo $$ $!; sleep 60"), kPath);
  const std::vector<pid_t> pids = Pids(process.ReadLine());
  const auto asked = Clock::now();
  process.CloseStdin();
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), 143);
  EXPECT_GE(Clock::now() - asked, kHoldReleaseGrace);
  for (const pid_t pid : pids) EXPECT_FALSE(Alive(pid)) << pid;
}

// ---- the shell around it ------------------------------------------------------------------------

TEST_P(HoldScriptTest, RunsNothingThatItCannotBound) {
  Process process(Held("echo STILLPOINT HELD"), PathOf({}));
  if (std::string_view(GetParam()) == "busybox") GTEST_SKIP() << "it has a sleep of its own";
  EXPECT_THAT(process.ReadAll(), HasSubstr("sleep"));
  EXPECT_EQ(process.ExitCode(), kHoldNoTimer);
}

// containerd closes stdin when stdout or stderr has ended.
TEST_P(HoldScriptTest, HoldsBothOutputsOpenForACommandThatClosesThem) {
  for (const Output output : {Output::kStdout, Output::kStderr}) {
    Begun process(Held("exec >/dev/null 2>&1; cat", 300ms), kPath, output);
    const auto begun = Clock::now();
    process.ReadAll();
    EXPECT_GE(Clock::now() - begun, 250ms);
    EXPECT_EQ(process.ExitCode(), kHoldExpired);
  }
}

TEST_P(HoldScriptTest, RunsWithoutSetsid) {
  Begun process(Held(kHold), PathOf({"sleep", "cat"}));
  process.ReadLine();
  process.WriteStdin("release\n");
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), kHoldReleased);
}

TEST_P(HoldScriptTest, LeavesNothingBehind) {
  const auto bound = 200'000s + std::chrono::seconds(getpid());
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  for (int i = 0; i < 20; ++i) {
    Begun process(Held(i % 2 == 0 ? ":" : "exit 5", bound), kPath);
    process.ReadAll();
    EXPECT_EQ(process.ExitCode(), i % 2 == 0 ? kHoldEndedEarly : 5);
    Begun asked(Held("cat", bound), kPath);
    asked.WriteStdin("release\n");
    asked.ReadAll();
    EXPECT_EQ(asked.ExitCode(), kHoldReleased);
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "the script left a process, or a zombie";
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  ExpectNoTimerOf(bound);
}

INSTANTIATE_TEST_SUITE_P(Shells, HoldScriptTest, testing::Values("dash", "bash", "busybox"),
                         [](const auto& test) { return std::string(test.param); });

// ---- the argv -----------------------------------------------------------------------------------

TEST(HeldArgvTest, HandsTextAndBoundOver) {
  const auto argv = HeldArgv("/bin/sh", "echo '$(x)'", 1500ms);
  ASSERT_EQ(argv.size(), 8U);
  EXPECT_EQ(argv[0], "/bin/sh");
  EXPECT_EQ(argv[1], "-c");
  EXPECT_EQ(argv[3], "/bin/sh");
  EXPECT_EQ(argv[4], "echo '$(x)'");
  EXPECT_EQ(argv[5], "1.500");
  EXPECT_EQ(argv[6], "hold");
  EXPECT_EQ(argv[7], "hold:");
  EXPECT_EQ(HeldArgv("/bin/sh", "x", 30s)[5], "30");
  EXPECT_LT(argv[2].size(), 2500U);  // it travels in a URL
}

TEST(ShellQuotedTest, LeavesNothingToTheShell) {
  EXPECT_EQ(ShellQuoted({"/bin/app", "it's", "$(x) *", ""}), R"('/bin/app' 'it'\''s' '$(x) *' '')");
}

}  // namespace
}  // namespace stillpoint::hooks
