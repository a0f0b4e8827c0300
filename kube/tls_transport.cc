#include "kube/tls_transport.h"

#include "kube/resolve.h"
#include "kube/server_url.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <optional>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

// For one address of a name that has several: the others want their turn.
constexpr auto kAddressTimeout = 5s;

// One TLS record.
constexpr std::size_t kReadBuffer = std::size_t{16} << 10;

// The awaits below take errors as values, so the one that means "you were cancelled" is put back
// into the form that every coroutine expects.
void ThrowIfAborted(error_code error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

api::Error Unavailable(std::string message) {
  return {api::Code::kUnavailable, std::move(message)};
}

// 15 s of silence, then a probe every 5 s: dead after three without an answer.
void WatchPeer(tcp::socket& socket) {
  const int fd = socket.native_handle();
  const auto set = [fd](int level, int option, int value) {
    // Not worth an error: the deadline of the request remains.
    (void)::setsockopt(fd, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

}  // namespace

class Transport::Impl {
 public:
  Impl(asio::any_io_executor executor, Clock& clock)
      : clock_(clock), executor_(executor), socket_(std::move(executor)) {}

  asio::awaitable<api::Result<void>> Connect(std::string host, std::string port);
  asio::awaitable<api::Result<void>> StartTls(std::shared_ptr<TlsClientContext> context,
                                              std::string server_name);
  asio::awaitable<api::Result<void>> Write(std::string bytes);
  asio::awaitable<api::Result<std::string_view>> ReadSome();
  [[nodiscard]] bool IsIdle() const;
  [[nodiscard]] std::size_t bytes_written() const { return bytes_written_; }

 private:
  asio::awaitable<api::Result<void>> ConnectTo(tcp::endpoint endpoint);
  [[nodiscard]] api::Error HandshakeError(const std::string& server_name, error_code error);

  Clock& clock_;
  asio::any_io_executor executor_;
  tcp::socket socket_;
  std::shared_ptr<TlsClientContext> context_;  // before the stream that uses it
  std::optional<ssl::stream<tcp::socket&>> tls_;
  std::array<char, kReadBuffer> buffer_;
  std::size_t bytes_written_ = 0;
};

asio::awaitable<api::Result<void>> Transport::Impl::Connect(std::string host, std::string port) {
  auto endpoints = co_await Resolve(host, port);
  if (!endpoints) co_return endpoints.error();
  api::Result<void> connected = Unavailable(fmt::format("{} has no address", host));
  for (std::size_t i = 0; i < endpoints->size(); ++i) {
    const bool last = i + 1 == endpoints->size();
    connected = last ? co_await ConnectTo((*endpoints)[i])
                     : co_await WithTimeout(clock_, kAddressTimeout, "no answer",
                                            ConnectTo((*endpoints)[i]));
    if (connected) co_return connected;
  }
  co_return Unavailable(
      fmt::format("cannot connect to {}: {}", HostPort(host, port), connected.error().message));
}

asio::awaitable<api::Result<void>> Transport::Impl::ConnectTo(tcp::endpoint endpoint) {
  error_code ignored;
  socket_.close(ignored);  // a socket is good for one attempt
  const auto [error] = co_await socket_.async_connect(endpoint, kAwaitTuple);
  ThrowIfAborted(error);
  if (error) co_return Unavailable(error.message());
  WatchPeer(socket_);
  co_return api::Result<void>{};
}

asio::awaitable<api::Result<void>> Transport::Impl::StartTls(
    std::shared_ptr<TlsClientContext> context, std::string server_name) {
  context_ = std::move(context);
  SSL* session = context_->NewSession();
  if (!session) co_return Unavailable("TLS: no memory for a session");
  tls_.emplace(socket_, session);  // which owns it from here on
  const auto [error] = co_await tls_->async_handshake(ssl::stream_base::client, kAwaitTuple);
  ThrowIfAborted(error);
  if (error) co_return HandshakeError(server_name, error);
  bytes_written_ = 0;
  co_return api::Result<void>{};
}

api::Error Transport::Impl::HandshakeError(const std::string& server_name, error_code error) {
  const long verdict = SSL_get_verify_result(tls_->native_handle());
  if (verdict == X509_V_OK) {
    return Unavailable(
        fmt::format("TLS handshake with {} failed: {}", server_name,
                    error == asio::error::eof ? "connection closed" : error.message()));
  }
  return {api::Code::kInvalid,
          fmt::format("the certificate of {} is not to be trusted: {}; check the certificate "
                      "authority and the server name of the configuration",
                      server_name, X509_verify_cert_error_string(verdict))};
}

asio::awaitable<api::Result<void>> Transport::Impl::Write(std::string bytes) {
  const auto data = asio::buffer(bytes);
  const auto [error, count] = tls_ ? co_await asio::async_write(*tls_, data, kAwaitTuple)
                                   : co_await asio::async_write(socket_, data, kAwaitTuple);
  bytes_written_ += count;
  ThrowIfAborted(error);
  if (error) co_return Unavailable(fmt::format("connection lost: {}", error.message()));
  co_return api::Result<void>{};
}

asio::awaitable<api::Result<std::string_view>> Transport::Impl::ReadSome() {
  const auto space = asio::buffer(buffer_);
  const auto [error, count] = tls_ ? co_await tls_->async_read_some(space, kAwaitTuple)
                                   : co_await socket_.async_read_some(space, kAwaitTuple);
  ThrowIfAborted(error);
  if (error == asio::error::eof) co_return std::string_view{};
  if (error == ssl::error::stream_truncated) {
    co_return Unavailable("connection lost: closed without a word");
  }
  if (error) co_return Unavailable(fmt::format("connection lost: {}", error.message()));
  co_return std::string_view(buffer_.data(), count);
}

bool Transport::Impl::IsIdle() const {
  char octet = 0;
  const int fd = const_cast<tcp::socket&>(socket_).native_handle();
  const auto count = ::recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

Transport::Transport(asio::any_io_executor executor, Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(executor), clock)) {}

Transport::~Transport() = default;

asio::awaitable<api::Result<void>> Transport::Connect(std::string host, std::string port) {
  return impl_->Connect(std::move(host), std::move(port));
}

asio::awaitable<api::Result<void>> Transport::StartTls(std::shared_ptr<TlsClientContext> context,
                                                       std::string server_name) {
  return impl_->StartTls(std::move(context), std::move(server_name));
}

asio::awaitable<api::Result<void>> Transport::Write(std::string bytes) {
  return impl_->Write(std::move(bytes));
}

asio::awaitable<api::Result<std::string_view>> Transport::ReadSome() {
  return impl_->ReadSome();
}

std::size_t Transport::bytes_written() const {
  return impl_->bytes_written();
}

bool Transport::IsIdle() const {
  return impl_->IsIdle();
}

}  // namespace stillpoint::kube
