// A post-hook whose exec was opened before: what HookRunner makes of it, and that it is never worse
// than none.
#include "hooks/prepared_run.h"

#include "hooks/begin_request.h"
#include "hooks/guard.h"
#include "hooks/hook_runner.h"
#include "kube/task_group.h"
#include "unit/support/fake_clock.h"
#include "unit/support/fake_exec.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using unit::ExecScript;
using unit::Exits;
using unit::LosesStream;
using unit::Prints;

const std::string kAnswer(kBegunAnswer);

// Waits until it is told, then thaws in 5 ms.
ExecScript Waits(std::chrono::milliseconds connect = 40ms) {
  return {.connect = connect, .on_begin = {{Prints(kAnswer, 2ms), Prints("ok\n"), Exits(0, 3ms)}}};
}

// As an exec that is opened when it is wanted.
ExecScript Runs() {
  return {.connect = 40ms, .on_begin = {{Prints("ok\n"), Exits(0, 5ms)}}};
}

class PreparedRunTest : public testing::Test {
 protected:
  // The prepared exec follows `first`, each later one `then`.
  void Prepare(ExecScript first, ExecScript then = Runs(),
               std::chrono::milliseconds longest = 60s) {
    exec_.On("thaw", std::move(first));
    exec_.On("thaw", std::move(then));
    prepared_ = runner_.Prepare(io_.get_executor(), Hook());
    tasks_.Spawn("prepared", prepared_->Keep(longest));
    clock_.Settle();
  }

  static HookRun Hook() {
    return {.ns = "shop",
            .pod = "db-0",
            .pod_uid = "uid-0",
            .container = "mysql",
            .argv = {"/bin/sh", "-c", "thaw"},
            .phase = api::HookPhase::kPost,
            .timeout = 5s};
  }

  FinishedRun Thaw() {
    HookRun run = Hook();
    run.prepared = prepared_;
    FinishedRun finished = clock_.Run(runner_.Run(std::move(run)));
    EXPECT_EQ(exec_.open_sessions(), 0);
    EXPECT_EQ(tasks_.size(), 0U);
    return finished;
  }

  // That it took as long as without a preparation, and was told once.
  void ExpectNormalThaw(std::chrono::milliseconds late = 0ms) {
    const FinishedRun run = Thaw();
    EXPECT_EQ(run.result.outcome, Outcome::kSucceeded);
    EXPECT_EQ(run.result.duration, 45ms + late);
    EXPECT_EQ(run.result.output_tail, "ok\n");
    EXPECT_EQ(exec_.last_begin(), kBeginRequest);
  }

  boost::asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::FakeExec exec_{clock_};
  HookRunner runner_{exec_, clock_};
  std::shared_ptr<PreparedRun> prepared_;
  kube::TaskGroup tasks_{io_.get_executor(), [](kube::Severity, std::string_view) {}};
};

TEST_F(PreparedRunTest, ThawsByOneWord) {
  Prepare(Waits());
  clock_.Advance(7900ms);
  EXPECT_TRUE(prepared_->ready());
  EXPECT_EQ(exec_.begun(), 0);
  const FinishedRun run = Thaw();
  EXPECT_EQ(run.result.outcome, Outcome::kSucceeded);
  EXPECT_EQ(run.result.duration, 5ms);
  EXPECT_EQ(run.result.output_tail, "ok\n");
  EXPECT_EQ(run.result.container_id, "containerd://1");
  EXPECT_FALSE(run.again_until);
  EXPECT_EQ(exec_.last_begin(), "begin 7\n");  // it is open since 40 ms
  ASSERT_EQ(exec_.requests().size(), 1U);
  EXPECT_EQ(exec_.requests()[0].command,
            GuardedArgv(Hook().argv, 6s, OnStreamLoss::kFinishCommand));
  EXPECT_TRUE(exec_.requests()[0].stdin_open);
}

