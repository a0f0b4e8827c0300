// ServerUrl: the URLs of a kubeconfig and of the proxy variables, taken apart. Pure.
#pragma once

#include "api/error.h"
#include "kube/config.h"

#include <string>
#include <string_view>

namespace stillpoint::kube {

struct ServerUrl {
  std::string scheme;   // lower case
  Sensitive user_info;  // "user:password", percent-decoded; empty: none
  std::string host;     // without brackets
  std::string port;     // the scheme's default when the URL has none
  std::string path;     // without a trailing slash; often empty
};

// Errors: kInvalid, with a sentence that does not repeat the URL, which may hold a password.
[[nodiscard]] api::Result<ServerUrl> ParseServerUrl(std::string_view url);

// Of ASCII letters, as schemes and host names are compared.
[[nodiscard]] std::string LowerCase(std::string_view text);

// 127.0.0.0/8, ::1, or the name localhost.
[[nodiscard]] bool IsLoopback(std::string_view host);

// `host:port`, with the brackets that an IPv6 address needs.
[[nodiscard]] std::string HostPort(std::string_view host, std::string_view port);

}  // namespace stillpoint::kube
