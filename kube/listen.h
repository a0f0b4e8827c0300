// Opening a port for the servers of this program.
#pragma once

#include "api/error.h"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>

namespace stillpoint::kube {

// Binds `acceptor`, which is not open yet, to an address of this machine and listens; port 0: any
// that is free. Errors: kInvalid when `address` is no IP address, kUnavailable when the port cannot
// be had.
[[nodiscard]] api::Result<void> Listen(boost::asio::ip::tcp::acceptor& acceptor,
                                       const std::string& address, std::uint16_t port);

}  // namespace stillpoint::kube
