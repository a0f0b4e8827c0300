// The guard is a script, so it is tested with real shells and real processes. What waits here waits
// for a pipe to end, never for a time to pass.
#include "hooks/guard.h"

#include "hooks/begin_request.h"
#include "unit/support/shell_process.h"
#include "unit/support/shell_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <list>
#include <string>
#include <vector>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using unit::Alive;
using unit::Begun;
using unit::Output;
using unit::Pids;
using unit::Process;
using Argv = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

class GuardTest : public unit::ShellTest {
 protected:
  Argv Guarded(const std::string& text, std::chrono::seconds bound = 60s,
               OnStreamLoss on_loss = OnStreamLoss::kEndCommand) const {
    return GuardedArgv({shell_, "-c", text}, bound, on_loss);
  }

  // Starts `text`, which prints process IDs on its first line, drops its stdin once they are there,
  // and expects that the guard is then gone, with them, within `limit`.
  void ExpectEndsWithStream(const std::string& text, int exit_code,
                            const std::string& path = "/usr/bin:/bin") {
    Begun process(Guarded(text), path);
    const std::vector<pid_t> pids = Pids(process.ReadLine());
    ASSERT_FALSE(pids.empty());
    for (const pid_t pid : pids) EXPECT_TRUE(Alive(pid)) << pid;
    const auto dropped = Clock::now();
    process.CloseStdin();
    process.ReadAll();
    EXPECT_EQ(process.ExitCode(), exit_code);
    EXPECT_LT(Clock::now() - dropped, 5s);  // measured: 0.2 s; this machine may be busy
    for (const pid_t pid : pids) EXPECT_FALSE(Alive(pid)) << pid;
  }
};

// ---- the word to begin --------------------------------------------------------------------------

// A request that arrives when nobody waits for it any more.
TEST_P(GuardTest, RunsNothingOnAStreamThatEndsBeforeTheWord) {
  for (const char* said : {"", "begi", "begin", "begin 3", "release\nbegin\n", "\n", "wait\n"}) {
    Process process(Guarded("echo ran"), "/usr/bin:/bin");
    process.WriteStdin(said);
    process.CloseStdin();
    EXPECT_EQ(process.ReadAll(), "") << said;
    EXPECT_EQ(process.ExitCode(), kNotBegun) << said;
  }
}

// Its clock is a file here: a pipe when it starts, which gives way to the time when it was told.
TEST_P(GuardTest, TakesNoWordThatHasLainOnTheWay) {
  struct Case {
    const char* word;
    const char* now;
    bool begins;
  };
  for (const Case& c : {Case{"begin\n", "105.99", true}, Case{"begin\n", "106.00", false},
                        Case{"begin 0\n", "105.99", true}, Case{"begin 0\n", "106.00", false},
                        Case{"begin 30\n", "100.99", true}, Case{"begin 30\n", "135.99", true},
                        Case{"begin 30\n", "136.00", false}, Case{"begin 600\n", "705.99", true},
                        Case{"begin 600\n", "7000.00", false}}) {
    const std::string clock = dir_.Path("uptime");
    const std::string later = dir_.Write("later", std::string(c.now) + " 1.00\n");
    std::filesystem::remove(clock);
    ASSERT_EQ(mkfifo(clock.c_str(), 0600), 0);
    Argv argv = Guarded("echo ran");
    const std::string file = "/proc/uptime";
    argv[2].replace(argv[2].find(file), file.size(), clock);
    Process process(argv, "/usr/bin:/bin");
    {
      std::ofstream start(clock);  // opens when the guard does
      std::filesystem::rename(later, clock);
      start << "100.99 1.00\n";
    }
    process.WriteStdin(c.word);
    EXPECT_EQ(process.ReadAll().ends_with("ran\n"), c.begins) << c.word << c.now;
    EXPECT_EQ(process.ExitCode(), c.begins ? 0 : kNotBegun) << c.word << c.now;
  }
}