TEST_F(PreparedRunTest, TakesTheAnswerInPieces) {
  Prepare({.on_begin = {{Prints(kAnswer.substr(0, 4)), Prints(kAnswer.substr(4) + "o"),
                         Prints("k\n"), Exits(3)}}});
  const FinishedRun run = Thaw();
  EXPECT_EQ(run.result.outcome, Outcome::kFailed);
  EXPECT_EQ(run.result.output_tail, "ok\n");
}

TEST_F(PreparedRunTest, TimesOutAsAnyOther) {
  Prepare({.on_stdin_closed = {{Exits(143, 200ms)}}, .on_begin = {{Prints(kAnswer)}}});
  const FinishedRun run = Thaw();
  EXPECT_EQ(run.result.outcome, Outcome::kTimedOut);
  EXPECT_EQ(run.result.duration, 5200ms);
  EXPECT_TRUE(run.result.ended);
  EXPECT_EQ(exec_.requests().size(), 1U);
}

// What has begun may go on: that is for the plan to know, which tries again.
TEST_F(PreparedRunTest, SaysThatTheStreamWasLostAfterTheAnswer) {
  Prepare({.on_begin = {{Prints(kAnswer), LosesStream(10ms)}}});
  const FinishedRun run = Thaw();
  EXPECT_EQ(run.result.outcome, Outcome::kStreamLost);
  EXPECT_FALSE(run.result.ended);
  EXPECT_EQ(exec_.requests().size(), 1U);
}

// ---- it is not open yet -------------------------------------------------------------------------

TEST_F(PreparedRunTest, TellsTheOneThatIsOpenFirst) {
  Prepare(Waits(60ms));
  clock_.Advance(50ms);
  const FinishedRun run = Thaw();
  EXPECT_EQ(run.result.duration, 15ms);
  EXPECT_EQ(run.result.output_tail, "ok\n");
  EXPECT_EQ(exec_.requests().size(), 2U);
  EXPECT_EQ(exec_.begun(), 1);
  EXPECT_EQ(exec_.last_begin(), "begin 0\n");
}

TEST_F(PreparedRunTest, DoesNotWaitForOneThatIsLong) {
  Prepare(Waits(4s));
  clock_.Advance(1s);
  ExpectNormalThaw();
  EXPECT_EQ(exec_.begun(), 1);
}

TEST_F(PreparedRunTest, GoesOnWhereItComesToNothingMeanwhile) {
  Prepare({.connect = 30ms, .start_error = api::Error{api::Code::kUnavailable, "no"}});
  clock_.Advance(10ms);
  ExpectNormalThaw();
}

// ---- it is not there ----------------------------------------------------------------------------

TEST_F(PreparedRunTest, GoesTheNormalWayWhereItWasRefusedOrLost) {
  for (const ExecScript& script :
       {ExecScript{.start_error = api::Error{api::Code::kInvalid, "no"}},
        ExecScript{.steps = {LosesStream(10ms)}}, ExecScript{.steps = {Exits(kNotBegun, 10ms)}}}) {
    unit::FakeExec exec(clock_);
    HookRunner runner(exec, clock_);
    exec.On("thaw", script);
    exec.On("thaw", Runs());
    HookRun run = Hook();
    run.prepared = runner.Prepare(io_.get_executor(), run);
    tasks_.Spawn("prepared", run.prepared->Keep(60s));
    clock_.Advance(1s);
    EXPECT_FALSE(run.prepared->ready());
    const FinishedRun finished = clock_.Run(runner.Run(std::move(run)));
    EXPECT_EQ(finished.result.outcome, Outcome::kSucceeded);
    EXPECT_EQ(finished.result.duration, 45ms);
    EXPECT_EQ(exec.begun(), 1);
    EXPECT_FALSE(finished.again_until);
  }
}

// ---- it gives no answer -------------------------------------------------------------------------

