#include "kube/http_call.h"

#include "api/duration.h"
#include "kube/server_url.h"
#include "kube/status.h"

#include <boost/json/stream_parser.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::kube {

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

// Schemas in a CRD nest deeper than Boost.JSON's default of 32.
constexpr std::size_t kMaxJsonDepth = 256;

// Of an answer that is an error; what comes after it is not read.
constexpr std::size_t kMaxRefusalBytes = std::size_t{1} << 20;

api::Error Named(const CallName& name, api::Code code, std::string_view message) {
  return {code, fmt::format("{}: {}: {}", name.ToString(), api::ToString(code), message)};
}

// A JSON text that comes in pieces. Parsed as it comes, so that a large list neither stops the loop
// nor is held twice.
class JsonBody {
 public:
  JsonBody() : parser_({}, {.max_depth = kMaxJsonDepth}) {}

  void Write(std::string_view piece) {
    empty_ = false;
    if (!error_) parser_.write(piece.data(), piece.size(), error_);
  }

  // Null for a body without an octet.
  [[nodiscard]] api::Result<json::value> Finish() {
    if (empty_) return json::value();
    if (!error_) parser_.finish(error_);
    if (!error_) return parser_.release();
    return api::Error{api::Code::kUnknown,
                      fmt::format("the answer is not JSON: {}", error_.message())};
  }

 private:
  json::stream_parser parser_;
  boost::system::error_code error_;
  bool empty_ = true;
};

}  // namespace

api::Result<std::shared_ptr<TlsClientContext>> HttpShared::TlsFor(const Credential& credential) {
  if (config.plain_http) return nullptr;
  if (tls && SameCertificate(tls_identity, credential)) return tls;
  auto identity = TlsIdentity::Parse(credential);
  if (!identity) return identity.error();
  if (!tls) {
    auto context = TlsClientContext::Make(config);
    if (!context) return context.error();
    tls = std::move(*context);
  }
  pool.Clear();
  tls->SetIdentity(std::move(*identity));
  tls_identity = credential;
  return tls;
}

asio::awaitable<api::Result<json::value>> HttpCall::Fetch(milliseconds timeout) {
  return RunUntilDeadline(timeout, &HttpCall::FetchOnce);
}

asio::awaitable<api::Result<HttpCall::Connection>> HttpCall::OpenStream(milliseconds timeout) {
  return RunUntilDeadline(timeout, &HttpCall::OpenStreamOnce);
}

template <class T>
asio::awaitable<api::Result<T>> HttpCall::RunUntilDeadline(
    milliseconds timeout, asio::awaitable<api::Result<T>> (HttpCall::*once)()) {
  deadline_ = shared_.clock.SteadyNow() + timeout;
  auto result = co_await WithTimeout(shared_.clock, timeout, "", Retry(once));
  if (finished_) co_return result;
  Observe(0);
  std::string message = fmt::format("no answer within {}", api::FormatDuration(timeout));
  if (attempt_ > 0) message += fmt::format("; the attempt before: {}", failed_.error.message);
  co_return Named(name_, api::Code::kTimeout, message);
}

template <class T>
asio::awaitable<api::Result<T>> HttpCall::Retry(
    asio::awaitable<api::Result<T>> (HttpCall::*once)()) {
  while (true) {
    attempt_start_ = shared_.clock.SteadyNow();
    auto result = co_await (this->*once)();
    const auto pause = result ? std::nullopt : NextPause();
    if (!pause) {
      finished_ = true;
      co_return result;
    }
    ++attempt_;
    if (pause->count() > 0) co_await shared_.clock.Sleep(*pause);
  }
}

asio::awaitable<api::Result<json::value>> HttpCall::FetchOnce() {
  auto connection = co_await Exchange(HttpConnection::BodyLength::kBounded);
  if (!connection) co_return connection.error();
  JsonBody body;
  while (true) {
    auto piece = co_await (*connection)->ReadBody();
    if (!piece) co_return Fail(**connection, piece.error());
    if (piece->empty()) break;
    body.Write(*piece);
  }
  auto value = body.Finish();
  if (!value) co_return Fail(**connection, value.error());
  shared_.pool.Put(std::move(*connection));
  co_return value;
}

asio::awaitable<api::Result<HttpCall::Connection>> HttpCall::OpenStreamOnce() {
  return Exchange(HttpConnection::BodyLength::kEndless);
}

