// The Client that talks to a real API server: HTTP/1.1 over TLS.
#pragma once

#include "kube/client.h"
#include "kube/clock.h"
#include "kube/config.h"
#include "kube/log.h"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace stillpoint::kube {

// One HTTP request, retries counted apart: for the metric rest_client_requests_total.
struct HttpRequestMetric {
  std::string_view verb;      // as RBAC calls it
  std::string_view resource;  // plural
  int http_status = 0;        // 0: no answer
  std::chrono::milliseconds duration{};
};

struct HttpClientOptions {
  std::function<void(const HttpRequestMetric&)> observe;  // may be empty
  std::uint64_t jitter_seed = 1;                          // of the pauses between retries
};

// Do() retries as retry_policy.h says, within the deadline of the request; when the next pause
// would end after it, the last failure is given back at once. 401 makes it ask for another
// credential and try once more. kTimeout means that the deadline came in the middle of an attempt.
// Watch() opens the stream under a deadline of 15 s, with the same retries as a read.
//
// Lifetime: `clock` must outlive the client, and the client every WatchStream.
[[nodiscard]] std::unique_ptr<Client> MakeHttpClient(boost::asio::any_io_executor executor,
                                                     Config config, Clock& clock, LogFn log,
                                                     HttpClientOptions options = {});

}  // namespace stillpoint::kube
