// ExecReading: one exec that runs, and what it has told so far. Private to hooks/.
#pragma once

#include "hooks/hook_result.h"
#include "hooks/output_tail.h"
#include "hooks/stop_signal.h"
#include "kube/clock.h"
#include "kube/exec.h"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stillpoint::hooks {

// Whether a command whose start gave `code` can be running.
[[nodiscard]] bool MayHaveStarted(api::Code code);

// The result of a start that gave `error`.
[[nodiscard]] HookResult NotStarted(const api::Error& error);

// Threads: the loop. Its coroutines must be awaited before it dies.
class ExecReading {
 public:
  explicit ExecReading(std::unique_ptr<kube::ExecSession> session);

  // Reads until the command has ended or its stream is lost. What was read is kept when this is
  // cancelled, so that it can be called again.
  [[nodiscard]] boost::asio::awaitable<void> ToEnd();

  // As ToEnd, or until stdout had `line` on a line of its own.
  [[nodiscard]] boost::asio::awaitable<void> ToLine(std::string line);

  // Of a script that is going to answer with this line, ahead of all other stdout: it is no output
  // of the hook. Call before anything is read.
  void ExpectAnswer(std::string line) { answer_ = std::move(line); }

  // As ToEnd, or until that answer has come.
  [[nodiscard]] boost::asio::awaitable<void> ToAnswer();
  [[nodiscard]] bool answered() const { return answer_.empty(); }

  // Sets what is known by now: the exit code, the output, whether it runs no more.
  void FillIn(HookResult& result) const;

  // kTimedOut while the end is unknown.
  [[nodiscard]] Outcome Reached() const;

  [[nodiscard]] bool ended() const { return exit_code_.has_value(); }
  [[nodiscard]] bool over() const { return exit_code_ || lost_; }
  [[nodiscard]] bool seen() const { return seen_; }  // the line of ToLine
  [[nodiscard]] kube::ExecSession& session() { return *session_; }
  [[nodiscard]] std::unique_ptr<kube::ExecSession> Release() { return std::move(session_); }

 private:
  [[nodiscard]] boost::asio::awaitable<void> Step();
  void Look(std::string_view data);
  [[nodiscard]] std::string_view WithoutAnswer(std::string_view data);

  std::unique_ptr<kube::ExecSession> session_;
  OutputTail output_;
  std::string answer_;  // what is still missing of it
  std::string wanted_line_;
  std::string line_;  // of stdout, as far as it came
  bool seen_ = false;
  std::optional<std::int64_t> exit_code_;
  std::optional<api::Error> lost_;
};

// Runs `operation` for at most `timeout`, and only until `stop`, which may be null, is asked for;
// then cancels it. Waits until it has ended. Cancellation: cancels it and throws what it throws.
[[nodiscard]] boost::asio::awaitable<void> RunUntilStopped(kube::Clock& clock,
                                                           std::chrono::milliseconds timeout,
                                                           std::shared_ptr<StopSignal> stop,
                                                           boost::asio::awaitable<void> operation);

}  // namespace stillpoint::hooks
