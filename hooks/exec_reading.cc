#include "hooks/exec_reading.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>

#include <exception>
#include <utility>

namespace stillpoint::hooks {
namespace {

using boost::asio::awaitable;
using namespace boost::asio::experimental::awaitable_operators;

// A line that is looked for is short: of a longer one, so much is enough to tell it apart.
constexpr std::size_t kLongestLine = 256;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

awaitable<void> UntilStopped(std::shared_ptr<StopSignal> stop, awaitable<void> operation) {
  if (!stop) co_return co_await std::move(operation);
  try {
    (void)co_await (std::move(operation) || stop->Wait());
  } catch (const boost::asio::multiple_exceptions& both) {
    std::rethrow_exception(both.first_exception());  // cancelled: one operation_aborted, not two
  }
}

}  // namespace

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

HookResult NotStarted(const api::Error& error) {
  HookResult result;
  result.outcome = error.code == api::Code::kNotFound ? Outcome::kPodGone : Outcome::kNotStarted;
  result.ended = !MayHaveStarted(error.code);
  result.code = error.code;
  result.error = error.message;
  return result;
}

ExecReading::ExecReading(std::unique_ptr<kube::ExecSession> session)
    : session_(std::move(session)) {}

awaitable<void> ExecReading::ToEnd() {
  while (!over()) co_await Step();
}

awaitable<void> ExecReading::ToLine(std::string line) {
  wanted_line_ = std::move(line);
  while (!over() && !seen_) co_await Step();
}

awaitable<void> ExecReading::ToAnswer() {
  while (!over() && !answered()) co_await Step();
}

awaitable<void> ExecReading::Step() {
  api::Result<kube::ExecEvent> event = co_await session_->Next();
  if (!event) {
    lost_ = std::move(event).error();
  } else if (event->type == kube::ExecEvent::Type::kExit) {
    exit_code_ = event->exit_code;
  } else if (event->type == kube::ExecEvent::Type::kStdout) {
    const std::string_view data = WithoutAnswer(event->data);
    output_.Append(data);
    Look(data);
  } else {
    output_.Append(event->data);
  }
}

// It may come in pieces.
std::string_view ExecReading::WithoutAnswer(std::string_view data) {
  std::size_t size = 0;
  while (size < data.size() && size < answer_.size() && data[size] == answer_[size]) ++size;
  answer_.erase(0, size);
  data.remove_prefix(size);
  return data;
}

void ExecReading::Look(std::string_view data) {
  if (wanted_line_.empty() || seen_) return;
  for (const char c : data) {
    if (c != '\n') {
      if (line_.size() < kLongestLine) line_ += c;
      continue;
    }
    seen_ = seen_ || Trimmed(line_) == wanted_line_;
    line_.clear();
  }
}

void ExecReading::FillIn(HookResult& result) const {
  result.container_id = session_->ContainerId();
  result.exit_code = exit_code_;
  result.output_tail = output_.Text();
  result.truncated = output_.truncated();
  result.ended = ended();
  if (lost_) {
    result.code = lost_->code;
    result.error = lost_->message;
    result.ended = !MayHaveStarted(lost_->code);
  }
}

Outcome ExecReading::Reached() const {
  if (exit_code_) return *exit_code_ == 0 ? Outcome::kSucceeded : Outcome::kFailed;
  if (!lost_) return Outcome::kTimedOut;
  return MayHaveStarted(lost_->code) ? Outcome::kStreamLost : Outcome::kNotStarted;
}

awaitable<void> RunUntilStopped(kube::Clock& clock, std::chrono::milliseconds timeout,
                                std::shared_ptr<StopSignal> stop, awaitable<void> operation) {
  (void)co_await kube::RunWithin(clock, timeout,
                                 UntilStopped(std::move(stop), std::move(operation)));
}

}  // namespace stillpoint::hooks
