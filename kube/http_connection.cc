#include "kube/http_connection.h"

#include "kube/server_url.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

// What a proxy is called in messages.
std::string Via(const HttpEndpoint& endpoint) {
  return fmt::format("proxy {}", HostPort(endpoint.proxy->host, endpoint.proxy->port));
}

// Feeds on octets, cut anywhere; gives the head and the pieces of the body.
class AnswerParser final : public http::basic_parser<false> {
 public:
  explicit AnswerParser(HttpConnection::BodyLength expected) {
    header_limit(kMaxHeaderBytes);
    if (expected == HttpConnection::BodyLength::kEndless) {
      body_limit(boost::none);
    } else {
      body_limit(kMaxBodyBytes);
    }
    eager(true);
  }

  [[nodiscard]] const HttpHead& head() const { return head_; }
  [[nodiscard]] std::string TakeBody() { return std::exchange(body_, {}); }

 private:
  using Text = boost::beast::string_view;

  void on_request_impl(http::verb, Text, Text, int, error_code&) override {}
  void on_response_impl(int status, Text, int, error_code&) override { head_.status = status; }
  void on_field_impl(http::field name, Text, Text value, error_code&) override {
    if (name != http::field::retry_after) return;
    // The other form, a date, is not what API servers send.
    int seconds = 0;
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, seconds);
    if (parsed.ec == std::errc() && parsed.ptr == end && seconds >= 0) {
      head_.retry_after = std::chrono::seconds(seconds);
    }
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(Text piece, error_code&) override {
    body_.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, error_code&) override {
    body_.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}

  HttpHead head_;
  std::string body_;
};

api::Error Unavailable(std::string message) {
  return {api::Code::kUnavailable, std::move(message)};
}

api::Error BadAnswer(const error_code& error) {
  if (error == http::error::body_limit) {
    return {api::Code::kUnknown,
            fmt::format("the answer is larger than {} MB", kMaxBodyBytes >> 20)};
  }
  if (error == http::error::header_limit) {
    return {api::Code::kUnknown,
            fmt::format("the headers of the answer are larger than {} KB", kMaxHeaderBytes >> 10)};
  }
  return {api::Code::kUnknown, fmt::format("the answer is no HTTP: {}", error.message())};
}

}  // namespace

class HttpConnection::Impl {
 public:
  Impl(asio::any_io_executor executor, Clock& clock) : transport_(std::move(executor), clock) {}

  asio::awaitable<api::Result<void>> Open(HttpEndpoint endpoint);
  asio::awaitable<api::Result<void>> Send(std::string request, BodyLength expected);
  asio::awaitable<api::Result<HttpHead>> ReadHead();
  asio::awaitable<api::Result<std::string>> ReadBody();

  [[nodiscard]] bool HasSent() const { return transport_.bytes_written() > written_before_; }
  [[nodiscard]] bool HasAnswer() const { return parser_ && parser_->got_some(); }
  [[nodiscard]] bool IsReusable() const {
    // Left-over octets are not ours: an answer to a question that nobody asked.
    return parser_ && parser_->is_done() && parser_->keep_alive() && pending_.empty() &&
           transport_.IsIdle();
  }

 private:
  asio::awaitable<api::Result<void>> OpenTunnel(HttpEndpoint endpoint);
  asio::awaitable<api::Result<void>> ReadMore();
  api::Result<void> Parse();

  Transport transport_;
  std::optional<AnswerParser> parser_;  // of the present exchange
  std::string pending_;                 // read, not yet parsed
  std::size_t written_before_ = 0;
};

asio::awaitable<api::Result<void>> HttpConnection::Impl::Open(HttpEndpoint endpoint) {
  if (endpoint.proxy) {
    if (auto opened = co_await OpenTunnel(endpoint); !opened) co_return opened;
  } else if (auto connected = co_await transport_.Connect(endpoint.host, endpoint.port);
             !connected) {
    co_return connected;
  }
  if (!endpoint.tls) co_return api::Result<void>{};
  co_return co_await transport_.StartTls(endpoint.tls, endpoint.server_name);
}

