#include "hooks/hook_runner.h"

#include "hooks/guard.h"
#include "unit/support/fake_clock.h"
#include "unit/support/fake_exec.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using unit::ExecScript;
using unit::Exits;
using unit::LosesStream;
using unit::Prints;
using unit::PrintsError;

const std::vector<std::string> kGuarded{"/bin/sh", "-c", "freeze"};
const std::vector<std::string> kUnguarded{"freeze"};

class HookRunnerTest : public testing::Test {
 protected:
  static HookRun Hook(std::vector<std::string> argv = kGuarded) {
    return {.ns = "shop",
            .pod = "db-0",
            .pod_uid = "uid-0",
            .container = "mysql",
            .argv = std::move(argv),
            .timeout = 5s};
  }

  FinishedRun Run(ExecScript script, HookRun hook = Hook()) {
    exec_.On("freeze", std::move(script));
    return clock_.Run(runner_.Run(std::move(hook)));
  }

  boost::asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::FakeExec exec_{clock_};
  HookRunner runner_{exec_, clock_};
};

TEST_F(HookRunnerTest, ReportsASuccess) {
  const HookResult result =
      Run({.connect = 40ms, .steps = {Prints("still\n", 60ms), Exits(0)}}).result;
  EXPECT_EQ(result.outcome, Outcome::kSucceeded);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.duration, 100ms);
  EXPECT_EQ(result.output_tail, "still\n");
  EXPECT_EQ(result.container_id, "containerd://1");
  EXPECT_TRUE(result.ended);
  EXPECT_EQ(result.Sentence(), "done in 100ms");
  EXPECT_EQ(exec_.open_sessions(), 0);
}

TEST_F(HookRunnerTest, ReportsAnExitCodeAndBothStreamsAsTheyCame) {
  const HookResult result =
      Run({.steps = {Prints("a\n"), PrintsError("b\n"), Prints("c\n"), Exits(7)}}).result;
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output_tail, "a\nb\nc\n");
  EXPECT_TRUE(result.ended);
}

TEST_F(HookRunnerTest, SendsAShellFormUnderTheGuardWithStdinOpen) {
  (void)Run({.steps = {Exits(0)}});
  ASSERT_EQ(exec_.requests().size(), 1U);
  const kube::ExecRequest& request = exec_.requests()[0];
  EXPECT_EQ(request.command, GuardedArgv(kGuarded, 6s, OnStreamLoss::kEndCommand));
  EXPECT_TRUE(request.stdin_open);
  EXPECT_EQ(request.ns, "shop");
  EXPECT_EQ(request.pod, "db-0");
  EXPECT_EQ(request.pod_uid, "uid-0");
  EXPECT_EQ(request.container, "mysql");
  EXPECT_EQ(request.connect_timeout, 5s);
  EXPECT_EQ(exec_.begun(), 1);
}

TEST_F(HookRunnerTest, LetsAThawFinishWithoutItsStream) {
  HookRun thaw = Hook();
  thaw.phase = api::HookPhase::kPost;
  (void)Run({.steps = {Exits(0)}}, std::move(thaw));
  EXPECT_EQ(exec_.requests()[0].command, GuardedArgv(kGuarded, 6s, OnStreamLoss::kFinishCommand));
}

TEST_F(HookRunnerTest, SendsAJsonArgvAsItIs) {
  (void)Run({.steps = {Exits(0)}}, Hook(kUnguarded));
  EXPECT_EQ(exec_.requests()[0].command, kUnguarded);
  EXPECT_FALSE(exec_.requests()[0].stdin_open);
  EXPECT_EQ(exec_.begun(), 0);
}

// ---- time-outs ----------------------------------------------------------------------------------

TEST_F(HookRunnerTest, EndsAGuardedCommandAtItsTimeOut) {
  const FinishedRun run =
      Run({.steps = {Prints("slow\n")}, .on_stdin_closed = {{Exits(143, 200ms)}}});
  EXPECT_EQ(run.result.outcome, Outcome::kTimedOut);
  EXPECT_EQ(run.result.exit_code, 143);
  EXPECT_TRUE(run.result.ended);
  EXPECT_EQ(run.result.duration, 5200ms);
  EXPECT_EQ(run.result.output_tail, "slow\n");
  EXPECT_EQ(run.still_running, nullptr);
  EXPECT_EQ(exec_.open_sessions(), 0);
}