TEST_P(GuardTest, AnswersALaterWordBeforeAllElse) {
  Process process(Guarded("echo out; echo err >&2; exit 3"), "/usr/bin:/bin", Output::kStdout);
  process.WriteStdin(LaterBeginRequest(7s));
  EXPECT_EQ(process.ReadAll(), std::string(kBegunAnswer) + "out\n");
  EXPECT_EQ(process.ExitCode(), 3);
}

// ---- a command that ends by itself --------------------------------------------------------------

struct Plain {
  const char* text;
  const char* output;
  int exit_code;
};

TEST_P(GuardTest, PassesOutputAndExitCodeThrough) {
  for (const Plain& plain : {
           Plain{"echo out; echo err >&2", "out\nerr\n", 0},
           Plain{"exit 3", "", 3},
           Plain{"false", "", 1},
           Plain{"exec echo 'foo  bar'", "foo  bar\n", 0},
           Plain{"kill -9 $$", "", 137},
           Plain{"echo \"it's $((1+1)) \\\"ü\\\" \\$x\"\necho 'two\nlines'",
                 "it's 2 \"ü\" $x\ntwo\nlines\n", 0},
           Plain{"cat; read -r x || echo 'no input'", "no input\n", 0},
           Plain{"printf 'no line end'", "no line end", 0},
           Plain{"# only a comment", "", 0},
           Plain{"echo $0 $# $1", nullptr, 0},
       }) {
    Begun process(Guarded(plain.text), "/usr/bin:/bin");
    const std::string output = process.ReadAll();
    EXPECT_EQ(output, plain.output != nullptr ? plain.output : shell_ + " 0\n") << plain.text;
    EXPECT_EQ(process.ExitCode(), plain.exit_code) << plain.text;
  }
}

TEST_P(GuardTest, ReportsWhatTheShellSays) {
  Begun process(Guarded("no-such-program"), "/usr/bin:/bin");
  EXPECT_THAT(process.ReadAll(), testing::HasSubstr("no-such-program"));
  EXPECT_EQ(process.ExitCode(), 127);
}

// Many at once: their watchers and timers have been forked only just when they are told to end.
TEST_P(GuardTest, LeavesTheBackgroundOfAFinishedCommandAlone) {
  for (int round = 0; round < 5; ++round) {
    std::list<Begun> processes;
    for (int i = 0; i < 8; ++i) {
      processes.emplace_back(Guarded("sleep 60 >/dev/null 2>&1 & echo $!"), "/usr/bin:/bin");
    }
    for (Begun& process : processes) {
      const std::vector<pid_t> pids = Pids(process.ReadAll());
      EXPECT_EQ(process.ExitCode(), 0);
      ASSERT_EQ(pids.size(), 1U);
      EXPECT_TRUE(Alive(pids[0]));
      kill(pids[0], SIGKILL);
    }
  }
}

// containerd closes stdin when stdout or stderr has ended: neither may end before the hook has.
TEST_P(GuardTest, HoldsBothOutputsOpenForACommandThatClosesThem) {
  for (const Output output : {Output::kStdout, Output::kStderr}) {
    const auto begun = Clock::now();
    Begun process(Guarded("exec >/dev/null 2>&1; sleep 0.5; exit 5"), "/usr/bin:/bin", output);
    process.ReadAll();
    EXPECT_GE(Clock::now() - begun, 500ms);
    process.CloseStdin();
    EXPECT_EQ(process.ExitCode(), 5);
  }
}

// The timer of a command that ends at once is killed while it starts; its sleep must go with it.
TEST_P(GuardTest, LeavesNoTimerBehind) {
  const auto bound = 100'000s + std::chrono::seconds(getpid());
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  for (int i = 0; i < 20; ++i) {
    Begun process(Guarded(i % 2 == 0 ? ":" : "exit 5", bound), "/usr/bin:/bin");
    process.ReadAll();
    EXPECT_EQ(process.ExitCode(), i % 2 == 0 ? 0 : 5);
  }
  // Orphans of the guards have come here, as to the first process of a container.
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a guard left a process, or a zombie";
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  ExpectNoTimerOf(bound);
}

// ---- a stream that drops ------------------------------------------------------------------------

TEST_P(GuardTest, EndsTheCommandAndItsChildrenWithTheStream) {
  ExpectEndsWithStream("sleep 60 & echo $$ $!; sleep 60; echo too late", 143);
}

