// FakeExec: containers that answer by script, on a fake clock.
#pragma once

#include "kube/clock.h"
#include "kube/exec.h"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::unit {

// What a command does, and when: `after` counts from the step before. A script without an end never
// ends, as a command that hangs.
struct ExecStep {
  std::chrono::milliseconds after{0};
  api::Result<kube::ExecEvent> event;
};

[[nodiscard]] ExecStep Prints(std::string text, std::chrono::milliseconds after = {});
[[nodiscard]] ExecStep PrintsError(std::string text, std::chrono::milliseconds after = {});
[[nodiscard]] ExecStep Exits(int code, std::chrono::milliseconds after = {});
[[nodiscard]] ExecStep LosesStream(std::chrono::milliseconds after = {});

struct ExecScript {
  std::chrono::milliseconds connect{0};   // until Start() answers
  std::optional<api::Error> start_error;  // what it answers; empty: a session
  std::vector<ExecStep> steps;
  // What the command does once its stdin is closed, instead of the rest of `steps`. Empty: it does
  // not care.
  std::optional<std::vector<ExecStep>> on_stdin_closed;
  // The same, once it is told to begin.
  std::optional<std::vector<ExecStep>> on_begin;
  // The same, once something else is written to it.
  std::optional<std::vector<ExecStep>> on_stdin;
  std::string container_id = "containerd://1";
};

// Threads: the thread of the test. Lifetime: must outlive its sessions.
class FakeExec final : public kube::ExecClient {
 public:
  explicit FakeExec(kube::Clock& clock) : clock_(clock) {}

  // The next run of a command that has `argument` somewhere in its argv (so that a guarded one is
  // found by its text) follows `script`. Scripts of one argument are used in order; the last stays.
  void On(std::string argument, ExecScript script);

  // Errors: kInvalid when nothing was scripted for the command.
  boost::asio::awaitable<api::Result<std::unique_ptr<kube::ExecSession>>> Start(
      kube::ExecRequest request) override;

  [[nodiscard]] const std::vector<kube::ExecRequest>& requests() const { return requests_; }
  [[nodiscard]] int open_sessions() const { return open_sessions_; }
  [[nodiscard]] const std::string& written() const {
    return written_;
  }  // to all stdins, without that
  [[nodiscard]] int begun() const { return begun_; }  // scripts that were told to begin
  [[nodiscard]] const std::string& last_begin() const { return last_begin_; }  // the very words
  [[nodiscard]] int closed_stdins() const { return closed_stdins_; }

 private:
  class Session;

  [[nodiscard]] std::optional<ExecScript> ScriptFor(const std::vector<std::string>& command);

  kube::Clock& clock_;
  std::map<std::string, std::deque<ExecScript>> scripts_;
  std::vector<kube::ExecRequest> requests_;
  std::string written_;
  int open_sessions_ = 0;
  std::string last_begin_;
  int begun_ = 0;
  int closed_stdins_ = 0;
};

}  // namespace stillpoint::unit