TEST_F(HookRunnerTest, GivesTheGuardTwoSeconds) {
  const FinishedRun run = Run({});  // hangs, whatever happens to its stdin
  EXPECT_EQ(run.result.outcome, Outcome::kTimedOut);
  EXPECT_FALSE(run.result.ended);
  EXPECT_EQ(run.result.exit_code, std::nullopt);
  EXPECT_EQ(run.result.duration, 7s);
  EXPECT_EQ(exec_.open_sessions(), 0);
}

TEST_F(HookRunnerTest, DoesNotKnowTheEndWhenTheStreamBreaksAtTheTimeOut) {
  const FinishedRun run = Run({.on_stdin_closed = {{LosesStream()}}});  // v4 has no half-close
  EXPECT_EQ(run.result.outcome, Outcome::kTimedOut);
  EXPECT_FALSE(run.result.ended);
}

TEST_F(HookRunnerTest, CountsTheConnectionInTheTimeOut) {
  const FinishedRun run =
      Run({.connect = 4s, .steps = {Exits(0, 3s)}, .on_stdin_closed = {{Exits(143)}}});
  EXPECT_EQ(run.result.outcome, Outcome::kTimedOut);
  EXPECT_EQ(run.result.duration, 5s);
}

TEST_F(HookRunnerTest, HandsBackTheSessionOfAnUnguardedCommand) {
  FinishedRun run = Run({.steps = {Prints("slow\n"), Exits(0, 30s)}}, Hook(kUnguarded));
  EXPECT_EQ(run.result.outcome, Outcome::kTimedOut);
  EXPECT_FALSE(run.result.ended);
  EXPECT_EQ(run.result.duration, 5s);
  ASSERT_NE(run.still_running, nullptr);
  EXPECT_EQ(exec_.closed_stdins(), 0);

  EXPECT_TRUE(clock_.Run(runner_.AwaitEnd(std::move(run.still_running), 60s)));
  EXPECT_EQ(exec_.open_sessions(), 0);
}

TEST_F(HookRunnerTest, GivesUpAwaitingAnEnd) {
  FinishedRun hangs = Run({}, Hook(kUnguarded));
  EXPECT_FALSE(clock_.Run(runner_.AwaitEnd(std::move(hangs.still_running), 60s)));
  EXPECT_EQ(exec_.open_sessions(), 0);
}

TEST_F(HookRunnerTest, DoesNotTakeALostStreamForAnEnd) {
  FinishedRun lost = Run({.steps = {LosesStream(10s)}}, Hook(kUnguarded));
  EXPECT_FALSE(clock_.Run(runner_.AwaitEnd(std::move(lost.still_running), 60s)));
}

// ---- nobody wants it any more -------------------------------------------------------------------

awaitable<void> AskAfter(kube::Clock& clock, std::chrono::milliseconds delay,
                         std::shared_ptr<StopSignal> stop) {
  co_await clock.Sleep(delay);
  stop->Ask();
}

awaitable<FinishedRun> RunAndStop(HookRunner& runner, kube::Clock& clock, HookRun run) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto stop = run.stop;
  co_return co_await (runner.Run(std::move(run)) && AskAfter(clock, 1s, stop));
}

TEST_F(HookRunnerTest, EndsAGuardedCommandWhenItIsStopped) {
  exec_.On("freeze", {.on_stdin_closed = {{Exits(143, 200ms)}}});
  HookRun run = Hook();
  run.stop = std::make_shared<StopSignal>(io_.get_executor());
  const FinishedRun finished = clock_.Run(RunAndStop(runner_, clock_, std::move(run)));
  EXPECT_EQ(finished.result.outcome, Outcome::kStopped);
  EXPECT_TRUE(finished.result.ended);
  EXPECT_EQ(finished.result.duration, 1200ms);
}

TEST_F(HookRunnerTest, TimesOutAsWellWhileItMightBeStopped) {
  HookRun run = Hook();
  run.stop = std::make_shared<StopSignal>(io_.get_executor());
  const FinishedRun finished = Run({.on_stdin_closed = {{Exits(143, 200ms)}}}, std::move(run));
  EXPECT_EQ(finished.result.outcome, Outcome::kTimedOut);
  EXPECT_EQ(finished.result.duration, 5200ms);
}

TEST_F(HookRunnerTest, HandsBackTheSessionOfAnUnguardedCommandThatWasStopped) {
  exec_.On("freeze", {.steps = {Exits(0, 30s)}});
  HookRun run = Hook(kUnguarded);
  run.stop = std::make_shared<StopSignal>(io_.get_executor());
  FinishedRun finished = clock_.Run(RunAndStop(runner_, clock_, std::move(run)));
  EXPECT_EQ(finished.result.outcome, Outcome::kStopped);
  EXPECT_FALSE(finished.result.ended);
  ASSERT_NE(finished.still_running, nullptr);
  EXPECT_TRUE(clock_.Run(runner_.AwaitEnd(std::move(finished.still_running), 60s)));
}

