#include "kube/listen.h"

#include <fmt/format.h>

namespace stillpoint::kube {

namespace asio = boost::asio;
using asio::ip::tcp;

api::Result<void> Listen(tcp::acceptor& acceptor, const std::string& address, std::uint16_t port) {
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error) {
    return api::Error{api::Code::kInvalid, fmt::format("\"{}\" is not an IP address", address)};
  }
  const tcp::endpoint endpoint(parsed, port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) return {};
  return api::Error{api::Code::kUnavailable,
                    fmt::format("cannot listen on {} port {}: {}", address, port, error.message())};
}

}  // namespace stillpoint::kube
