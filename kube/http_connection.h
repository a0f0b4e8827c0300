// HttpConnection: HTTP/1.1 exchanges with one API server over one connection, one after another.
#pragma once

#include "api/error.h"
#include "kube/clock.h"
#include "kube/http_message.h"
#include "kube/proxy.h"
#include "kube/tls_transport.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace stillpoint::kube {

// Where to connect to, and how.
struct HttpEndpoint {
  std::string host;
  std::string port;
  std::optional<Proxy> proxy;             // reached by its CONNECT method
  std::shared_ptr<TlsClientContext> tls;  // null: plain HTTP
  std::string server_name;                // what `tls` expects
};

// Beyond these an answer is refused; Beast's own defaults are 8 MB and 8 KB.
inline constexpr std::size_t kMaxBodyBytes = std::size_t{64} << 20;
inline constexpr std::uint32_t kMaxHeaderBytes = 64U << 10;

// Threads: call on the executor given to the constructor; one coroutine at a time.
// Lifetime: must outlive every coroutine suspended in it. Destroying it closes the connection.
// Errors: kUnavailable; kInvalid when the server's certificate is not to be trusted, kUnknown when
// an answer is no HTTP or too large. No exchange can follow.
// Cancellation: throws operation_aborted; no exchange can follow.
class HttpConnection {
 public:
  enum class BodyLength {
    kBounded,  // at most kMaxBodyBytes
    kEndless,  // a watch
  };

  HttpConnection(boost::asio::any_io_executor executor, Clock& clock);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  [[nodiscard]] boost::asio::awaitable<api::Result<void>> Open(HttpEndpoint endpoint);

  // Begins an exchange with the octets of a request.
  // REQUIRES: the one before it is at its end.
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> Send(std::string request,
                                                               BodyLength expected);

  [[nodiscard]] boost::asio::awaitable<api::Result<HttpHead>> ReadHead();

  // The next piece of the body, however it is cut; empty: the exchange is at its end.
  [[nodiscard]] boost::asio::awaitable<api::Result<std::string>> ReadBody();

  // Whether any octet of the present exchange's request may have reached the server.
  [[nodiscard]] bool HasSent() const;
  // Whether any octet of its answer has come.
  [[nodiscard]] bool HasAnswer() const;
  // Whether another exchange may follow: this one is at its end, and the peer has not hung up.
  [[nodiscard]] bool IsReusable() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stillpoint::kube
