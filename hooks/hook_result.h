// HookResult: how one run of one hook ended. Plain data: plans look at it, statuses are made of it.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <cstdint>
#include <optional>
#include <string>

namespace stillpoint::hooks {

enum class Outcome {
  kSucceeded,   // exit code 0
  kFailed,      // another exit code
  kTimedOut,    // it was still running when its time was over
  kPodGone,     // no pod with this UID, or it has ended
  kNotStarted,  // see `code` and `error`; `ended` says whether it may have started nevertheless
  kStreamLost,  // the connection broke while it ran
  kStopped      // it was stopped while it ran, as nobody wanted it any more
};

struct HookResult {
  Outcome outcome = Outcome::kNotStarted;
  std::optional<std::int64_t> exit_code;  // of a guarded command also after kTimedOut: 128 + signal
  api::Duration duration{};               // from the call to the end of the run
  std::string output_tail;                // the last KiB of stdout and stderr as they came
  bool truncated = false;                 // there was more output than that
  std::string container_id;               // the life of the container in which it ran
  bool ended = false;  // the command is known to run no more: its end was seen, or it never began
  api::Code code = api::Code::kUnknown;  // kNotStarted, kPodGone, kStreamLost: why
  std::string error;                     // the same for people; empty otherwise

  [[nodiscard]] bool Succeeded() const { return outcome == Outcome::kSucceeded; }

  // What happened, for the second half of "pre-hook db in pod-0/mysql: ...". Never holds the
  // command's text; its output is for the status alone.
  [[nodiscard]] std::string Sentence() const;

  // The same for the end of a held hook that had confirmed its freeze: kSucceeded is a release that
  // was asked for, and confirmed by the exit status.
  [[nodiscard]] std::string HeldSentence() const;

  bool operator==(const HookResult&) const = default;
};

}  // namespace stillpoint::hooks
