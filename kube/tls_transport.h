// Transport: one TCP connection, and TLS over it. Knows no HTTP.
#pragma once

#include "api/error.h"
#include "kube/clock.h"
#include "kube/tls_client_context.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace stillpoint::kube {

// A peer that vanishes without a word is found out after about 30 s, whether we wait for it (TCP
// keep-alive) or have sent it something (TCP_USER_TIMEOUT).
//
// Threads: call on the executor given to the constructor; one coroutine at a time.
// Lifetime: must outlive every coroutine suspended in it. Destroying it closes the connection.
// Errors: kUnavailable; kInvalid when the server's certificate is not to be trusted.
// Cancellation: throws operation_aborted; of no more use then.
class Transport {
 public:
  Transport(boost::asio::any_io_executor executor, Clock& clock);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // `host` is a DNS name or an IP address. Tries each address of a name, in the resolver's order.
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> Connect(std::string host,
                                                                  std::string port);

  // Speaks TLS from here on. The server must prove by a subject alternative name to be the one that
  // `context` expects; `server_name` is that name, for messages.
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> StartTls(
      std::shared_ptr<TlsClientContext> context, std::string server_name);

  [[nodiscard]] boost::asio::awaitable<api::Result<void>> Write(std::string bytes);

  // The next octets, at least one; empty: the peer has ended the stream in good order. Valid until
  // the next call.
  [[nodiscard]] boost::asio::awaitable<api::Result<std::string_view>> ReadSome();

  // Octets that were handed over to the peer's side of the wire, as far as we know.
  [[nodiscard]] std::size_t bytes_written() const;

  // Whether the idle connection is open and silent, as it should be between two exchanges.
  [[nodiscard]] bool IsIdle() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stillpoint::kube