// ---- failures -----------------------------------------------------------------------------------

TEST_F(HookRunnerTest, SaysThatTheStreamWasLost) {
  const HookResult result = Run({.steps = {Prints("x"), LosesStream(1s)}}).result;
  EXPECT_EQ(result.outcome, Outcome::kStreamLost);
  EXPECT_EQ(result.code, api::Code::kUnavailable);
  EXPECT_EQ(result.error, "connection reset");
  EXPECT_FALSE(result.ended);
  EXPECT_EQ(result.output_tail, "x");
}

TEST_F(HookRunnerTest, TakesACommandThatTheRuntimeRefusedAsNotStarted) {
  const HookResult result =
      Run({.steps = {{0ms, api::Error{api::Code::kInvalid, "no such program"}}}}).result;
  EXPECT_EQ(result.outcome, Outcome::kNotStarted);
  EXPECT_TRUE(result.ended);
  EXPECT_EQ(result.Sentence(), "did not start: no such program");
}

TEST_F(HookRunnerTest, TellsWhetherACommandMayHaveStarted) {
  struct Case {
    api::Code code;
    Outcome outcome;
    bool ended;
  };
  for (const Case& c : {Case{api::Code::kNotFound, Outcome::kPodGone, true},
                        Case{api::Code::kForbidden, Outcome::kNotStarted, true},
                        Case{api::Code::kInvalid, Outcome::kNotStarted, true},
                        Case{api::Code::kTooManyRequests, Outcome::kNotStarted, true},
                        Case{api::Code::kUnavailable, Outcome::kNotStarted, false},
                        Case{api::Code::kTimeout, Outcome::kNotStarted, false},
                        Case{api::Code::kUnknown, Outcome::kNotStarted, false}}) {
    unit::FakeExec exec(clock_);
    HookRunner runner(exec, clock_);
    exec.On("freeze", {.start_error = api::Error{c.code, "why"}});
    const HookResult result = clock_.Run(runner.Run(Hook())).result;
    EXPECT_EQ(result.outcome, c.outcome) << api::ToString(c.code);
    EXPECT_EQ(result.ended, c.ended) << api::ToString(c.code);
    EXPECT_EQ(result.code, c.code);
  }
}

TEST_F(HookRunnerTest, TimesOutOnAConnectionThatNeverComes) {
  const HookResult result = Run({.connect = 1h}).result;
  EXPECT_EQ(result.outcome, Outcome::kNotStarted);
  EXPECT_EQ(result.code, api::Code::kTimeout);
  EXPECT_EQ(result.duration, 5s);
  EXPECT_FALSE(result.ended);
}

TEST_F(HookRunnerTest, KeepsTheTailOfALongOutput) {
  ExecScript script;
  for (int i = 0; i < 1000; ++i) script.steps.push_back(Prints(std::string(1000, 'x') + "\n"));
  script.steps.push_back(Prints("the end\n"));
  script.steps.push_back(Exits(0));
  const HookResult result = Run(std::move(script)).result;
  EXPECT_LE(result.output_tail.size(), 1024U);
  EXPECT_THAT(result.output_tail, testing::EndsWith("x\nthe end\n"));
  EXPECT_TRUE(result.truncated);
}

// ---- cancellation -------------------------------------------------------------------------------

TEST_F(HookRunnerTest, ClosesTheSessionWhenCancelledAtAnyTime) {
  for (const auto when : {1ms, 500ms, 4999ms, 5100ms}) {
    unit::FakeExec exec(clock_);
    HookRunner runner(exec, clock_);
    exec.On("freeze", {.connect = 20ms});
    boost::asio::cancellation_signal cancel;
    std::optional<std::exception_ptr> end;
    boost::asio::co_spawn(io_, runner.Run(Hook()),
                          boost::asio::bind_cancellation_slot(
                              cancel.slot(), [&](std::exception_ptr e, FinishedRun) { end = e; }));
    clock_.Advance(when);
    cancel.emit(boost::asio::cancellation_type::terminal);
    clock_.Settle();
    ASSERT_TRUE(end.has_value()) << when.count();
    EXPECT_THROW(std::rethrow_exception(*end), boost::system::system_error);
    EXPECT_EQ(exec.open_sessions(), 0);
  }
}

}  // namespace
}  // namespace stillpoint::hooks
