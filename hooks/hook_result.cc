#include "hooks/hook_result.h"

#include "api/duration.h"

#include <fmt/format.h>

namespace stillpoint::hooks {
namespace {

std::string WhyFailed(std::int64_t exit_code) {
  switch (exit_code) {
    case 126:
      return "exit code 126: the shell may not run the command";
    case 127:
      return "exit code 127: the shell does not find the command";
    case 137:
      return "exit code 137: it was killed";
    default:
      return fmt::format("exit code {}", exit_code);
  }
}

}  // namespace

std::string HookResult::Sentence() const {
  switch (outcome) {
    case Outcome::kSucceeded:
      return fmt::format("done in {}", api::FormatDuration(duration));
    case Outcome::kFailed:
      return WhyFailed(exit_code.value_or(0));
    case Outcome::kTimedOut:
      return fmt::format("still running after {}{}", api::FormatDuration(duration),
                         ended ? ", it was ended" : ", its end was not seen");
    case Outcome::kPodGone:
      return "the pod is gone";
    case Outcome::kNotStarted:
      return fmt::format("did not start: {}", error);
    case Outcome::kStreamLost:
      return fmt::format("the connection to it was lost: {}", error);
  }
  return {};
}

}  // namespace stillpoint::hooks
