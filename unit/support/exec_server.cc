#include "unit/support/exec_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

namespace stillpoint::unit {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

using Stream = websocket::stream<beast::ssl_stream<beast::tcp_stream>>;

class Peer final : public ExecPeer {
 public:
  Peer(tcp::socket socket, asio::ssl::context& context) : stream_(std::move(socket), context) {}

  asio::awaitable<void> ReadRequest() {
    beast::get_lowest_layer(stream_).expires_never();
    co_await stream_.next_layer().async_handshake(asio::ssl::stream_base::server, use_awaitable);
    http::request_parser<http::string_body> parser;
    parser.header_limit(1 << 20);
    co_await http::async_read(stream_.next_layer(), buffer_, parser, use_awaitable);
    request_ = parser.release();
  }

  std::string target() const override { return std::string(request_.target()); }
  std::string Header(std::string_view name) const override {
    return std::string(request_[beast::string_view(name.data(), name.size())]);
  }

  std::string client_name() const override {
    const auto* session = const_cast<Stream&>(stream_).next_layer().native_handle();
    X509* certificate = SSL_get0_peer_certificate(session);
    if (!certificate) return "";
    char name[100] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof(name));
    return name;
  }

  asio::awaitable<void> Accept(std::string protocol) override {
    stream_.set_option(
        websocket::stream_base::decorator([protocol](websocket::response_type& response) {
          if (!protocol.empty()) response.set(http::field::sec_websocket_protocol, protocol);
        }));
    stream_.binary(true);
    co_await stream_.async_accept(request_, use_awaitable);
  }

  asio::awaitable<void> Refuse(int status, std::string body) override {
    http::response<http::string_body> response(static_cast<http::status>(status), 11, body);
    response.set(http::field::content_type, "application/json");
    response.prepare_payload();
    co_await http::async_write(stream_.next_layer(), response, use_awaitable);
  }

  asio::awaitable<void> Send(std::uint8_t channel, std::string text, std::size_t frame) override {
    text.insert(0, 1, static_cast<char>(channel));
    stream_.auto_fragment(frame > 0);
    if (frame > 0) stream_.write_buffer_bytes(std::max<std::size_t>(frame, 8));
    co_await stream_.async_write(asio::buffer(text), use_awaitable);
  }

  asio::awaitable<std::string> Receive() override {
    beast::flat_buffer message;
    auto [error, size] = co_await stream_.async_read(message, asio::as_tuple(use_awaitable));
    if (error == websocket::error::closed) co_return "";
    if (error) throw boost::system::system_error(error);
    co_return std::string(static_cast<const char*>(message.data().data()), size);
  }

  asio::awaitable<void> Close() override {
    co_await stream_.async_close(websocket::close_code::normal, use_awaitable);
  }

  void Drop() override {
    tcp::socket& socket = beast::get_lowest_layer(stream_).socket();
    socket.set_option(asio::socket_base::linger(true, 0));
    socket.close();
  }

  asio::awaitable<void> Sleep(std::chrono::milliseconds duration) override {
    asio::steady_timer timer(stream_.get_executor(), duration);
    co_await timer.async_wait(use_awaitable);
  }

  asio::awaitable<void> Hang() override { return Sleep(std::chrono::hours(1)); }

 private:
  Stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
};

}  // namespace

class ExecServer::Impl {
 public:
  explicit Impl(Script script)
      : script_(std::move(script)),
        authority_(MakeTestAuthority()),
        acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    const auto own = MakeTestCertificate(authority_, "server", "DNS:localhost,IP:127.0.0.1");
    context_.use_certificate(asio::buffer(own.certificate_pem), asio::ssl::context::pem);
    context_.use_private_key(asio::buffer(own.key_pem), asio::ssl::context::pem);
    context_.add_certificate_authority(asio::buffer(authority_.certificate_pem));
    context_.set_verify_mode(asio::ssl::verify_peer);
    asio::co_spawn(io_, Listen(), Rethrow);
    thread_ = std::jthread([this] { io_.run(); });
  }

  ~Impl() { io_.stop(); }

  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
  const TestCertificate& authority() const { return authority_; }
  int ended() const { return ended_; }

 private:
  static void Rethrow(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  }

  asio::awaitable<void> Listen() {
    for (;;) {
      tcp::socket socket = co_await acceptor_.async_accept(use_awaitable);
      asio::co_spawn(io_, Serve(std::move(socket)), [this](std::exception_ptr) { ++ended_; });
    }
  }

  asio::awaitable<void> Serve(tcp::socket socket) {
    Peer peer(std::move(socket), context_);
    co_await peer.ReadRequest();
    co_await script_(peer);
  }

  const Script script_;
  const TestCertificate authority_;
  asio::ssl::context context_{asio::ssl::context::tls_server};
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::atomic<int> ended_ = 0;
  std::jthread thread_;  // last: joined before what it runs on is gone
};

ExecServer::ExecServer(Script script) : impl_(std::make_unique<Impl>(std::move(script))) {}

ExecServer::~ExecServer() = default;

std::string ExecServer::port() const {
  return impl_->port();
}

const TestCertificate& ExecServer::authority() const {
  return impl_->authority();
}

int ExecServer::ended() const {
  return impl_->ended();
}

}  // namespace stillpoint::unit
