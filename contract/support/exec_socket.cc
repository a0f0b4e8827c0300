#include "contract/support/exec_socket.h"

#include "api/core.h"
#include "kube/exec_target.h"

#include <fmt/format.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <stdexcept>
#include <utility>

namespace stillpoint::contract {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::use_awaitable;

namespace {

constexpr std::chrono::seconds kTimeout{60};
constexpr std::size_t kMaxMessage = std::size_t{16} << 20;

asio::ssl::context MakeContext(const kube::Config& config, const kube::Credential& credential) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_verify_mode(asio::ssl::verify_peer);
  context.add_certificate_authority(asio::buffer(config.ca_pem));
  if (!credential.client_certificate_pem.empty()) {
    context.use_certificate_chain(asio::buffer(credential.client_certificate_pem));
    context.use_private_key(asio::buffer(credential.client_key_pem.Reveal()),
                            asio::ssl::context::pem);
  }
  return context;
}

}  // namespace

class ExecSocket::Impl {
 public:
  Impl(const asio::any_io_executor& executor, const kube::Config& config,
       const kube::Credential& credential)
      : context_(MakeContext(config, credential)), stream_(executor, context_) {}

  asio::awaitable<Upgrade> Open(kube::Config config, kube::Credential credential,
                                std::string target, std::string protocols);
  asio::awaitable<std::optional<ExecFrame>> Read();
  asio::awaitable<void> Write(std::string message);
  asio::awaitable<void> Close();

  [[nodiscard]] beast::tcp_stream& tcp() { return beast::get_lowest_layer(stream_); }

 private:
  asio::ssl::context context_;
  websocket::stream<beast::ssl_stream<beast::tcp_stream>> stream_;
  beast::flat_buffer buffer_;
  bool has_status_ = false;
};

asio::awaitable<Upgrade> ExecSocket::Impl::Open(kube::Config config, kube::Credential credential,
                                                std::string target, std::string protocols) {
  asio::ip::tcp::resolver resolver(stream_.get_executor());
  tcp().expires_after(kTimeout);
  co_await tcp().async_connect(
      co_await resolver.async_resolve(config.host, config.port, use_awaitable), use_awaitable);
  const std::string name = config.tls_server_name.empty() ? config.host : config.tls_server_name;
  stream_.next_layer().set_verify_callback(asio::ssl::host_name_verification(name));
  co_await stream_.next_layer().async_handshake(asio::ssl::stream_base::client, use_awaitable);
  stream_.read_message_max(kMaxMessage);
  stream_.set_option(websocket::stream_base::decorator([=](websocket::request_type& request) {
    request.set(beast::http::field::sec_websocket_protocol, protocols);
    if (credential.bearer_token.empty()) return;
    request.set(beast::http::field::authorization, "Bearer " + credential.bearer_token.Reveal());
  }));
  websocket::response_type response;
  boost::system::error_code refused;
  co_await stream_.async_handshake(response, fmt::format("{}:{}", config.host, config.port), target,
                                   asio::redirect_error(use_awaitable, refused));
  if (refused && refused != websocket::error::upgrade_declined) {
    throw boost::system::system_error(refused);
  }
  co_return Upgrade{.status = static_cast<int>(response.result_int()),
                    .protocol = std::string(response[beast::http::field::sec_websocket_protocol]),
                    .text = response.body()};
}

asio::awaitable<std::optional<ExecFrame>> ExecSocket::Impl::Read() {
  buffer_.clear();
  tcp().expires_after(kTimeout);
  boost::system::error_code error;
  co_await stream_.async_read(buffer_, asio::redirect_error(use_awaitable, error));
  // After the status the server hangs up without waiting for the closing handshake.
  if (error == websocket::error::closed || (error && has_status_)) co_return std::nullopt;
  if (error) throw boost::system::system_error(error);
  const std::string message = beast::buffers_to_string(buffer_.data());
  if (message.empty()) throw std::runtime_error("a message without a channel");
  ExecFrame frame{static_cast<unsigned char>(message[0]), message.substr(1)};
  has_status_ = has_status_ || frame.channel == 3;
  co_return frame;
}

asio::awaitable<void> ExecSocket::Impl::Write(std::string message) {
  tcp().expires_after(kTimeout);
  stream_.binary(true);
  co_await stream_.async_write(asio::buffer(message), use_awaitable);
}

asio::awaitable<void> ExecSocket::Impl::Close() {
  tcp().expires_after(kTimeout);
  // Whether the server says goodbye too is its own affair.
  boost::system::error_code ignored;
  co_await stream_.async_close(websocket::close_code::normal,
                               asio::redirect_error(use_awaitable, ignored));
}

ExecSocket::ExecSocket(Session& session, const std::string& pod,
                       const std::vector<std::string>& command, const ExecOptions& options)
    : session_(session) {
  auto credential = session.Await(session.config().credentials->Current());
  if (!credential) throw std::runtime_error(credential.error().message);
  impl_ = std::make_unique<Impl>(session.executor(), session.config(), *credential);
  const std::string target =
      kube::ExecRequestTarget(session.config().base_path, {.ns = session.ns(),
                                                           .pod = pod,
                                                           .container = options.container,
                                                           .command = command,
                                                           .stdin_open = options.stdin_open});
  upgrade_ = session.Await(impl_->Open(session.config(), *credential, target, options.protocols));
}

ExecSocket::~ExecSocket() = default;

std::optional<ExecFrame> ExecSocket::Read() {
  return session_.Await(impl_->Read());
}

std::vector<std::string> ExecSocket::ReadAll() {
  std::vector<std::string> channels(4);
  while (auto frame = Read()) channels.at(static_cast<std::size_t>(frame->channel)) += frame->data;
  return channels;
}

void ExecSocket::ReadUntil(const std::string& text) {
  std::string seen;
  while (auto frame = Read()) {
    if (frame->channel == 1) seen += frame->data;
    if (seen.find(text) != std::string::npos) return;
  }
  throw std::runtime_error(fmt::format("the stream has ended before {}: {}", text, seen));
}

void ExecSocket::Write(const std::string& bytes) {
  session_.Await(impl_->Write(std::string(1, '\0') + bytes));
}

void ExecSocket::CloseStdin() {
  session_.Await(impl_->Write(std::string("\xff\0", 2)));
}

void ExecSocket::Close() {
  session_.Await(impl_->Close());
}

void ExecSocket::Drop() {
  impl_->tcp().socket().close();
}

void ExecSocket::Reset() {
  impl_->tcp().socket().set_option(asio::socket_base::linger(true, 0));
  impl_->tcp().socket().close();
}

}  // namespace stillpoint::contract
