// ExecServer: the exec endpoint of an API server on the loopback device, over TLS, with a script
// for what it does to whoever connects.
#pragma once

#include "unit/support/test_certificate.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace stillpoint::unit {

// One connection, after its request was read. Its functions throw when the other side is gone.
class ExecPeer {
 public:
  virtual ~ExecPeer() = default;

  [[nodiscard]] virtual std::string target() const = 0;
  [[nodiscard]] virtual std::string Header(std::string_view name) const = 0;
  [[nodiscard]] virtual std::string client_name() const = 0;  // common name of its certificate

  // Answers the request: with an upgrade to `protocol` (empty: to none), or with a refusal.
  virtual boost::asio::awaitable<void> Accept(std::string protocol) = 0;
  virtual boost::asio::awaitable<void> Refuse(int status, std::string body) = 0;

  // A binary message of the channel byte and `text`, in frames of `frame` bytes (0: one frame).
  virtual boost::asio::awaitable<void> Send(std::uint8_t channel, std::string text,
                                            std::size_t frame = 0) = 0;
  // The next message; empty once the client has closed.
  virtual boost::asio::awaitable<std::string> Receive() = 0;
  virtual boost::asio::awaitable<void> Close() = 0;  // with the good manners of the protocol
  virtual void Drop() = 0;                           // by a reset
  virtual boost::asio::awaitable<void> Sleep(std::chrono::milliseconds duration) = 0;

  // Never reads again, not even pings, until the server is destroyed.
  virtual boost::asio::awaitable<void> Hang() = 0;
};

// Threads: runs scripts on a thread of its own; its methods may be called from any.
class ExecServer {
 public:
  using Script = std::function<boost::asio::awaitable<void>(ExecPeer&)>;

  explicit ExecServer(Script script);
  ~ExecServer();  // drops all connections
  ExecServer(const ExecServer&) = delete;
  ExecServer& operator=(const ExecServer&) = delete;

  [[nodiscard]] std::string port() const;

  // Signs the server's certificate (for localhost and 127.0.0.1); clients of the same authority
  // are known by name, others are served too.
  [[nodiscard]] const TestCertificate& authority() const;

  // Scripts that have ended, and connections whose client is gone, so far.
  [[nodiscard]] int ended() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace stillpoint::unit
