// The HTTP messages that the client exchanges with an API server, without any I/O.
#pragma once

#include "kube/config.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::kube {

struct HttpRequest {
  std::string method;
  std::string target;        // path and query, percent-encoded
  std::string content_type;  // empty: the request has no body
  std::string body;
};

// The part of a response's head that somebody acts on.
struct HttpHead {
  int status = 0;
  std::optional<std::chrono::seconds> retry_after;
};

// The octets of `request` for HTTP/1.1. `host` is the value of the Host header.
[[nodiscard]] std::string Serialize(const HttpRequest& request, std::string_view host,
                                    std::string_view user_agent, const Sensitive& bearer_token);

// The octets that ask a proxy for a tunnel to `host`, a "name:port". `authorization` may be empty.
[[nodiscard]] std::string SerializeConnect(std::string_view host, const Sensitive& authorization);

// Whether `text` can stand in a header line without changing the lines after it.
[[nodiscard]] bool IsHeaderValue(std::string_view text);

}  // namespace stillpoint::kube
