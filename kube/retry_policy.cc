#include "kube/retry_policy.h"

#include <algorithm>

namespace stillpoint::kube {

namespace {

using std::chrono::milliseconds;

bool MayRetry(Verb verb, const FailedAttempt& failed) {
  if (failed.hopeless) return false;
  const bool read = verb == Verb::kGet || verb == Verb::kList;
  switch (failed.progress) {
    case Progress::kNothingSent:
      return failed.error.code == api::Code::kUnavailable;
    case Progress::kSent:
      return read && failed.error.code == api::Code::kUnavailable;
    case Progress::kAnswered:
      break;
  }
  if (failed.http_status == 429) return true;
  if (failed.http_status == 503 && failed.error.retry_after) return true;
  return read && failed.http_status >= 500;
}

milliseconds Backoff(int attempt, double jitter) {
  const double base = std::min(3000.0, 100.0 * static_cast<double>(1 << std::min(attempt, 10)));
  return milliseconds(static_cast<milliseconds::rep>(base * (0.5 + jitter)));
}

}  // namespace

std::optional<milliseconds> RetryDelay(Verb verb, const FailedAttempt& failed, int attempt,
                                       double jitter) {
  if (!MayRetry(verb, failed)) return std::nullopt;
  const bool answered = failed.progress == Progress::kAnswered;
  if (failed.on_reused_connection && !answered && attempt == 0) return milliseconds(0);
  // The longer one: `Retry-After: 0` is no leave to hammer.
  return std::max(Backoff(attempt, jitter),
                  milliseconds(failed.error.retry_after.value_or(std::chrono::seconds(0))));
}

}  // namespace stillpoint::kube