TEST_P(GuardTest, EndsACommandThatIgnoresTerm) {
  ExpectEndsWithStream("trap '' TERM; sleep 60 & echo $$ $!; sleep 60; sleep 60", 137);
}

TEST_P(GuardTest, EndsADaemonThatLeftItsSession) {
  ExpectEndsWithStream("(setsid sh -c 'echo $$; exec sleep 60' &); sleep 60", 143);
}

TEST_P(GuardTest, EndsTheChildrenWithoutSetsid) {
  ExpectEndsWithStream("sleep 60 & echo $$ $!; sleep 60", 143, PathOf({"sleep"}));
}

TEST_P(GuardTest, EndsTheChildrenWithoutSleep) {
  ExpectEndsWithStream(
      "trap '' TERM; /usr/bin/sleep 60 & echo $$ $!; /usr/bin/sleep 60; /usr/bin/sleep 60", 137,
      PathOf({}));
}

TEST_P(GuardTest, EndsACommandWhoseStreamDropsAtOnce) {
  Begun process(Guarded("sleep 60; echo too late"), "/usr/bin:/bin");
  process.CloseStdin();
  EXPECT_EQ(process.ReadAll(), "");
  EXPECT_EQ(process.ExitCode(), 143);
}

TEST_P(GuardTest, FinishesAThawWhoseStreamDrops) {
  Begun process(Guarded("echo begun; sleep 0.2; echo thawed", 60s, OnStreamLoss::kFinishCommand),
                "/usr/bin:/bin");
  process.ReadLine();
  process.CloseStdin();
  EXPECT_EQ(process.ReadAll(), "begun\nthawed\n");
  EXPECT_EQ(process.ExitCode(), 0);
}

// ---- the bound ----------------------------------------------------------------------------------

TEST_P(GuardTest, EndsTheCommandAtItsBound) {
  for (const OnStreamLoss on_loss : {OnStreamLoss::kEndCommand, OnStreamLoss::kFinishCommand}) {
    Begun process(Guarded("sleep 60 & echo $!; sleep 60", 1s, on_loss), "/usr/bin:/bin");
    const std::vector<pid_t> pids = Pids(process.ReadAll());
    EXPECT_EQ(process.ExitCode(), 143);
    ASSERT_EQ(pids.size(), 1U);
    EXPECT_FALSE(Alive(pids[0]));
  }
}

INSTANTIATE_TEST_SUITE_P(Shells, GuardTest, testing::Values("dash", "bash", "busybox"),
                         [](const auto& test) { return std::string(test.param); });

// ---- the argv -----------------------------------------------------------------------------------

TEST(ShellFormTest, IsAShellAndAText) {
  EXPECT_TRUE(IsShellForm({"/bin/sh", "-c", "x"}));
  EXPECT_TRUE(IsShellForm({"bash", "-c", "x"}));
  EXPECT_FALSE(IsShellForm({"/bin/sh", "-c"}));
  EXPECT_FALSE(IsShellForm({"/bin/sh", "-x", "x"}));
  EXPECT_FALSE(IsShellForm({"/bin/sh", "-c", "x", "argument"}));
  EXPECT_FALSE(IsShellForm({"fsfreeze", "-f", "/data"}));
  EXPECT_FALSE(IsShellForm({}));
}

TEST(GuardedArgvTest, HandsTheTextOverAsAnArgument) {
  const Argv argv =
      GuardedArgv({"/bin/sh", "-c", "echo '$(x)'"}, 1500ms, OnStreamLoss::kEndCommand);
  ASSERT_EQ(argv.size(), 8U);
  EXPECT_EQ(argv[7], "guard:");
  EXPECT_EQ(argv[0], "/bin/sh");
  EXPECT_EQ(argv[3], "/bin/sh");
  EXPECT_EQ(argv[4], "echo '$(x)'");
  EXPECT_EQ(argv[5], "2");
  EXPECT_LT(argv[2].size(), 1500U);  // it travels in a URL
}

}  // namespace
}  // namespace stillpoint::hooks
