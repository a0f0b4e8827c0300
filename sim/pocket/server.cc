#include "sim/pocket/server.h"

#include "kube/exec_target.h"
#include "kube/listen.h"
#include "kube/task_group.h"
#include "kube/waiters.h"
#include "sim/pocket/exec_socket.h"
#include "sim/pocket/log_feed.h"
#include "sim/pocket/pod_target.h"
#include "sim/pocket/status.h"
#include "sim/pocket/tls_stream.h"

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <exception>
#include <utility>
#include <variant>

namespace stillpoint::sim::pocket {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t kBodyLimit = std::uint64_t{8} << 20;
constexpr std::uint32_t kHeaderLimit = 64 * 1024;
constexpr seconds kIdleTimeout{120};
constexpr seconds kWriteTimeout{30};
constexpr std::size_t kChunkSize = 64 * 1024;
constexpr milliseconds kLogPoll{100};

std::string HeaderOf(const WireRequest& request, http::field field) {
  return std::string(request[field]);
}

HttpRequest FromWire(const WireRequest& request) {
  return {.method = std::string(request.method_string()),
          .target = std::string(request.target()),
          .accept = HeaderOf(request, http::field::accept),
          .content_type = HeaderOf(request, http::field::content_type),
          .body = request.body()};
}

http::response<http::string_body> ToWire(HttpReply reply, bool keep_alive) {
  http::response<http::string_body> response(static_cast<http::status>(reply.status), 11);
  response.set(http::field::content_type, reply.content_type);
  response.set(http::field::cache_control, "no-cache, private");
  for (const std::string& warning : reply.warnings) {
    std::string quoted;
    for (const char c : warning) quoted += c == '"' ? "\\\"" : std::string(1, c);
    response.insert(http::field::warning, fmt::format("299 - \"{}\"", quoted));
  }
  response.keep_alive(keep_alive);
  response.body() = std::move(reply.body);
  response.prepare_payload();
  return response;
}

// Of the way to a container: what is asked in the URL is not invalid but a bad request.
HttpReply Refusal(const api::Error& error) {
  if (error.code == api::Code::kInvalid) {
    return {.status = 400,
            .body = json::serialize(FailureStatus(400, "BadRequest", error.message))};
  }
  return {.status = HttpStatusOf(error.code), .body = json::serialize(FailureStatus(error, {}))};
}

HttpOutcome Handle(HttpApi& api, const WireRequest& request) {
  try {
    return api.Handle(FromWire(request));
  } catch (const std::exception& failure) {
    // The body was JSON, but of another shape than the API has.
    return HttpReply{.status = 400,
                     .body = json::serialize(FailureStatus(400, "BadRequest", failure.what()))};
  }
}

asio::awaitable<void> WriteReply(TlsStream& stream, HttpReply reply, bool keep_alive) {
  beast::get_lowest_layer(stream).expires_after(kWriteTimeout);
  const auto response = ToWire(std::move(reply), keep_alive);
  co_await http::async_write(stream, response, use_awaitable);
}

asio::awaitable<void> WriteHead(TlsStream& stream, std::string content_type) {
  http::response<http::empty_body> head(http::status::ok, 11);
  head.set(http::field::content_type, content_type);
  head.set(http::field::cache_control, "no-cache, private");
  head.keep_alive(false);
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  co_await http::async_write_header(stream, serializer, use_awaitable);
}

asio::awaitable<void> WriteChunk(TlsStream& stream, std::string chunk) {
  if (chunk.empty()) co_return;
  beast::get_lowest_layer(stream).expires_after(kWriteTimeout);
  co_await asio::async_write(stream, http::make_chunk(asio::buffer(chunk)), use_awaitable);
  beast::get_lowest_layer(stream).expires_never();
}

// Returns when the client has closed; it has nothing more to say on this connection.
asio::awaitable<void> UntilClosed(TlsStream& stream) {
  char byte = 0;
  while (true) {
    const auto [error, size] =
        co_await stream.async_read_some(asio::buffer(&byte, 1), asio::as_tuple(use_awaitable));
    if (error) co_return;
  }
}

}  // namespace

class Server::Impl {
 public:
  Impl(asio::any_io_executor executor, ApiServer& api, StartCommandFn start, LogFile log_file,
       kube::Clock& clock, kube::LogFn log, Options options)
      : server_(api),
        api_(api, [&clock] { return clock.Now(); }),
        start_(std::move(start)),
        log_file_(std::move(log_file)),
        clock_(clock),
        options_(std::move(options)),
        context_(asio::ssl::context::tls_server),
        acceptor_(executor),
        changed_(executor),
        tasks_(executor, std::move(log)) {
    context_.use_certificate_chain(asio::buffer(options_.own.certificate_pem));
    context_.use_private_key(asio::buffer(options_.own.key_pem), asio::ssl::context::pem);
    context_.add_certificate_authority(asio::buffer(options_.authority_pem));
    context_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    server_.objects().OnChange([this](const auto&, const auto&) { changed_.NotifyAll(); });
  }

