// PreparedRun: the exec of a post-hook, opened before it is wanted, so that the thaw is one frame
// on a stream that is there. Its guard waits for the word to begin (begin_request.h), and runs
// nothing without it: a preparation that nobody uses, or whose controller dies, leaves nothing
// behind.
//
// It is a short cut and no more: HookRunner uses it if it is there, and does without it at once if
// it is not, or does not answer.
#pragma once

#include "hooks/exec_reading.h"
#include "hooks/stop_signal.h"
#include "kube/clock.h"
#include "kube/exec.h"
#include "kube/waiters.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace stillpoint::hooks {

// Threads: call every method on the executor given to the constructor.
// Lifetime: shared by the task that keeps it and by whoever is to use it; `exec` and `clock` must
// outlive it.
class PreparedRun {
 public:
  // `request` runs a guarded post-hook.
  PreparedRun(boost::asio::any_io_executor executor, kube::ExecClient& exec, kube::Clock& clock,
              kube::ExecRequest request);
  PreparedRun(const PreparedRun&) = delete;
  PreparedRun& operator=(const PreparedRun&) = delete;

  // Opens the exec, and keeps it until it is used, closed, refused or lost, for `longest` at most.
  // Call once, before all else. Errors: none, it is only not ready then.
  // Cancellation: throws operation_aborted and closes the stream.
  [[nodiscard]] boost::asio::awaitable<void> Keep(std::chrono::milliseconds longest);

  // Still on its way.
  [[nodiscard]] bool opening() const { return keeping_ && !reading_; }

  // Open, confirmed, and for all that is known its guard waits.
  [[nodiscard]] bool ready() const { return keeping_ && reading_ && !reading_->over(); }

  // Suspends until it is ready: for ever where it never is. Cancellation: throws operation_aborted.
  [[nodiscard]] boost::asio::awaitable<void> UntilReady();

  // Tells it to begin, at once, and hands it over: the guard's answer, kBegunAnswer, is the first
  // thing to read. Not null. REQUIRES: ready().
  // Cancellation: throws operation_aborted; the stream is closed.
  [[nodiscard]] boost::asio::awaitable<std::unique_ptr<ExecReading>> Begin();

  // Nobody wants it: ends Keep().
  void Close() { enough_->Ask(); }

 private:
  [[nodiscard]] boost::asio::awaitable<void> OpenAndWatch();

  kube::ExecClient& exec_;
  kube::Clock& clock_;
  kube::ExecRequest request_;
  const std::shared_ptr<StopSignal> enough_;
  kube::Waiters news_;
  bool keeping_ = true;
  bool used_ = false;
  kube::Clock::Steady open_since_{};
  std::unique_ptr<ExecReading> reading_;  // null: not open yet, or given away
};

}  // namespace stillpoint::hooks