asio::awaitable<api::Result<void>> HttpConnection::Impl::OpenTunnel(HttpEndpoint endpoint) {
  const std::string via = Via(endpoint);
  auto connected = co_await transport_.Connect(endpoint.proxy->host, endpoint.proxy->port);
  if (!connected) co_return Unavailable(fmt::format("{}: {}", via, connected.error().message));
  auto sent = co_await Send(
      SerializeConnect(HostPort(endpoint.host, endpoint.port), endpoint.proxy->authorization),
      BodyLength::kBounded);
  if (!sent) co_return Unavailable(fmt::format("{}: {}", via, sent.error().message));
  parser_->skip(true);  // what follows the head of a CONNECT's answer is the tunnel
  auto head = co_await ReadHead();
  if (!head) co_return Unavailable(fmt::format("{}: {}", via, head.error().message));
  if (head->status / 100 != 2) {
    co_return Unavailable(fmt::format("{} refused the tunnel to {}: HTTP {}", via,
                                      HostPort(endpoint.host, endpoint.port), head->status));
  }
  parser_.reset();
  co_return api::Result<void>{};
}

asio::awaitable<api::Result<void>> HttpConnection::Impl::Send(std::string request,
                                                              BodyLength expected) {
  parser_.emplace(expected);
  pending_.clear();
  written_before_ = transport_.bytes_written();
  co_return co_await transport_.Write(std::move(request));
}

asio::awaitable<api::Result<HttpHead>> HttpConnection::Impl::ReadHead() {
  while (!parser_->is_header_done()) {
    if (auto more = co_await ReadMore(); !more) co_return more.error();
  }
  co_return parser_->head();
}

asio::awaitable<api::Result<std::string>> HttpConnection::Impl::ReadBody() {
  while (true) {
    std::string piece = parser_->TakeBody();
    if (!piece.empty() || parser_->is_done()) co_return piece;
    if (auto more = co_await ReadMore(); !more) co_return more.error();
  }
}

asio::awaitable<api::Result<void>> HttpConnection::Impl::ReadMore() {
  auto bytes = co_await transport_.ReadSome();
  if (!bytes) co_return bytes.error();
  if (!bytes->empty()) {
    pending_ += *bytes;
    co_return Parse();
  }
  if (!parser_->got_some()) co_return Unavailable("the server closed the connection");
  error_code error;
  parser_->put_eof(error);
  if (error) co_return Unavailable("the server closed the connection in the middle of its answer");
  co_return api::Result<void>{};
}

api::Result<void> HttpConnection::Impl::Parse() {
  std::size_t parsed = 0;
  error_code error;
  while (parsed < pending_.size() && !parser_->is_done() && !error) {
    parsed += parser_->put(asio::buffer(pending_) + parsed, error);
  }
  pending_.erase(0, parsed);
  if (error && error != http::error::need_more) return BadAnswer(error);
  return {};
}

HttpConnection::HttpConnection(asio::any_io_executor executor, Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(executor), clock)) {}

HttpConnection::~HttpConnection() = default;

asio::awaitable<api::Result<void>> HttpConnection::Open(HttpEndpoint endpoint) {
  return impl_->Open(std::move(endpoint));
}

asio::awaitable<api::Result<void>> HttpConnection::Send(std::string request, BodyLength expected) {
  return impl_->Send(std::move(request), expected);
}

asio::awaitable<api::Result<HttpHead>> HttpConnection::ReadHead() {
  return impl_->ReadHead();
}

asio::awaitable<api::Result<std::string>> HttpConnection::ReadBody() {
  return impl_->ReadBody();
}

bool HttpConnection::HasSent() const {
  return impl_->HasSent();
}

bool HttpConnection::HasAnswer() const {
  return impl_->HasAnswer();
}

bool HttpConnection::IsReusable() const {
  return impl_->IsReusable();
}

}  // namespace stillpoint::kube
