// Resolve: the addresses of a host.
#pragma once

#include "api/error.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <vector>

namespace stillpoint::kube {

// `host` is a DNS name or an IP address, `port` a number. In the order to try them in.
// Errors: kUnavailable.
// Cancellation: throws operation_aborted at once.
[[nodiscard]] boost::asio::awaitable<api::Result<std::vector<boost::asio::ip::tcp::endpoint>>>
Resolve(std::string host, std::string port);

}  // namespace stillpoint::kube
