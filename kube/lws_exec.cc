#include "kube/lws_exec.h"

#include "api/core.h"
#include "kube/exec_target.h"
#include "kube/http_message.h"
#include "kube/proxy.h"
#include "kube/request_url.h"
#include "kube/resolve.h"
#include "kube/server_url.h"
#include "kube/status.h"

#include <fmt/format.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace stillpoint::kube {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;

namespace {

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

// Knows its client's thread by a weak pointer: when an exception unwinds main, the coroutine that
// holds a session may die after the client.
class LwsSession final : public ExecSession {
 public:
  LwsSession(asio::any_io_executor executor, const std::shared_ptr<LwsLoop>& loop,
             std::string container_id)
      : loop_(loop),
        container_id_(std::move(container_id)),
        stream_(std::make_shared<LwsStream>()),
        reader_(std::move(executor), stream_) {}

  ~LwsSession() override {
    if (auto loop = loop_.lock()) loop->Close(id_);
  }

  asio::awaitable<LwsOpening> Connect(LwsTarget target) {
    if (auto loop = loop_.lock()) id_ = loop->Connect(std::move(target), stream_);
    return reader_.Opening();
  }

  asio::awaitable<api::Result<ExecEvent>> Next() override { return reader_.Next(); }

  void WriteStdin(std::string data) override {
    if (auto loop = loop_.lock()) loop->WriteStdin(id_, std::move(data));
  }

  void CloseStdin() override {
    if (auto loop = loop_.lock()) loop->CloseStdin(id_);
  }

  const std::string& ContainerId() const override { return container_id_; }

 private:
  const std::weak_ptr<LwsLoop> loop_;
  const std::string container_id_;
  const std::shared_ptr<LwsStream> stream_;
  LwsStream::Reader reader_;
  LwsLoop::Id id_ = 0;  // none yet
};

std::string Bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
}

std::optional<std::uint16_t> ParsePort(const std::string& text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, port);
  if (result.ec != std::errc() || result.ptr != end || port == 0) return std::nullopt;
  return port;
}

class LwsExecClient final : public ExecClient {
 public:
  LwsExecClient(asio::any_io_executor executor, Client& client, Config config, Clock& clock,
                LogFn log, LwsKeepalive keepalive)
      : executor_(std::move(executor)), client_(client), config_(std::move(config)), clock_(clock) {
    auto tls = TlsClientContext::Make(config_);
    if (tls) {
      loop_ = std::make_shared<LwsLoop>(executor_, std::move(*tls), keepalive, std::move(log));
    } else {
      misconfigured_ = tls.error();
    }
  }

  asio::awaitable<api::Result<std::unique_ptr<ExecSession>>> Start(ExecRequest request) override {
    const std::string where =
        fmt::format("exec in {}/{}[{}]", request.ns, request.pod, request.container);
    const auto timeout = request.connect_timeout;
    auto session = co_await WithTimeout<std::unique_ptr<ExecSession>>(
        clock_, timeout, fmt::format("no connection after {} ms", timeout.count()),
        Open(std::move(request)));
    if (session) co_return std::move(*session);
    api::Error error = session.error();
    error.message = fmt::format("{}: {}", where, error.message);
    co_return error;
  }

 private:
  using Session = std::unique_ptr<LwsSession>;
  struct Attempt {
    LwsOpening opening;
    Session session;
  };

  asio::awaitable<api::Result<std::unique_ptr<ExecSession>>> Open(ExecRequest request);
  asio::awaitable<api::Result<std::unique_ptr<ExecSession>>> Confirm(ExecRequest request,
                                                                     Session session);
  asio::awaitable<api::Result<Attempt>> Connect(ExecRequest request, std::string container_id);
  asio::awaitable<api::Result<Attempt>> TryAddresses(std::vector<LwsTarget> targets,
                                                     std::chrono::milliseconds timeout,
                                                     std::string container_id);
  asio::awaitable<api::Result<Attempt>> TryAddress(LwsTarget target, std::string container_id);
  asio::awaitable<api::Result<std::vector<LwsTarget>>> FindTargets(LwsTarget target);
  api::Result<LwsTarget> MakeTarget(const ExecRequest& request, const Credential& credential);
  api::Error WhyNot(const ExecRequest& request, const LwsOpening& opening) const;

  // Constant after construction.
  const asio::any_io_executor executor_;
  Client& client_;
  const Config config_;
  Clock& clock_;
  std::optional<api::Error> misconfigured_;

  // The certificate that was parsed last: it seldom changes.
  Credential credential_;
  std::shared_ptr<const TlsIdentity> identity_;

  std::shared_ptr<LwsLoop> loop_;  // null when misconfigured
};

asio::awaitable<api::Result<std::unique_ptr<ExecSession>>> LwsExecClient::Open(
    ExecRequest request) {
  if (misconfigured_) co_return *misconfigured_;
  const auto pod = co_await ReadExecPod(client_, clock_, request);
  if (!pod) co_return pod.error();
  const auto container_id = FindExecContainer(**pod, request);
  if (!container_id) co_return container_id.error();
  for (bool first = true;; first = false) {
    auto attempt = co_await Connect(request, *container_id);
    if (!attempt) co_return attempt.error();
    if (attempt->opening.protocol) {
      co_return co_await Confirm(std::move(request), std::move(attempt->session));
    }
    if (attempt->opening.http_status != 401 || !first) co_return WhyNot(request, attempt->opening);
    config_.credentials->Invalidate();
  }
}