asio::awaitable<api::Result<HttpCall::Connection>> HttpCall::Exchange(
    HttpConnection::BodyLength expected) {
  auto credential = co_await shared_.config.credentials->Current();
  if (!credential) {
    failed_ = {.error = credential.error(), .hopeless = true};
    co_return Named(name_, credential.error().code, credential.error().message);
  }
  auto connection = co_await Connect(*credential);
  if (!connection) co_return FailToConnect(connection.error());
  HttpConnection& http = **connection;
  auto sent =
      co_await http.Send(Serialize(request_, HostPort(shared_.config.host, shared_.config.port),
                                   shared_.config.user_agent, credential->bearer_token),
                         expected);
  if (!sent) co_return Fail(http, sent.error());
  const auto head = co_await http.ReadHead();
  if (!head) co_return Fail(http, head.error());
  Observe(head->status);
  if (head->status / 100 != 2) co_return co_await ReadRefusal(std::move(*connection), *head);
  co_return connection;
}

asio::awaitable<api::Result<HttpCall::Connection>> HttpCall::Connect(Credential credential) {
  const Config& config = shared_.config;
  auto tls = shared_.TlsFor(credential);
  if (!tls) co_return tls.error();
  auto connection = shared_.pool.Take();
  connection_reused_ = connection != nullptr;
  if (connection) co_return connection;
  HttpEndpoint endpoint{
      .host = config.host,
      .port = config.port,
      .tls = *tls,
      .server_name = config.tls_server_name.empty() ? config.host : config.tls_server_name};
  if (!config.proxy_url.empty()) {
    auto proxy = ParseProxyUrl(config.proxy_url);
    if (!proxy) co_return proxy.error();
    endpoint.proxy = std::move(*proxy);
  }
  connection = std::make_unique<HttpConnection>(shared_.executor, shared_.clock);
  if (auto opened = co_await connection->Open(std::move(endpoint)); !opened) {
    co_return opened.error();
  }
  co_return connection;
}

asio::awaitable<api::Error> HttpCall::ReadRefusal(Connection connection, HttpHead head) {
  std::string body;
  while (body.size() < kMaxRefusalBytes) {
    auto piece = co_await connection->ReadBody();
    if (!piece || piece->empty()) break;  // what has come by then must do
    body += *piece;
  }
  shared_.pool.Put(std::move(connection));
  api::Error error = ErrorFromAnswer(name_, head, body);
  failed_ = {.error = error, .progress = Progress::kAnswered, .http_status = head.status};
  co_return error;
}

std::optional<milliseconds> HttpCall::NextPause() {
  if (failed_.http_status == 401 && !credential_renewed_) {
    credential_renewed_ = true;
    shared_.config.credentials->Invalidate();
    return milliseconds(0);
  }
  const auto pause = RetryDelay(verb_, failed_, attempt_, shared_.random.Unit());
  if (!pause || shared_.clock.SteadyNow() + *pause >= deadline_) return std::nullopt;
  if (pause->count() > 0 && shared_.log) {
    shared_.log(Severity::kWarning, fmt::format("{}; next attempt in {}", failed_.error.message,
                                                api::FormatDuration(*pause)));
  }
  return pause;
}

// The connection was lost, or what came on it makes no sense.
api::Error HttpCall::Fail(const HttpConnection& connection, api::Error error) {
  const bool stale = connection_reused_ && !connection.HasAnswer();
  if (stale) shared_.pool.Clear();  // the others are as old: the next attempt gets a fresh one
  if (!connection.HasAnswer()) Observe(0);
  error = Named(name_, error.code, error.message);
  failed_ = {.error = error,
             .progress = connection.HasSent() ? Progress::kSent : Progress::kNothingSent,
             .on_reused_connection = stale};
  return error;
}

// A certificate that is not to be trusted will not be so in a moment. For the caller it is a server
// that cannot be reached: kInvalid would put the blame on the object of the call.
api::Error HttpCall::FailToConnect(api::Error error) {
  Observe(0);
  const bool hopeless = error.code == api::Code::kInvalid;
  error = Named(name_, api::Code::kUnavailable, error.message);
  failed_ = {.error = error, .hopeless = hopeless};
  return error;
}

void HttpCall::Observe(int http_status) const {
  if (!shared_.options.observe) return;
  shared_.options.observe({.verb = name_.verb,
                           .resource = name_.resource.plural,
                           .http_status = http_status,
                           .duration = std::chrono::duration_cast<milliseconds>(
                               shared_.clock.SteadyNow() - attempt_start_)});
}

}  // namespace stillpoint::kube
