#include "hooks/hook_runner.h"

#include "hooks/begin_request.h"
#include "hooks/exec_reading.h"
#include "hooks/guard.h"
#include "hooks/guard_bound.h"

#include <algorithm>
#include <utility>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;

// For the guard to end the command and report it: SIGTERM, then SIGKILL after 0.5 s.
constexpr auto kGuardGrace = 2s;

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

boost::asio::awaitable<FinishedRun> HookRunner::Run(HookRun run) {
  const auto began = clock_.SteadyNow();
  const auto elapsed = [&] {
    return std::chrono::duration_cast<api::Duration>(clock_.SteadyNow() - began);
  };
  const bool guarded = IsShellForm(run.argv);
  FinishedRun finished;
  HookResult& result = finished.result;

  // Not stopped while it starts: that its end is known is worth the moment.
  auto started = co_await exec_.Start(MakeRequest(run, guarded));
  if (!started) {
    result = NotStarted(started.error());
    result.duration = elapsed();
    co_return finished;
  }
  ExecReading reading(std::move(*started));
  const bool wanted = !run.stop || !run.stop->asked();
  if (guarded && wanted) reading.session().WriteStdin(std::string(kBeginRequest));
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

boost::asio::awaitable<bool> HookRunner::AwaitEnd(std::unique_ptr<kube::ExecSession> session,
                                                  std::chrono::milliseconds timeout) {
  ExecReading reading(std::move(session));
  (void)co_await kube::RunWithin(clock_, timeout, reading.ToEnd());
  co_return reading.ended();
}

}  // namespace stillpoint::hooks