// The API server has taken the name for what it meant when the request arrived.
asio::awaitable<api::Result<std::unique_ptr<ExecSession>>> LwsExecClient::Confirm(
    ExecRequest request, Session session) {
  const auto pod = co_await ReadExecPod(client_, clock_, request);
  const auto confirmed = ConfirmExecContainer(pod, request, session->ContainerId());
  if (!confirmed) co_return confirmed.error();
  co_return std::move(session);
}

asio::awaitable<api::Result<LwsExecClient::Attempt>> LwsExecClient::Connect(
    ExecRequest request, std::string container_id) {
  auto credential = co_await config_.credentials->Current();
  if (!credential) co_return credential.error();
  auto target = MakeTarget(request, *credential);
  if (!target) co_return target.error();
  auto targets = co_await FindTargets(std::move(*target));
  if (!targets) co_return targets.error();
  co_return co_await TryAddresses(std::move(*targets), request.connect_timeout,
                                  std::move(container_id));
}

api::Result<LwsTarget> LwsExecClient::MakeTarget(const ExecRequest& request,
                                                 const Credential& credential) {
  if (!SameCertificate(credential, credential_)) {
    auto identity = TlsIdentity::Parse(credential);
    if (!identity) return identity.error();
    identity_ = std::move(*identity);
    credential_ = credential;
  }
  const auto port = ParsePort(config_.port);
  if (!port) return Invalid(fmt::format("{} is no port", config_.port));
  LwsTarget target{.port = *port,
                   .host = HostPort(config_.host, config_.port),
                   .request_target = ExecRequestTarget(config_.base_path, request),
                   .user_agent = config_.user_agent,
                   .plain_http = config_.plain_http,
                   .bearer_token = credential.bearer_token,
                   .identity = identity_};
  if (target.host.size() > kLwsHostLimit) {
    return Invalid(
        fmt::format("the name of the API server has more than {} characters", kLwsHostLimit));
  }
  const std::size_t size = target.request_target.size() + target.bearer_token.Reveal().size();
  if (size > kLwsRequestLimit) {
    return Invalid(fmt::format("the command is too long: {} bytes when encoded, at most {}", size,
                               kLwsRequestLimit));
  }
  if (!IsHeaderValue(target.bearer_token.Reveal())) return Invalid("the token is no header value");
  return target;
}

// One target for each address that leads to the API server or to its proxy.
asio::awaitable<api::Result<std::vector<LwsTarget>>> LwsExecClient::FindTargets(LwsTarget target) {
  std::optional<ServerUrl> proxy;
  if (!config_.proxy_url.empty()) {
    auto url = ParseProxyServer(config_.proxy_url);
    if (!url) co_return url.error();
    proxy = std::move(*url);
  }
  // Here and not in libwebsockets, which would hold up every other stream while it waits.
  auto endpoints = proxy ? co_await Resolve(proxy->host, proxy->port)
                         : co_await Resolve(config_.host, config_.port);
  if (!endpoints) co_return endpoints.error();
  std::vector<LwsTarget> targets;
  for (const tcp::endpoint& endpoint : *endpoints) {
    const std::string address = endpoint.address().to_string();
    targets.push_back(target);
    targets.back().address = proxy ? Bracketed(config_.host) : address;
    if (!proxy) continue;
    const std::string& user = proxy->user_info.Reveal();
    targets.back().proxy =
        fmt::format("{}{}{}", user, user.empty() ? "" : "@", HostPort(address, proxy->port));
  }
  co_return targets;
}

// In turn, until one is reached. Each but the last has its share of the time, so that one that
// swallows everything does not keep us from the others.
asio::awaitable<api::Result<LwsExecClient::Attempt>> LwsExecClient::TryAddresses(
    std::vector<LwsTarget> targets, std::chrono::milliseconds timeout, std::string container_id) {
  const auto share = timeout / std::max<std::int64_t>(1, std::ssize(targets));
  for (std::size_t i = 0; i + 1 < targets.size(); ++i) {
    auto attempt = co_await WithTimeout<Attempt>(clock_, share, "no connection",
                                                 TryAddress(targets[i], container_id));
    if (attempt && attempt->opening.connected) co_return std::move(*attempt);
  }
  if (targets.empty()) co_return Invalid("the API server has no address");
  co_return co_await TryAddress(std::move(targets.back()), std::move(container_id));
}

asio::awaitable<api::Result<LwsExecClient::Attempt>> LwsExecClient::TryAddress(
    LwsTarget target, std::string container_id) {
  auto session = std::make_unique<LwsSession>(executor_, loop_, std::move(container_id));
  LwsOpening opening = co_await session->Connect(std::move(target));
  co_return Attempt{std::move(opening), std::move(session)};
}

api::Error LwsExecClient::WhyNot(const ExecRequest& request, const LwsOpening& opening) const {
  if (opening.http_status == 0) {
    return {api::Code::kUnavailable,
            fmt::format("{}: {}", HostPort(config_.host, config_.port), opening.text)};
  }
  const CallName call{.verb = "get",
                      .resource = api::Pod::kResource,
                      .subresource = "exec",
                      .ns = request.ns,
                      .name = request.pod};
  api::Error error =
      RefusedExec(ErrorFromAnswer(call, {.status = opening.http_status}, opening.text));
  // The server names only one, and of "create" not even the verb.
  if (opening.http_status == 403) error.message += "; exec needs the verbs get and create";
  return error;
}

}  // namespace

std::unique_ptr<ExecClient> MakeExecClient(asio::any_io_executor executor, Client& client,
                                           Config config, Clock& clock, LogFn log,
                                           LwsKeepalive keepalive) {
  return std::make_unique<LwsExecClient>(std::move(executor), client, std::move(config), clock,
                                         std::move(log), keepalive);
}

}  // namespace stillpoint::kube