// As when its packets are swallowed.
TEST_F(PreparedRunTest, GoesTheNormalWayAfterASecondWithoutAnAnswer) {
  Prepare({});
  clock_.Advance(3s);
  const auto told = clock_.SteadyNow();
  HookRun run = Hook();
  run.prepared = prepared_;
  const FinishedRun finished = clock_.Run(runner_.Run(std::move(run)));
  EXPECT_EQ(finished.result.outcome, Outcome::kSucceeded);
  EXPECT_EQ(finished.result.duration, 1045ms);
  EXPECT_EQ(finished.result.output_tail, "ok\n");
  EXPECT_EQ(finished.again_until, told + kBeginForgotten);
  EXPECT_EQ(exec_.open_sessions(), 0);
}

TEST_F(PreparedRunTest, GoesTheNormalWayAtOnceWhereItWasLostWithoutAnAnswer) {
  Prepare({.on_begin = {{LosesStream(10ms)}}});
  ExpectNormalThaw(10ms);
}

// An exit status without the answer says that it was not told in time, or was ended before.
TEST_F(PreparedRunTest, KnowsThatOneThatHasEndedBeginsNoMore) {
  for (const int code : {kNotBegun, 137}) {
    unit::FakeExec exec(clock_);
    HookRunner runner(exec, clock_);
    exec.On("thaw", {.on_begin = {{Exits(code, 10ms)}}});
    exec.On("thaw", Runs());
    HookRun run = Hook();
    run.prepared = runner.Prepare(io_.get_executor(), run);
    tasks_.Spawn("prepared", run.prepared->Keep(60s));
    clock_.Settle();
    const FinishedRun finished = clock_.Run(runner.Run(std::move(run)));
    EXPECT_EQ(finished.result.outcome, Outcome::kSucceeded);
    EXPECT_EQ(finished.result.duration, 55ms);
    EXPECT_FALSE(finished.again_until);
  }
}

// ---- nobody wants it ----------------------------------------------------------------------------

TEST_F(PreparedRunTest, ClosesTheStreamThatNobodyWants) {
  Prepare(Waits());
  clock_.Advance(1s);
  EXPECT_EQ(exec_.open_sessions(), 1);
  prepared_->Close();
  clock_.Settle();
  EXPECT_EQ(exec_.open_sessions(), 0);
  EXPECT_EQ(tasks_.size(), 0U);
  EXPECT_FALSE(prepared_->ready());
  ExpectNormalThaw();
}

TEST_F(PreparedRunTest, ClosesTheStreamInTheEnd) {
  Prepare(Waits(), Runs(), 40s);
  clock_.Advance(39s);
  EXPECT_EQ(exec_.open_sessions(), 1);
  clock_.Advance(2s);
  EXPECT_EQ(exec_.open_sessions(), 0);
  EXPECT_EQ(exec_.begun(), 0);
}

TEST_F(PreparedRunTest, ClosesAllStreamsWhenCancelledAtAnyTime) {
  for (const auto when : {10ms, 50ms, 400ms, 1020ms, 1500ms}) {
    unit::FakeExec exec(clock_);
    HookRunner runner(exec, clock_);
    kube::TaskGroup tasks(io_.get_executor(), [](kube::Severity, std::string_view) {});
    exec.On("thaw", {.connect = 20ms});
    HookRun run = Hook();
    run.prepared = runner.Prepare(io_.get_executor(), run);
    tasks.Spawn("prepared", run.prepared->Keep(60s));
    boost::asio::cancellation_signal cancel;
    std::optional<std::exception_ptr> end;
    boost::asio::co_spawn(io_, runner.Run(run),
                          boost::asio::bind_cancellation_slot(
                              cancel.slot(), [&](std::exception_ptr e, FinishedRun) { end = e; }));
    clock_.Advance(when);
    cancel.emit(boost::asio::cancellation_type::terminal);
    clock_.Settle();
    ASSERT_TRUE(end.has_value()) << when.count();
    EXPECT_THROW(std::rethrow_exception(*end), boost::system::system_error);
    clock_.Run(tasks.Stop());
    EXPECT_EQ(exec.open_sessions(), 0) << when.count();
  }
}

}  // namespace
}  // namespace stillpoint::hooks
