#include "hooks/held_session.h"

#include "hooks/guard_bound.h"
#include "hooks/hold_script.h"
#include "unit/support/fake_clock.h"
#include "unit/support/fake_exec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <utility>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using unit::ExecScript;
using unit::Exits;
using unit::LosesStream;
using unit::Prints;
using unit::PrintsError;

// Confirms after 20 ms, and releases in 10 ms when it is asked to.
ExecScript Holds() {
  return {.steps = {Prints("STILLPOINT HELD\n", 20ms)},
          .on_stdin_closed = {{Exits(kHoldStreamEnded, 10ms)}},
          .on_stdin = {{Exits(kHoldReleased, 10ms)}}};
}

struct Ends {
  HookResult freeze;
  std::optional<HookResult> end;
};

awaitable<Ends> FreezeAndAwaitEnd(HeldSession& held) {
  Ends ends{.freeze = co_await held.Freeze()};
  if (ends.freeze.Succeeded()) ends.end = co_await held.AwaitEnd();
  co_return ends;
}

awaitable<void> AskAfter(kube::Clock& clock, std::chrono::milliseconds delay,
                         std::shared_ptr<StopSignal> stop) {
  co_await clock.Sleep(delay);
  stop->Ask();
}

awaitable<Ends> HoldAndAsk(HeldSession& held, kube::Clock& clock, std::chrono::milliseconds delay,
                           std::shared_ptr<StopSignal> stop) {
  using namespace boost::asio::experimental::awaitable_operators;
  co_return co_await (FreezeAndAwaitEnd(held) && AskAfter(clock, delay, std::move(stop)));
}

class HeldSessionTest : public testing::Test {
 protected:
  // Asks it to release `asked_after` its start.
  Ends Run(ExecScript script, std::chrono::milliseconds asked_after) {
    exec_.On("freeze", std::move(script));
    HeldSession held(exec_, clock_,
                     {.ns = "shop",
                      .pod = "db-0",
                      .pod_uid = "uid-0",
                      .container = "mysql",
                      .argv = {"/bin/sh", "-c", "freeze"},
                      .timeout = 5s,
                      .bound = 30s,
                      .stop = stop_});
    return clock_.Run(HoldAndAsk(held, clock_, asked_after, stop_));
  }

  boost::asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::FakeExec exec_{clock_};
  std::shared_ptr<StopSignal> stop_ = std::make_shared<StopSignal>(io_.get_executor());
};

TEST_F(HeldSessionTest, HoldsUntilItIsAskedAndKnowsThatItDid) {
  const Ends ends = Run(Holds(), 3s);
  EXPECT_TRUE(ends.freeze.Succeeded());
  EXPECT_FALSE(ends.freeze.ended);
  EXPECT_EQ(ends.freeze.duration, 20ms);
  EXPECT_EQ(ends.freeze.container_id, "containerd://1");
  ASSERT_TRUE(ends.end);
  EXPECT_TRUE(ends.end->Succeeded());
  EXPECT_TRUE(ends.end->ended);
  EXPECT_EQ(exec_.written(), kReleaseRequest);
  EXPECT_EQ(exec_.closed_stdins(), 0);  // v4 has no half-close
  EXPECT_EQ(exec_.open_sessions(), 0);
}

TEST_F(HeldSessionTest, SendsTheHoldScriptWithMaxFreezeAsItsBound) {
  (void)Run(Holds(), 1s);
  ASSERT_EQ(exec_.requests().size(), 1U);
  EXPECT_EQ(exec_.requests()[0].command, HeldArgv("/bin/sh", "freeze", 30s));
  EXPECT_TRUE(exec_.requests()[0].stdin_open);
  EXPECT_EQ(exec_.requests()[0].pod_uid, "uid-0");
  EXPECT_EQ(exec_.begun(), 1);
}

TEST_F(HeldSessionTest, FindsTheMarkerInWhateverPiecesItComes) {
  ExecScript script = Holds();
  script.steps = {Prints("locking...\nSTILLPOINT HELD not yet\nSTILL"),
                  PrintsError("STILLPOINT HELD\n"), Prints("POINT HELD"), Prints(" \r", 40ms),
                  Prints("\nmore\n", 10ms)};
  EXPECT_EQ(Run(std::move(script), 1s).freeze.duration, 50ms);
}

// ---- an end that nobody has asked for -----------------------------------------------------------

TEST_F(HeldSessionTest, TellsAtOnceThatItsHolderDied) {
  ExecScript script = Holds();
  script.steps.push_back(Exits(137, 100ms));
  const Ends ends = Run(std::move(script), 10s);
  ASSERT_TRUE(ends.end);
  EXPECT_EQ(ends.end->outcome, Outcome::kFailed);
  EXPECT_EQ(ends.end->duration, 120ms);
  EXPECT_EQ(ends.end->HeldSentence(), "it ended with exit code 137: it was killed");
  EXPECT_EQ(exec_.written(), "");
}

