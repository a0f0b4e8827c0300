#include "hooks/hook_runner.h"

#include "hooks/begin_request.h"
#include "hooks/exec_reading.h"
#include "hooks/guard.h"
#include "hooks/guard_bound.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace stillpoint::hooks {

using boost::asio::awaitable;

namespace {

using namespace boost::asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

// For the guard to end the command and report it: SIGTERM, then SIGKILL after 0.5 s.
constexpr auto kGuardGrace = 2s;

// For the guard of a prepared exec to say that it has begun: it is a line each way.
constexpr api::Duration kAnswerWithin = 1s;

kube::ExecRequest MakeRequest(const HookRun& run, bool guarded) {
  const OnStreamLoss on_loss =
      run.phase == api::HookPhase::kPre ? OnStreamLoss::kEndCommand : OnStreamLoss::kFinishCommand;
  return {.ns = run.ns,
          .pod = run.pod,
          .pod_uid = run.pod_uid,
          .container = run.container,
          .command =
              guarded ? GuardedArgv(run.argv, GuardBound(run.timeout), on_loss, run.key) : run.argv,
          .stdin_open = guarded,
          .connect_timeout = ConnectTimeout(run.timeout)};
}

}  // namespace

awaitable<FinishedRun> HookRunner::Run(HookRun run) {
  const auto began = clock_.SteadyNow();
  const auto elapsed = [&] {
    return std::chrono::duration_cast<api::Duration>(clock_.SteadyNow() - began);
  };
  const bool guarded = IsShellForm(run.argv);
  FinishedRun finished;
  HookResult& result = finished.result;

  // Not stopped while it starts: that its end is known is worth the moment.
  auto begun = co_await Begin(run, &finished);
  if (!begun) {
    result = NotStarted(begun.error());
    result.duration = elapsed();
    co_return finished;
  }
  ExecReading& reading = **begun;
  co_await RunUntilStopped(clock_, std::max(run.timeout - elapsed(), api::Duration{1}), run.stop,
                           reading.ToEnd());
  result.outcome = reading.Reached();
  if (result.outcome == Outcome::kTimedOut) {
    if (run.stop && run.stop->asked()) result.outcome = Outcome::kStopped;
    if (guarded) {
      reading.session().CloseStdin();
      (void)co_await kube::RunWithin(clock_, kGuardGrace, reading.ToEnd());
    }
  }
  const bool runs_on = !reading.over();
  reading.FillIn(result);
  result.duration = elapsed();
  if (runs_on && !guarded) finished.still_running = reading.Release();
  co_return finished;
}

// Whichever is open first: the prepared exec, or one that is opened as if there were no other. Only
// one of them is told to begin.
awaitable<api::Result<HookRunner::Reading>> HookRunner::Begin(HookRun run, FinishedRun* finished) {
  const bool guarded = IsShellForm(run.argv);
  std::optional<api::Result<Session>> started;
  if (run.prepared) {
    if (run.prepared->opening()) {
      co_await StartUnlessReady(MakeRequest(run, guarded), run.prepared, &started);
    }
    if (!started && run.prepared->ready()) {
      if (auto reading = co_await BeginPrepared(run, finished)) co_return std::move(reading);
    }
    run.prepared->Close();
  }
  if (!started) co_await Start(MakeRequest(run, guarded), &started);
  if (!*started) co_return started->error();
  auto reading = std::make_unique<ExecReading>(std::move(**started));
  const bool wanted = !run.stop || !run.stop->asked();
  if (guarded && wanted) reading->session().WriteStdin(std::string(kBeginRequest));
  co_return std::move(reading);
}

// Null: it gives no answer, so that nobody knows whether the word has reached anybody.
awaitable<HookRunner::Reading> HookRunner::BeginPrepared(HookRun run, FinishedRun* finished) {
  const auto told = clock_.SteadyNow();
  Reading reading = co_await run.prepared->Begin();
  (void)co_await kube::RunWithin(clock_, std::min(kAnswerWithin, run.timeout / 2),
                                 reading->ToAnswer());
  if (reading->answered()) co_return std::move(reading);
  if (!reading->ended()) finished->again_until = told + kBeginForgotten;
  co_return nullptr;
}

awaitable<void> HookRunner::Start(kube::ExecRequest request,
                                  std::optional<api::Result<Session>>* started) {
  started->emplace(co_await exec_.Start(std::move(request)));
}

// Leaves `started` empty when `prepared` has come to be ready first.
awaitable<void> HookRunner::StartUnlessReady(kube::ExecRequest request,
                                             std::shared_ptr<PreparedRun> prepared,
                                             std::optional<api::Result<Session>>* started) {
  try {
    (void)co_await (Start(std::move(request), started) || prepared->UntilReady());
  } catch (const boost::asio::multiple_exceptions& both) {
    std::rethrow_exception(both.first_exception());  // cancelled: one operation_aborted, not two
  }
}

std::shared_ptr<PreparedRun> HookRunner::Prepare(boost::asio::any_io_executor executor,
                                                 const HookRun& run) {
  return std::make_shared<PreparedRun>(std::move(executor), exec_, clock_,
                                       MakeRequest(run, /*guarded=*/true));
}

awaitable<bool> HookRunner::AwaitEnd(std::unique_ptr<kube::ExecSession> session,
                                     std::chrono::milliseconds timeout) {
  ExecReading reading(std::move(session));
  (void)co_await kube::RunWithin(clock_, timeout, reading.ToEnd());
  co_return reading.ended();
}

}  // namespace stillpoint::hooks
