#include "unit/support/script_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

namespace stillpoint::unit {

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::use_awaitable;
using asio::ip::tcp;

asio::awaitable<void> Copy(tcp::socket* from, tcp::socket* to) {
  std::array<char, 4096> buffer;
  while (true) {
    const auto count = co_await from->async_read_some(asio::buffer(buffer), use_awaitable);
    co_await asio::async_write(*to, asio::buffer(buffer, count), use_awaitable);
  }
}

// One accepted connection.
class Peer {
 public:
  Peer(tcp::socket socket, ssl::context* context) : socket_(std::move(socket)) {
    socket_.set_option(tcp::no_delay(true));
    if (context != nullptr) tls_.emplace(socket_, *context);
  }

  asio::awaitable<void> Handshake() {
    if (tls_) co_await tls_->async_handshake(ssl::stream_base::server, use_awaitable);
  }

  // Empty: the client has closed.
  asio::awaitable<std::string> ReadRequest() {
    while (!HasRequest()) {
      std::array<char, 4096> buffer;
      const std::size_t count = co_await ReadSome(asio::buffer(buffer));
      if (count == 0) co_return "";
      input_.append(buffer.data(), count);
    }
    const std::size_t size = RequestSize();
    std::string request = input_.substr(0, size);
    input_.erase(0, size);
    co_return request;
  }

  asio::awaitable<void> Write(std::string bytes) {
    if (tls_) {
      co_await asio::async_write(*tls_, asio::buffer(bytes), use_awaitable);
    } else {
      co_await asio::async_write(socket_, asio::buffer(bytes), use_awaitable);
    }
  }

  asio::awaitable<void> WaitForClose() {
    std::array<char, 4096> buffer;
    while (co_await ReadSome(asio::buffer(buffer)) > 0) {
    }
  }

  asio::awaitable<void> TunnelTo(std::string port) {
    using namespace asio::experimental::awaitable_operators;
    tcp::socket other(socket_.get_executor());
    const auto number = static_cast<unsigned short>(std::atoi(port.c_str()));
    co_await other.async_connect({asio::ip::address_v4::loopback(), number}, use_awaitable);
    co_await (Copy(&socket_, &other) && Copy(&other, &socket_));
  }

  asio::awaitable<void> CloseTls() { co_await tls_->async_shutdown(use_awaitable); }

  void Cut() { socket_.close(); }

  void Reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }

  std::string client_name() const {
    if (!tls_) return "";
    X509* const certificate =
        SSL_get1_peer_certificate(const_cast<ssl::stream<tcp::socket&>&>(*tls_).native_handle());
    if (certificate == nullptr) return "";
    std::array<char, 256> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    X509_free(certificate);
    return name.data();
  }

 private:
  // Zero when the client has gone, in whatever way.
  asio::awaitable<std::size_t> ReadSome(asio::mutable_buffer space) {
    try {
      if (tls_) co_return co_await tls_->async_read_some(space, use_awaitable);
      co_return co_await socket_.async_read_some(space, use_awaitable);
    } catch (const boost::system::system_error&) {
      co_return 0;
    }
  }

  [[nodiscard]] bool HasRequest() const {
    return input_.find("\r\n\r\n") != std::string::npos && input_.size() >= RequestSize();
  }

  [[nodiscard]] std::size_t RequestSize() const {
    const std::size_t head = input_.find("\r\n\r\n") + 4;
    const std::size_t field = input_.find("Content-Length: ");
    if (field >= head) return head;
    return head + std::strtoul(input_.c_str() + field + 16, nullptr, 10);
  }

  tcp::socket socket_;
  std::optional<ssl::stream<tcp::socket&>> tls_;
  std::string input_;
};

}  // namespace

std::string HttpAnswer(int status, const std::string& body, const std::string& more_headers) {
  return fmt::format(
      "HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}", status,
      body.size(), more_headers, body);
}

ScriptStep Read() {
  return {ScriptStep::Kind::kRead, ""};
}
ScriptStep Write(std::string bytes) {
  return {ScriptStep::Kind::kWrite, std::move(bytes)};
}
ScriptStep CloseTls() {
  return {ScriptStep::Kind::kCloseTls, ""};
}
ScriptStep Cut() {
  return {ScriptStep::Kind::kCut, ""};
}
ScriptStep Reset() {
  return {ScriptStep::Kind::kReset, ""};
}
ScriptStep Tunnel(std::string port) {
  return {ScriptStep::Kind::kTunnel, std::move(port)};
}

