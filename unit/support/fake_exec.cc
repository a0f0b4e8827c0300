#include "unit/support/fake_exec.h"

#include "kube/waiters.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace stillpoint::unit {

namespace asio = boost::asio;

namespace {

// A hang: longer than any test lets pass.
constexpr std::chrono::milliseconds kForever = std::chrono::hours(10'000);

ExecStep Output(kube::ExecEvent::Type type, std::string text, std::chrono::milliseconds after) {
  return {after, kube::ExecEvent{.type = type, .data = std::move(text)}};
}

}  // namespace

ExecStep Prints(std::string text, std::chrono::milliseconds after) {
  return Output(kube::ExecEvent::Type::kStdout, std::move(text), after);
}

ExecStep PrintsError(std::string text, std::chrono::milliseconds after) {
  return Output(kube::ExecEvent::Type::kStderr, std::move(text), after);
}

ExecStep Exits(int code, std::chrono::milliseconds after) {
  return {after, kube::ExecEvent{.type = kube::ExecEvent::Type::kExit, .exit_code = code}};
}

ExecStep LosesStream(std::chrono::milliseconds after) {
  return {after, api::Error{api::Code::kUnavailable, "connection reset"}};
}

class FakeExec::Session final : public kube::ExecSession {
 public:
  Session(FakeExec& owner, ExecScript script)
      : owner_(owner), script_(std::move(script)), last_(owner.clock_.SteadyNow()) {
    ++owner_.open_sessions_;
  }
  ~Session() override { --owner_.open_sessions_; }

  asio::awaitable<api::Result<kube::ExecEvent>> Next() override {
    if (!followed_) followed_.emplace(co_await asio::this_coro::executor);
    while (owner_.clock_.SteadyNow() < Due()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(Due() - owner_.clock_.SteadyNow());
      (void)co_await kube::RunWithin(owner_.clock_, left, followed_->Wait());
    }
    ExecStep step = std::move(script_.steps[at_++]);
    last_ += step.after;
    co_return std::move(step.event);
  }

  void WriteStdin(std::string data) override {
    if (!stdin_open_) return;
    if (data.starts_with("begin")) {
      ++owner_.begun_;
      owner_.last_begin_ = data;
      if (script_.on_begin) Follow(*script_.on_begin);
      return;
    }
    owner_.written_ += data;
    if (script_.on_stdin) Follow(*script_.on_stdin);
  }

  void CloseStdin() override {
    if (!std::exchange(stdin_open_, false)) return;
    ++owner_.closed_stdins_;
    if (script_.on_stdin_closed) Follow(*script_.on_stdin_closed);
  }

  const std::string& ContainerId() const override { return script_.container_id; }

 private:
  void Follow(std::vector<ExecStep> steps) {
    script_.steps = std::move(steps);
    at_ = 0;
    last_ = owner_.clock_.SteadyNow();
    if (followed_) followed_->NotifyAll();
  }

  kube::Clock::Steady Due() const {
    return last_ + (at_ < script_.steps.size() ? script_.steps[at_].after : kForever);
  }

  FakeExec& owner_;
  ExecScript script_;
  std::size_t at_ = 0;
  kube::Clock::Steady last_;  // when the step before was due
  bool stdin_open_ = true;
  std::optional<kube::Waiters> followed_;  // other steps, during a wait
};

void FakeExec::On(std::string argument, ExecScript script) {
  scripts_[std::move(argument)].push_back(std::move(script));
}

std::optional<ExecScript> FakeExec::ScriptFor(const std::vector<std::string>& command) {
  for (const std::string& argument : command) {
    const auto found = scripts_.find(argument);
    if (found == scripts_.end()) continue;
    ExecScript script = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
    return script;
  }
  return std::nullopt;
}

asio::awaitable<api::Result<std::unique_ptr<kube::ExecSession>>> FakeExec::Start(
    kube::ExecRequest request) {
  requests_.push_back(request);
  std::optional<ExecScript> script = ScriptFor(request.command);
  if (!script) co_return api::Error{api::Code::kInvalid, "no script for this command"};
  const auto connect = std::min(script->connect, request.connect_timeout);
  if (connect.count() > 0) co_await clock_.Sleep(connect);
  if (script->connect > request.connect_timeout) {
    co_return api::Error{api::Code::kTimeout, "no answer"};
  }
  if (script->start_error) co_return *script->start_error;
  co_return std::make_unique<Session>(*this, std::move(*script));
}

}  // namespace stillpoint::unit
