#include "hooks/hook_result.h"

#include "api/duration.h"
#include "hooks/begin_request.h"
#include "hooks/hold_script.h"

#include <fmt/format.h>

namespace stillpoint::hooks {
namespace {

std::string WhyFailed(std::int64_t exit_code) {
  switch (exit_code) {
    case kNotBegun:
      return "exit code 119: the container was too slow, or the network, and it was not begun";
    case 126:
      return "exit code 126: the shell may not run the command";
    case 127:
      return "exit code 127: the shell does not find the command";
    case 137:
      return "exit code 137: it was killed";
    case kHoldNoTimer:
      return "exit code 123: a held hook needs `sleep` in the image, to bound it";
    case kHoldEndedEarly:
      return fmt::format("it ended without saying {}", kHeldMarker);
    default:
      return fmt::format("exit code {}", exit_code);
  }
}

std::string WhyReleased(std::int64_t exit_code) {
  switch (exit_code) {
    case kHoldReleased:
    case kHoldEndedEarly:
      return "it ended before it was asked to release";
    case kHoldStreamEnded:
      return "it released early, as its connection was cut";
    case kHoldExpired:
      return "its own timer released it in the container, as maxFreeze was over";
    case 143:
      return "exit code 143: it did not release by itself and was ended";
    default:
      return fmt::format("it ended with {}", WhyFailed(exit_code));
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
    case Outcome::kStopped:
      return fmt::format("stopped, as the freeze was given up{}",
                         ended ? "" : "; its end was not seen");
  }
  return {};
}

std::string HookResult::HeldSentence() const {
  switch (outcome) {
    case Outcome::kSucceeded:
      return "held until it was asked to release";
    case Outcome::kFailed:
      return WhyReleased(exit_code.value_or(0));
    case Outcome::kTimedOut:
      return "asked to release, it gave no answer";
    case Outcome::kStreamLost:
      return fmt::format("the connection that held it was lost: {}", error);
    case Outcome::kPodGone:
    case Outcome::kNotStarted:
    case Outcome::kStopped:
      return Sentence();
  }
  return {};
}

}  // namespace stillpoint::hooks
