// Proxy: whether a server is reached through an HTTP proxy, and through which. Pure.
//
// Contract: golang.org/x/net/http/httpproxy, which kubectl uses.
#pragma once

#include "api/error.h"
#include "kube/config.h"
#include "kube/environment.h"
#include "kube/server_url.h"

#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::kube {

struct Proxy {
  std::string host;
  std::string port;
  Sensitive authorization;  // value of Proxy-Authorization; empty: none
};

// Where a proxy listens. As Go does: "proxy:3128" means "http://proxy:3128". Errors: kInvalid.
[[nodiscard]] api::Result<ServerUrl> ParseProxyServer(std::string_view url);

// Errors: kInvalid for what is no `http://` URL; proxies are spoken to in clear text only, as what
// passes through them is TLS anyway.
[[nodiscard]] api::Result<Proxy> ParseProxyUrl(std::string_view url);

// The URL of the proxy that the variables HTTPS_PROXY and NO_PROXY (or in lower case, which loses
// to upper case) ask for; empty for none. `host` is a DNS name or an IP address without brackets.
[[nodiscard]] std::string ProxyFromEnvironment(const Environment& environment,
                                               std::string_view host, std::string_view port);

// Whether `no_proxy` exempts the host. A loopback host always is.
[[nodiscard]] bool IsExempt(std::string_view no_proxy, std::string_view host,
                            std::string_view port);

}  // namespace stillpoint::kube
