#include "kube/http_server.h"

#include "kube/listen.h"
#include "kube/task_group.h"
#include "kube/waiters.h"

#include <fmt/format.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <map>
#include <optional>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kHeaderLimit = 8192;

// After accept() has failed, mostly for want of file descriptors.
constexpr std::chrono::milliseconds kAcceptPause = std::chrono::seconds(1);

using Response = http::response<http::string_body>;
using HttpRequest = http::request<http::empty_body>;

Response Build(const HttpAnswer& answer, bool keep_alive) {
  Response response(static_cast<http::status>(answer.status), 11);
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(keep_alive);
  response.body() = answer.body;
  response.prepare_payload();
  return response;
}

std::string PathOf(const HttpRequest& request) {
  const std::string target(request.target());
  return target.substr(0, target.find('?'));
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(asio::any_io_executor executor, Clock& clock, LogFn log, Options options)
      : clock_(clock),
        log_(std::move(log)),
        options_(std::move(options)),
        acceptor_(executor),
        room_(executor),
        tasks_(executor, log_) {}

  void Handle(std::string path, Handler handler) {
    handlers_.insert_or_assign(std::move(path), std::move(handler));
  }

  api::Result<void> Start() {
    if (auto open = Listen(acceptor_, options_.address, options_.port); !open) return open;
    port_ = acceptor_.local_endpoint().port();
    tasks_.Spawn("http server", Accept());
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  asio::awaitable<void> Stop() {
    co_await tasks_.Stop();
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  asio::awaitable<void> Accept() {
    while (true) {
      while (connections_ >= options_.max_connections) co_await room_.Wait();
      error_code error;
      auto socket =
          co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {
        log_(Severity::kWarning, fmt::format("http server: accept: {}", error.message()));
        co_await clock_.Sleep(kAcceptPause);
        continue;
      }
      tasks_.Spawn("http connection", Serve(std::move(socket)));
    }
  }

  // Counts a connection for as long as its coroutine lives.
  struct Place {
    explicit Place(Impl& owner) : server(owner) { ++server.connections_; }
    ~Place() {
      --server.connections_;
      server.room_.NotifyOne();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Impl& server;
  };

  asio::awaitable<void> Serve(tcp::socket socket) {
    const Place place(*this);
    beast::flat_buffer buffer(kHeaderLimit);
    bool keep_alive = true;
    while (keep_alive) {
      const bool in_time = co_await RunWithin(clock_, options_.idle_timeout,
                                              ServeOne(&socket, &buffer, &keep_alive));
      if (!in_time) co_return;
    }
  }

  // One request and its answer. Pointers into the frame of Serve(), which awaits it.
  asio::awaitable<void> ServeOne(tcp::socket* socket, beast::flat_buffer* buffer,
                                 bool* keep_alive) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(kHeaderLimit);
    error_code error;
    co_await http::async_read(*socket, *buffer, parser,
                              asio::redirect_error(asio::use_awaitable, error));
    *keep_alive = !error && parser.get().keep_alive();
    // Whoever went away, or never spoke, gets no answer.
    if (error && (error.category() != http::make_error_code(http::error{}).category() ||
                  error == http::error::end_of_stream)) {
      co_return;
    }
    const HttpAnswer answer = error ? HttpAnswer{400, "bad request\n"} : AnswerTo(parser.get());
    Response response = Build(answer, *keep_alive);
    const bool head = !error && parser.get().method() == http::verb::head;
    co_await Send(socket, &response, head, &error);
    if (error) *keep_alive = false;
  }

  static asio::awaitable<void> Send(tcp::socket* socket, Response* response, bool head,
                                    error_code* error) {
    http::response_serializer<http::string_body> serializer(*response);
    auto token = asio::redirect_error(asio::use_awaitable, *error);
    if (head) {
      co_await http::async_write_header(*socket, serializer, token);
    } else {
      co_await http::async_write(*socket, serializer, token);
    }
  }

  HttpAnswer AnswerTo(const HttpRequest& request) const {
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      return {405, "only GET\n"};
    }
    const auto handler = handlers_.find(PathOf(request));
    if (handler == handlers_.end()) return {404, "not found\n"};
    try {
      return handler->second();
    } catch (const std::exception& e) {
      log_(Severity::kError, fmt::format("http server: {}: {}", handler->first, e.what()));
      return {500, "internal error\n"};
    }
  }

  Clock& clock_;
  const LogFn log_;
  const Options options_;
  std::map<std::string, Handler> handlers_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::size_t connections_ = 0;
  Waiters room_;
  TaskGroup tasks_;
};

HttpServer::HttpServer(asio::any_io_executor executor, Clock& clock, LogFn log, Options options)
    : impl_(
          std::make_unique<Impl>(std::move(executor), clock, std::move(log), std::move(options))) {}

HttpServer::~HttpServer() = default;

void HttpServer::Handle(std::string path, Handler handler) {
  impl_->Handle(std::move(path), std::move(handler));
}

api::Result<void> HttpServer::Start() {
  return impl_->Start();
}

std::uint16_t HttpServer::port() const {
  return impl_->port();
}

asio::awaitable<void> HttpServer::Stop() {
  return impl_->Stop();
}

}  // namespace stillpoint::kube
