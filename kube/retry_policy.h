// Whether, and after how long, an attempt that failed is made again. Pure.
//
// What is safe: a read always, a write only when the server cannot have carried it out.
#pragma once

#include "api/error.h"
#include "kube/client.h"

#include <chrono>
#include <optional>

namespace stillpoint::kube {

// How far an attempt came before it failed.
enum class Progress {
  kNothingSent,  // no octet of the request left us
  kSent,         // some did, and no answer came: it may have been carried out
  kAnswered,     // the server said no, with `http_status`
};

struct FailedAttempt {
  api::Error error;
  Progress progress = Progress::kNothingSent;
  int http_status = 0;
  bool hopeless = false;  // a wrong certificate, no credential: trying again cannot help
  bool on_reused_connection = false;  // the peer may have closed it in the moment we wrote to it
};

// The pause before the next attempt, empty when there must not be one.
// - nothing sent:  every verb
// - sent:          reads only; at once if the connection was a reused one and this the first try
// - 429:           every verb: the server refuses before it acts
// - 503:           reads; writes only with Retry-After, which says the same. Without it, it may be
//                  a proxy that lost the server's answer
// - other 5xx:     reads only
// The backoff doubles from 100 ms up to 3 s, times 0.5 to 1.5; a longer Retry-After wins.
// `attempt` counts from 0; `jitter` is a random number of [0, 1).
[[nodiscard]] std::optional<std::chrono::milliseconds> RetryDelay(Verb verb,
                                                                  const FailedAttempt& failed,
                                                                  int attempt, double jitter);

}  // namespace stillpoint::kube
