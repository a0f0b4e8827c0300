#include "hooks/hook_runner.h"

#include "hooks/guard.h"
#include "hooks/guard_bound.h"
#include "hooks/output_tail.h"

#include <algorithm>
#include <utility>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;

// For the guard to end the command and report it: SIGTERM, then SIGKILL after 0.5 s.
constexpr auto kGuardGrace = 2s;

// Whether a command whose start gave `code` can be running.
bool MayHaveStarted(api::Code code) {
  switch (code) {
    case api::Code::kNotFound:
    case api::Code::kAlreadyExists:
    case api::Code::kConflict:
    case api::Code::kInvalid:
    case api::Code::kForbidden:
    case api::Code::kTooManyRequests:
      return false;
    case api::Code::kUnknown:
    case api::Code::kExpired:
    case api::Code::kTimeout:
    case api::Code::kCancelled:
    case api::Code::kUnavailable:
      return true;
  }
  return true;
}

// One session and what it has told. Its coroutines must be awaited before it dies.
class Reading {
 public:
  explicit Reading(std::unique_ptr<kube::ExecSession> session) : session_(std::move(session)) {}

  // Reads until the command has ended or its stream is lost. What was read is kept when this is
  // cancelled, so that it can be called again.
  boost::asio::awaitable<void> ToEnd() {
    while (!exit_code_ && !lost_) {
      api::Result<kube::ExecEvent> event = co_await session_->Next();
      if (!event) {
        lost_ = std::move(event).error();
      } else if (event->type == kube::ExecEvent::Type::kExit) {
        exit_code_ = event->exit_code;
      } else {
        output_.Append(event->data);
      }
    }
  }

  void FillIn(HookResult& result) const {
    result.container_id = session_->ContainerId();
    result.exit_code = exit_code_;
    result.output_tail = output_.Text();
    result.truncated = output_.truncated();
    result.ended = exit_code_.has_value();
    if (lost_) {
      result.code = lost_->code;
      result.error = lost_->message;
      result.ended = !MayHaveStarted(lost_->code);
    }
  }

  [[nodiscard]] Outcome Reached() const {
    if (exit_code_) return *exit_code_ == 0 ? Outcome::kSucceeded : Outcome::kFailed;
    if (!lost_) return Outcome::kTimedOut;
    return MayHaveStarted(lost_->code) ? Outcome::kStreamLost : Outcome::kNotStarted;
  }

  [[nodiscard]] bool ended() const { return exit_code_.has_value(); }
  [[nodiscard]] kube::ExecSession& session() { return *session_; }
  [[nodiscard]] std::unique_ptr<kube::ExecSession> Release() { return std::move(session_); }

 private:
  std::unique_ptr<kube::ExecSession> session_;
  OutputTail output_;
  std::optional<std::int64_t> exit_code_;
  std::optional<api::Error> lost_;
};

kube::ExecRequest MakeRequest(const HookRun& run, bool guarded) {
  const OnStreamLoss on_loss =
      run.phase == api::HookPhase::kPre ? OnStreamLoss::kEndCommand : OnStreamLoss::kFinishCommand;
  return {.ns = run.ns,
          .pod = run.pod,
          .pod_uid = run.pod_uid,
          .container = run.container,
          .command = guarded ? GuardedArgv(run.argv, GuardBound(run.timeout), on_loss) : run.argv,
          .stdin_open = guarded,
          .connect_timeout = ConnectTimeout(run.timeout)};
}

HookResult NotStarted(const api::Error& error) {
  HookResult result;
  result.outcome = error.code == api::Code::kNotFound ? Outcome::kPodGone : Outcome::kNotStarted;
  result.ended = !MayHaveStarted(error.code);
  result.code = error.code;
  result.error = error.message;
  return result;
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

  auto started = co_await exec_.Start(MakeRequest(run, guarded));
  if (!started) {
    result = NotStarted(started.error());
    result.duration = elapsed();
    co_return finished;
  }
  Reading reading(std::move(*started));
  (void)co_await kube::RunWithin(clock_, std::max(run.timeout - elapsed(), api::Duration{1}),
                                 reading.ToEnd());
  result.outcome = reading.Reached();
  if (result.outcome == Outcome::kTimedOut && guarded) {
    reading.session().CloseStdin();
    (void)co_await kube::RunWithin(clock_, kGuardGrace, reading.ToEnd());
  }
  reading.FillIn(result);
  result.duration = elapsed();
  if (result.outcome == Outcome::kTimedOut && !guarded) finished.still_running = reading.Release();
  co_return finished;
}

boost::asio::awaitable<bool> HookRunner::AwaitEnd(std::unique_ptr<kube::ExecSession> session,
                                                  std::chrono::milliseconds timeout) {
  Reading reading(std::move(session));
  (void)co_await kube::RunWithin(clock_, timeout, reading.ToEnd());
  co_return reading.ended();
}

}  // namespace stillpoint::hooks