  api::Result<void> Start() {
    if (auto open = kube::Listen(acceptor_, options_.address, options_.port); !open) return open;
    tasks_.Spawn("pocket server", Accept());
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  asio::awaitable<void> Stop() {
    co_await tasks_.Stop();
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  asio::awaitable<void> Accept() {
    while (true) {
      error_code error;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(use_awaitable, error));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {
        co_await clock_.Sleep(seconds(1));
        continue;
      }
      socket.set_option(tcp::no_delay(true), error);
      tasks_.Spawn("pocket connection", Serve(std::move(socket)));
    }
  }

  asio::awaitable<void> Serve(tcp::socket socket) {
    TlsStream stream(std::move(socket), context_);
    try {
      beast::get_lowest_layer(stream).expires_after(kWriteTimeout);
      co_await stream.async_handshake(asio::ssl::stream_base::server, use_awaitable);
      beast::flat_buffer buffer;
      while (co_await ServeOne(stream, buffer)) {
      }
    } catch (const boost::system::system_error& gone) {
      // Whoever hangs up, or shows no certificate, is not worth a line in the log.
      if (gone.code() == asio::error::operation_aborted) throw;
    }
  }

  // False: the connection is used up.
  asio::awaitable<bool> ServeOne(TlsStream& stream, beast::flat_buffer& buffer) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kBodyLimit);
    parser.header_limit(kHeaderLimit);
    beast::get_lowest_layer(stream).expires_after(kIdleTimeout);
    error_code error;
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(use_awaitable, error));
    if (error) co_return false;
    WireRequest request = parser.release();
    auto outcome = Handle(api_, request);
    if (auto* reply = std::get_if<HttpReply>(&outcome)) {
      const bool keep_alive = request.keep_alive();
      co_await WriteReply(stream, std::move(*reply), keep_alive);
      co_return keep_alive;
    }
    beast::get_lowest_layer(stream).expires_never();
    if (auto* feed = std::get_if<WatchFeed>(&outcome)) {
      co_await ServeWatch(stream, std::move(*feed));
    } else if (auto* exec = std::get_if<ExecCall>(&outcome)) {
      co_await Exec(stream, std::move(request), std::move(*exec));
    } else if (auto* log = std::get_if<LogCall>(&outcome)) {
      co_await Log(stream, std::move(*log));
    }
    co_return false;
  }

  asio::awaitable<void> ServeWatch(TlsStream& stream, WatchFeed feed) {
    using namespace asio::experimental::awaitable_operators;
    co_await (PumpWatch(stream, std::move(feed)) || UntilClosed(stream));
  }

  asio::awaitable<void> PumpWatch(TlsStream& stream, WatchFeed feed) {
    co_await WriteHead(stream, "application/json");
    const auto end = clock_.SteadyNow() + feed.lifetime();
    while (!feed.over()) {
      std::string chunk;
      while (chunk.size() < kChunkSize) {
        auto line = feed.Next();
        if (!line) break;
        chunk += *line;
      }
      if (!chunk.empty()) {
        co_await WriteChunk(stream, std::move(chunk));
        continue;
      }
      const auto left = std::chrono::ceil<milliseconds>(end - clock_.SteadyNow());
      if (left <= milliseconds(0)) {
        co_await WriteChunk(stream, feed.Farewell());
        break;
      }
      co_await kube::RunWithin(clock_, left, changed_.Wait());
    }
    co_await asio::async_write(stream, http::make_chunk_last(), use_awaitable);
  }

  asio::awaitable<void> Exec(TlsStream& stream, WireRequest request, ExecCall call) {
    const auto target = FindPodTarget(server_, call.ns, call.pod, call.container);
    if (!target) co_return co_await WriteReply(stream, Refusal(target.error()), false);
    if (!beast::websocket::is_upgrade(request)) {
      HttpReply reply{.status = 400,
                      .body = json::serialize(FailureStatus(
                          400, "BadRequest",
                          "exec needs a websocket (v5.channel.k8s.io); SPDY is not served"))};
      co_return co_await WriteReply(stream, std::move(reply), false);
    }
    co_await ServeExec(stream, std::move(request),
                       {.pod_uid = target->pod_uid,
                        .container = target->container,
                        .argv = std::move(call.argv),
                        .stdin_open = call.input},
                       start_, clock_);
  }

  asio::awaitable<void> Log(TlsStream& stream, LogCall call) {
    using namespace asio::experimental::awaitable_operators;
    const auto target = FindPodTarget(server_, call.ns, call.pod, call.container);
    if (!target) co_return co_await WriteReply(stream, Refusal(target.error()), false);
    LogFeed feed(log_file_(target->pod_uid, target->container), call.tail_lines);
    co_await (PumpLog(stream, std::move(feed), call.follow, *target) || UntilClosed(stream));
  }

  // Followed until the pod is gone.
  asio::awaitable<void> PumpLog(TlsStream& stream, LogFeed feed, bool follow, PodTarget target) {
    co_await WriteHead(stream, "text/plain");
    while (true) {
      std::string chunk = feed.Next(kChunkSize);
      if (!chunk.empty()) {
        co_await WriteChunk(stream, std::move(chunk));
        continue;
      }
      if (!follow || log_file_(target.pod_uid, target.container).empty()) break;
      co_await clock_.Sleep(kLogPoll);
    }
    co_await asio::async_write(stream, http::make_chunk_last(), use_awaitable);
  }

  ApiServer& server_;
  HttpApi api_;
  StartCommandFn start_;
  const LogFile log_file_;
  kube::Clock& clock_;
  const Options options_;
  asio::ssl::context context_;
  tcp::acceptor acceptor_;
  kube::Waiters changed_;
  kube::TaskGroup tasks_;
};

Server::Server(asio::any_io_executor executor, ApiServer& api, StartCommandFn start,
               LogFile log_file, kube::Clock& clock, kube::LogFn log, Options options)
    : impl_(std::make_unique<Impl>(std::move(executor), api, std::move(start), std::move(log_file),
                                   clock, std::move(log), std::move(options))) {}

Server::~Server() = default;

api::Result<void> Server::Start() {
  return impl_->Start();
}

std::uint16_t Server::port() const {
  return impl_->port();
}

asio::awaitable<void> Server::Stop() {
  return impl_->Stop();
}

}  // namespace stillpoint::sim::pocket
