#include "contract/support/raw_http.h"

#include "kube/http_connection.h"
#include "kube/server_url.h"
#include "kube/tls_client_context.h"

#include <fmt/format.h>
#include <boost/asio/this_coro.hpp>
#include <boost/json/parse.hpp>

#include <sstream>
#include <stdexcept>
#include <utility>

namespace stillpoint::contract {

namespace asio = boost::asio;

namespace {

template <class T>
T OrThrow(api::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// As kube::Serialize, with the client's choice of what it accepts.
std::string Octets(const kube::HttpRequest& request, const kube::Config& config,
                   const kube::Credential& credential, const std::string& accept) {
  std::string octets = kube::Serialize(request, kube::HostPort(config.host, config.port),
                                       config.user_agent, credential.bearer_token);
  constexpr std::string_view kJson = "Accept: application/json\r\n";
  if (!accept.empty()) {
    octets.replace(octets.find(kJson), kJson.size(), fmt::format("Accept: {}\r\n", accept));
  }
  return octets;
}

asio::awaitable<api::Result<Answer>> Exchange(kube::Config config, kube::Clock& clock,
                                              kube::HttpRequest request, std::string accept) {
  const auto credential = OrThrow(co_await config.credentials->Current());
  auto tls = OrThrow(kube::TlsClientContext::Make(config));
  tls->SetIdentity(OrThrow(kube::TlsIdentity::Parse(credential)));
  kube::HttpConnection connection(co_await asio::this_coro::executor, clock);
  OrThrow(co_await connection.Open(
      {.host = config.host,
       .port = config.port,
       .tls = std::move(tls),
       .server_name = config.tls_server_name.empty() ? config.host : config.tls_server_name}));
  OrThrow(co_await connection.Send(Octets(request, config, credential, accept),
                                   kube::HttpConnection::BodyLength::kBounded));
  Answer answer{.status = OrThrow(co_await connection.ReadHead()).status};
  while (true) {
    const std::string piece = OrThrow(co_await connection.ReadBody());
    if (piece.empty()) break;
    answer.text += piece;
  }
  boost::system::error_code not_one;
  answer.body = boost::json::parse(answer.text, not_one, {}, {.max_depth = 256});
  co_return answer;
}

}  // namespace

std::vector<Json> Answer::Events() const {
  std::vector<Json> events;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) events.push_back(Parse(line));
  return events;
}

asio::awaitable<Answer> SendRaw(kube::Config config, kube::Clock& clock, kube::HttpRequest request,
                                std::string accept, std::chrono::milliseconds timeout) {
  const std::string what = fmt::format("{} {}", request.method, request.target);
  auto answer = co_await kube::WithTimeout<Answer>(
      clock, timeout, "no answer",
      Exchange(std::move(config), clock, std::move(request), std::move(accept)));
  if (!answer) throw std::runtime_error(fmt::format("{}: {}", what, answer.error().message));
  co_return std::move(*answer);
}

}  // namespace stillpoint::contract
