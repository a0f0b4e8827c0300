#include "hooks/held_session.h"

#include "hooks/begin_request.h"
#include "hooks/guard_bound.h"
#include "hooks/hold_script.h"

#include <algorithm>
#include <utility>

namespace stillpoint::hooks {

using boost::asio::awaitable;

namespace {

// Longer than any bound: the timer in the container ends it, or the stream does.
constexpr auto kAsLongAsItHolds = std::chrono::hours(24);

kube::ExecRequest MakeRequest(const HeldRun& run) {
  return {.ns = run.ns,
          .pod = run.pod,
          .pod_uid = run.pod_uid,
          .container = run.container,
          .command = HeldArgv(run.argv[0], run.argv[2], run.bound, run.key),
          .stdin_open = true,
          .connect_timeout = ConnectTimeout(run.timeout)};
}

}  // namespace

HeldSession::HeldSession(kube::ExecClient& exec, kube::Clock& clock, HeldRun run)
    : exec_(exec), clock_(clock), run_(std::move(run)) {}

awaitable<HookResult> HeldSession::Freeze() {
  began_ = clock_.SteadyNow();
  HookResult result;
  auto started = co_await exec_.Start(MakeRequest(run_));
  if (!started) {
    result = NotStarted(started.error());
    Conclude(result);
    co_return result;
  }
  reading_.emplace(std::move(*started));
  if (!run_.stop->asked()) reading_->session().WriteStdin(std::string(kBeginRequest));
  const auto left = run_.timeout - (clock_.SteadyNow() - began_);
  co_await RunUntilStopped(
      clock_,
      std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), api::Duration{1}),
      run_.stop, reading_->ToLine(std::string(kHeldMarker)));
  if (reading_->seen() && !reading_->over() && !run_.stop->asked()) {
    result.outcome = Outcome::kSucceeded;
    Conclude(result);
    co_return result;
  }
  result.outcome = reading_->Reached();
  if (result.outcome == Outcome::kSucceeded) result.outcome = Outcome::kFailed;
  if (result.outcome == Outcome::kTimedOut) {
    if (run_.stop->asked()) result.outcome = Outcome::kStopped;
    reading_->session().CloseStdin();
    (void)co_await kube::RunWithin(clock_, kHeldEndBound, reading_->ToEnd());
  }
  Conclude(result);
  reading_.reset();
  co_return result;
}

awaitable<HookResult> HeldSession::AwaitEnd() {
  HookResult result;
  co_await RunUntilStopped(clock_, kAsLongAsItHolds, run_.stop, reading_->ToEnd());
  const bool asked = !reading_->over();
  if (asked) {
    reading_->session().WriteStdin(std::string(kReleaseRequest));
    (void)co_await kube::RunWithin(clock_, kHeldEndBound, reading_->ToEnd());
  }
  result.outcome = reading_->Reached();
  // A holder that has ended with 0 and was not asked has held nothing for us.
  if (!asked && result.outcome == Outcome::kSucceeded) result.outcome = Outcome::kFailed;
  Conclude(result);
  reading_.reset();
  co_return result;
}

void HeldSession::Conclude(HookResult& result) {
  if (reading_) reading_->FillIn(result);
  result.duration = std::chrono::duration_cast<api::Duration>(clock_.SteadyNow() - began_);
}

}  // namespace stillpoint::hooks
