// HeldSession: one held hook, from its start to its release. While it lives the application may be
// still; destroying it is the dead-man's switch, as it ends the stdin of the hook's command.
#pragma once

#include "api/meta.h"
#include "hooks/exec_reading.h"
#include "hooks/hook_result.h"
#include "hooks/stop_signal.h"
#include "kube/clock.h"
#include "kube/exec.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::hooks {

struct HeldRun {
  std::string ns;
  std::string pod;
  std::string pod_uid;  // a namesake is never touched
  std::string container;
  std::vector<std::string> argv;     // a shell form (guard.h), as the plan made it
  api::Duration timeout{};           // from the call to the marker, connecting included
  api::Duration bound{};             // maxFreeze: its own timer, in the container
  std::string key;                   // what the reap script would find it by
  std::shared_ptr<StopSignal> stop;  // asks it to release; before the marker, gives it up
};

// Threads: call on the executor of the loop.
// Lifetime: `exec` and `clock` must outlive it. At most one of its coroutines at a time.
// Contract: hold_script.h.
class HeldSession {
 public:
  // REQUIRES: run.stop is not null, IsShellForm(run.argv).
  HeldSession(kube::ExecClient& exec, kube::Clock& clock, HeldRun run);
  HeldSession(const HeldSession&) = delete;
  HeldSession& operator=(const HeldSession&) = delete;

  // Starts the hook and waits for its marker. kSucceeded: the application stands still, and
  // AwaitEnd() must be awaited. Anything else: it does not, or no longer; a hook that was too late
  // or was stopped got its end-of-file, and its end was awaited for a while, so that `ended` is
  // known. Errors: all are in the result. Takes at most timeout + kHeldEndBound.
  // Cancellation: throws operation_aborted and closes the stream.
  [[nodiscard]] boost::asio::awaitable<HookResult> Freeze();

  // Suspends until the hook has ended, by itself or because `stop` was asked for, and its answer
  // has come, for which it has kHeldEndBound. kSucceeded: it was asked, and its exit status says
  // that it held until then. Closes the stream.
  // Cancellation: throws operation_aborted and closes the stream.
  [[nodiscard]] boost::asio::awaitable<HookResult> AwaitEnd();

 private:
  void Conclude(HookResult& result);

  kube::ExecClient& exec_;
  kube::Clock& clock_;
  const HeldRun run_;
  kube::Clock::Steady began_{};
  std::optional<ExecReading> reading_;
};

}  // namespace stillpoint::hooks