// Shared with its coroutines: they may outlive the server, though not the loop.
class ScriptServer::Impl : public std::enable_shared_from_this<ScriptServer::Impl> {
 public:
  Impl(asio::io_context& io, Options options, Script script)
      : options_(std::move(options)),
        script_(std::move(script)),
        acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    if (!options_.tls) return;
    const TestCertificate own = MakeTestCertificate(authority_, "server", options_.names);
    context_.use_certificate(asio::buffer(own.certificate_pem), ssl::context::pem);
    context_.use_private_key(asio::buffer(own.key_pem), ssl::context::pem);
    context_.add_certificate_authority(asio::buffer(authority_.certificate_pem));
    context_.set_verify_mode(options_.require_client_certificate
                                 ? ssl::verify_peer | ssl::verify_fail_if_no_peer_cert
                                 : ssl::verify_peer);
  }

  void Start() { Spawn(Accept(shared_from_this())); }
  void Stop() { acceptor_.close(); }

  [[nodiscard]] std::string port() const {
    return std::to_string(acceptor_.local_endpoint().port());
  }
  [[nodiscard]] const TestCertificate& authority() const { return authority_; }
  [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }
  [[nodiscard]] const std::vector<std::string>& client_names() const { return client_names_; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int open() const { return open_; }

 private:
  // A connection that breaks is what many tests are about: the client's side is what they look at.
  void Spawn(asio::awaitable<void> coroutine) {
    asio::co_spawn(acceptor_.get_executor(), std::move(coroutine), [](std::exception_ptr failure) {
      try {
        if (failure) std::rethrow_exception(failure);
      } catch (const boost::system::system_error&) {
        return;
      }
    });
  }

  asio::awaitable<void> Accept(std::shared_ptr<Impl> self) {
    while (true) {
      tcp::socket socket = co_await acceptor_.async_accept(use_awaitable);
      const auto nth = static_cast<std::size_t>(connections_++);
      Spawn(Serve(self, std::move(socket), script_[std::min(nth, script_.size() - 1)]));
    }
  }

  asio::awaitable<void> Serve(std::shared_ptr<Impl> self, tcp::socket socket,
                              std::vector<ScriptStep> steps) {
    const Open open(*self);
    Peer peer(std::move(socket), options_.tls ? &context_ : nullptr);
    co_await peer.Handshake();
    client_names_.push_back(peer.client_name());
    for (ScriptStep& step : steps) {
      if (!co_await Do(&peer, std::move(step))) co_return;
    }
    co_await peer.WaitForClose();
  }

  // False: the connection is over.
  asio::awaitable<bool> Do(Peer* peer, ScriptStep step) {
    switch (step.kind) {
      case ScriptStep::Kind::kRead: {
        std::string request = co_await peer->ReadRequest();
        if (request.empty()) co_return false;
        requests_.push_back(std::move(request));
        co_return true;
      }
      case ScriptStep::Kind::kWrite:
        co_await peer->Write(std::move(step.text));
        co_return true;
      case ScriptStep::Kind::kCloseTls:
        co_await peer->CloseTls();
        co_return false;
      case ScriptStep::Kind::kCut:
        peer->Cut();
        co_return false;
      case ScriptStep::Kind::kReset:
        peer->Reset();
        co_return false;
      case ScriptStep::Kind::kTunnel:
        co_await peer->TunnelTo(std::move(step.text));
        co_return false;
    }
    co_return false;
  }

  struct Open {
    explicit Open(Impl& server) : impl(server) { ++impl.open_; }
    ~Open() { --impl.open_; }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    Impl& impl;
  };

  const Options options_;
  const Script script_;
  const TestCertificate authority_ = MakeTestAuthority();
  ssl::context context_{ssl::context::tls_server};
  tcp::acceptor acceptor_;
  std::vector<std::string> requests_;
  std::vector<std::string> client_names_;
  int connections_ = 0;
  int open_ = 0;
};

ScriptServer::ScriptServer(asio::io_context& io, Options options, Script script)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(script))) {
  impl_->Start();
}

ScriptServer::~ScriptServer() {
  impl_->Stop();
}

std::string ScriptServer::port() const {
  return impl_->port();
}

const TestCertificate& ScriptServer::authority() const {
  return impl_->authority();
}

const std::vector<std::string>& ScriptServer::requests() const {
  return impl_->requests();
}

const std::vector<std::string>& ScriptServer::client_names() const {
  return impl_->client_names();
}

int ScriptServer::connections() const {
  return impl_->connections();
}

int ScriptServer::open() const {
  return impl_->open();
}

}  // namespace stillpoint::unit