TEST_F(HeldSessionTest, BelievesNoExitCodeThatCameUnasked) {
  for (const int code : {kHoldReleased, kHoldStreamEnded, kHoldExpired, kHoldEndedEarly}) {
    unit::FakeExec exec(clock_);
    ExecScript script = Holds();
    script.steps.push_back(Exits(code, 100ms));
    exec.On("freeze", std::move(script));
    auto stop = std::make_shared<StopSignal>(io_.get_executor());
    HeldSession held(
        exec, clock_,
        {.argv = {"/bin/sh", "-c", "freeze"}, .timeout = 5s, .bound = 9s, .stop = stop});
    const Ends ends = clock_.Run(HoldAndAsk(held, clock_, 1s, stop));
    ASSERT_TRUE(ends.end);
    EXPECT_EQ(ends.end->outcome, Outcome::kFailed) << code;
  }
}

TEST_F(HeldSessionTest, TellsThatItsStreamWasLost) {
  ExecScript script = Holds();
  script.steps.push_back(LosesStream(100ms));
  const Ends ends = Run(std::move(script), 10s);
  ASSERT_TRUE(ends.end);
  EXPECT_EQ(ends.end->outcome, Outcome::kStreamLost);
  EXPECT_FALSE(ends.end->ended);
}

TEST_F(HeldSessionTest, DoesNotTakeSilenceForARelease) {
  ExecScript script = Holds();
  script.on_stdin.reset();
  const Ends ends = Run(std::move(script), 1s);
  ASSERT_TRUE(ends.end);
  EXPECT_EQ(ends.end->outcome, Outcome::kTimedOut);
  EXPECT_FALSE(ends.end->ended);
  EXPECT_EQ(ends.end->duration, 1s + kHeldEndBound);
}

TEST_F(HeldSessionTest, ReportsAReleaseThatFailed) {
  ExecScript script = Holds();
  script.on_stdin = {{Exits(kHoldExpired, 10ms)}};
  const Ends ends = Run(std::move(script), 1s);
  ASSERT_TRUE(ends.end);
  EXPECT_EQ(ends.end->outcome, Outcome::kFailed);
  EXPECT_THAT(ends.end->HeldSentence(), testing::HasSubstr("maxFreeze was over"));
}

// ---- no freeze ----------------------------------------------------------------------------------

TEST_F(HeldSessionTest, ReportsACommandThatFailsToFreeze) {
  const Ends ends = Run({.steps = {PrintsError("access denied\n"), Exits(1, 30ms)}}, 1s);
  EXPECT_EQ(ends.freeze.outcome, Outcome::kFailed);
  EXPECT_EQ(ends.freeze.exit_code, 1);
  EXPECT_TRUE(ends.freeze.ended);
  EXPECT_EQ(ends.freeze.output_tail, "access denied\n");
}

TEST_F(HeldSessionTest, ReportsACommandThatNeverSaysThatItHolds) {
  const Ends ends = Run({.steps = {Prints("ok\n"), Exits(kHoldEndedEarly)}}, 1s);
  EXPECT_EQ(ends.freeze.outcome, Outcome::kFailed);
  EXPECT_EQ(ends.freeze.Sentence(), "it ended without saying STILLPOINT HELD");
}

TEST_F(HeldSessionTest, GivesUpAFreezeThatIsTooLateAndKnowsItsEnd) {
  const Ends ends = Run({.on_stdin_closed = {{Exits(kHoldStreamEnded, 300ms)}}}, 20s);
  EXPECT_EQ(ends.freeze.outcome, Outcome::kTimedOut);
  EXPECT_TRUE(ends.freeze.ended);
  EXPECT_EQ(ends.freeze.duration, 5300ms);
  EXPECT_EQ(exec_.open_sessions(), 0);
}

TEST_F(HeldSessionTest, GivesUpAFreezeThatNobodyWantsAnyMore) {
  const Ends ends = Run({.on_stdin_closed = {{Exits(kHoldStreamEnded)}}}, 2s);
  EXPECT_EQ(ends.freeze.outcome, Outcome::kStopped);
  EXPECT_TRUE(ends.freeze.ended);
  EXPECT_EQ(ends.freeze.duration, 2s);
}

TEST_F(HeldSessionTest, ReportsThatItDidNotStart) {
  const Ends ends = Run({.start_error = api::Error{api::Code::kNotFound, "no such pod"}}, 1s);
  EXPECT_EQ(ends.freeze.outcome, Outcome::kPodGone);
}

// The dead-man's switch.
TEST_F(HeldSessionTest, LetsGoWhenItIsDestroyed) {
  exec_.On("freeze", Holds());
  auto held = std::make_unique<HeldSession>(
      exec_, clock_,
      HeldRun{.argv = {"/bin/sh", "-c", "freeze"}, .timeout = 5s, .bound = 30s, .stop = stop_});
  EXPECT_TRUE(clock_.Run(held->Freeze()).Succeeded());
  EXPECT_EQ(exec_.open_sessions(), 1);
  held.reset();
  EXPECT_EQ(exec_.open_sessions(), 0);
}

}  // namespace
}  // namespace stillpoint::hooks
