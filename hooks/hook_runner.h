// HookRunner: runs one hook in one container, within its time.
#pragma once

#include "api/meta.h"
#include "api/volume_backup.h"
#include "hooks/exec_reading.h"
#include "hooks/hook_result.h"
#include "hooks/prepared_run.h"
#include "hooks/stop_signal.h"
#include "kube/clock.h"
#include "kube/exec.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::hooks {

struct HookRun {
  std::string ns;
  std::string pod;
  std::string pod_uid;  // a namesake is never touched
  std::string container;
  std::vector<std::string> argv;  // as the plan made it; a shell form is run under the guard
  api::HookPhase phase = api::HookPhase::kPre;
  api::Duration timeout{};  // from the call on, connecting included

  std::string key;  // of a pre-hook: what the reap script would find it by

  // May be null. Once asked, a command that still runs is treated as at its time-out: kStopped.
  std::shared_ptr<StopSignal> stop;

  // May be null. Of a post-hook: its exec, prepared. Used if it is open by the time that a new one
  // would be.
  std::shared_ptr<PreparedRun> prepared;
};

struct FinishedRun {
  HookResult result;

  // After kTimedOut or kStopped of a command without guard: its session, still open. Await its end,
  // while thawing; destroying it gives up knowing when the command ends.
  std::unique_ptr<kube::ExecSession> still_running;

  // The prepared exec was told to begin and gave no answer, so that it was run anew; until then it
  // may run all the same, once more.
  std::optional<kube::Clock::Steady> again_until;
};

// Threads: call on the executor of the loop. Several runs may go on at once.
// Lifetime: must outlive its runs; `exec` and `clock` must outlive it and every session handed out.
class HookRunner {
 public:
  HookRunner(kube::ExecClient& exec, kube::Clock& clock) : exec_(exec), clock_(clock) {}

  // Runs `run` once. Does not retry: a thaw is retried by PlanThaw, a freeze never.
  // A guarded command that is still running at its time-out, or when it is stopped, is ended: its
  // stdin is closed, and its exit status awaited for up to 2 s more, so that `ended` is known.
  // A prepared one has a second for its answer; without it, and without the exec, the hook is run
  // as if nothing had been prepared. Errors: all are in the result. Takes at most timeout + 3 s.
  // Cancellation: throws operation_aborted and closes the session, which ends a guarded pre-hook.
  [[nodiscard]] boost::asio::awaitable<FinishedRun> Run(HookRun run);

  // The exec that `run` will want. Spawn its Keep(). REQUIRES: IsShellForm(run.argv).
  [[nodiscard]] std::shared_ptr<PreparedRun> Prepare(boost::asio::any_io_executor executor,
                                                     const HookRun& run);

  // Suspends until the command of `session` has ended (true), or until its stream is lost or
  // `timeout` is over (false). Closes the session.
  // Cancellation: throws operation_aborted and closes the session.
  [[nodiscard]] boost::asio::awaitable<bool> AwaitEnd(std::unique_ptr<kube::ExecSession> session,
                                                      std::chrono::milliseconds timeout);

 private:
  using Session = std::unique_ptr<kube::ExecSession>;
  using Reading = std::unique_ptr<ExecReading>;

  // An exec of it that was told to begin, if it waits for that. The pointers are to what lives in
  // the frame of the caller that awaits.
  [[nodiscard]] boost::asio::awaitable<api::Result<Reading>> Begin(HookRun run,
                                                                   FinishedRun* finished);
  [[nodiscard]] boost::asio::awaitable<Reading> BeginPrepared(HookRun run, FinishedRun* finished);
  [[nodiscard]] boost::asio::awaitable<void> Start(kube::ExecRequest request,
                                                   std::optional<api::Result<Session>>* started);
  [[nodiscard]] boost::asio::awaitable<void> StartUnlessReady(
      kube::ExecRequest request, std::shared_ptr<PreparedRun> prepared,
      std::optional<api::Result<Session>>* started);

  kube::ExecClient& exec_;
  kube::Clock& clock_;
};

}  // namespace stillpoint::hooks
