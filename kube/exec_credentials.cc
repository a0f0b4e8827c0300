// Credentials from a program (credentials.h).
#include "api/time.h"
#include "kube/credentials.h"
#include "kube/process.h"
#include "kube/waiters.h"

#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

// A credential this close to its end could expire on the way.
constexpr auto kExpirySlack = 10s;
constexpr std::size_t kMaxShownErrors = 1024;

std::string TextAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

// What KUBERNETES_EXEC_INFO tells the program.
std::string ExecInfo(const CredentialPlugin& plugin) {
  json::object spec{{"interactive", false}};
  if (!plugin.cluster_info.empty()) spec["cluster"] = json::parse(plugin.cluster_info);
  return json::serialize(json::object{
      {"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", std::move(spec)}});
}

// The end of what the program said about its failure, which is where the reason stands.
std::string Tail(std::string_view errors) {
  while (errors.ends_with('\n')) errors.remove_suffix(1);
  if (errors.size() <= kMaxShownErrors) return std::string(errors);
  return fmt::format("...{}", errors.substr(errors.size() - kMaxShownErrors));
}

class ExecCredentials final : public CredentialSource {
 public:
  ExecCredentials(CredentialPlugin plugin, Clock& clock)
      : plugin_(std::move(plugin)), clock_(clock) {}

  asio::awaitable<api::Result<Credential>> Current() override;
  void Invalidate() override { cached_.reset(); }

 private:
  // Marks the program as running, until its scope ends in whatever way; then the others look again.
  class Turn;

  [[nodiscard]] bool IsFresh() const {
    return cached_ && (!cached_->expiry || clock_.Now() + kExpirySlack < *cached_->expiry);
  }
  asio::awaitable<api::Result<ExecCredential>> RunPlugin();
  [[nodiscard]] api::Error Failure(api::Code code, const std::string& why) const;

  const CredentialPlugin plugin_;
  Clock& clock_;
  std::optional<ExecCredential> cached_;
  std::unique_ptr<Waiters> waiters_;  // made on the loop of the first caller
  bool running_ = false;
};

class ExecCredentials::Turn {
 public:
  explicit Turn(ExecCredentials& owner) : owner_(owner) { owner_.running_ = true; }
  ~Turn() {
    owner_.running_ = false;
    owner_.waiters_->NotifyAll();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  ExecCredentials& owner_;
};

asio::awaitable<api::Result<Credential>> ExecCredentials::Current() {
  if (!waiters_) waiters_ = std::make_unique<Waiters>(co_await asio::this_coro::executor);
  // Who was waiting while somebody else's run failed or was cancelled makes a run of its own.
  while (running_ && !IsFresh()) co_await waiters_->Wait();
  if (!IsFresh()) {
    const Turn turn(*this);
    auto fetched = co_await RunPlugin();
    if (!fetched) co_return fetched.error();
    cached_ = std::move(*fetched);
  }
  co_return cached_->credential;
}

asio::awaitable<api::Result<ExecCredential>> ExecCredentials::RunPlugin() {
  ProcessRequest request{.command = plugin_.command,
                         .args = plugin_.args,
                         .env = plugin_.env,
                         .timeout = plugin_.timeout};
  request.env["KUBERNETES_EXEC_INFO"] = ExecInfo(plugin_);
  auto outcome = co_await RunProcess(clock_, std::move(request));
  if (!outcome) {
    const bool absent = outcome.error().code == api::Code::kNotFound;
    co_return Failure(absent ? api::Code::kUnavailable : outcome.error().code,
                      absent && !plugin_.install_hint.empty()
                          ? fmt::format("{}\n{}", outcome.error().message, plugin_.install_hint)
                          : outcome.error().message);
  }
  if (outcome->exit_code != 0) {
    co_return Failure(
        api::Code::kUnavailable,
        fmt::format("it ended with exit code {}: {}", outcome->exit_code, Tail(outcome->errors)));
  }
  auto credential = ParseExecCredential(plugin_.api_version, outcome->output);
  if (!credential) co_return Failure(api::Code::kUnavailable, credential.error().message);
  co_return credential;
}

api::Error ExecCredentials::Failure(api::Code code, const std::string& why) const {
  return {code, fmt::format("credential plugin {}: {}", plugin_.command, why)};
}

api::Result<void> ReadToken(const json::object& status, Credential& credential) {
  const std::string text = TextAt(status, "token");
  if (text.empty()) return {};
  auto token = CleanToken(text);
  if (!token) return Invalid("status.token: " + token.error().message);
  credential.bearer_token = std::move(*token);
  return {};
}

}  // namespace

std::shared_ptr<CredentialSource> MakeExecCredentials(CredentialPlugin plugin, Clock& clock) {
  return std::make_shared<ExecCredentials>(std::move(plugin), clock);
}

api::Result<ExecCredential> ParseExecCredential(const std::string& api_version,
                                                std::string_view text) {
  boost::system::error_code not_json;
  const json::value value = json::parse(text, not_json);
  const json::object* const object = not_json ? nullptr : value.if_object();
  if (object == nullptr || TextAt(*object, "kind") != "ExecCredential") {
    return Invalid("its output is no ExecCredential");
  }
  if (TextAt(*object, "apiVersion") != api_version) {
    return Invalid(
        fmt::format("its output is not of the apiVersion {} that the kubeconfig asks "
                    "for",
                    api_version));
  }
  const json::value* const status_value = object->if_contains("status");
  const json::object* const status = status_value ? status_value->if_object() : nullptr;
  if (status == nullptr) return Invalid("its output has no status");

  ExecCredential parsed;
  if (auto read = ReadToken(*status, parsed.credential); !read) return read.error();
  parsed.credential.client_certificate_pem = TextAt(*status, "clientCertificateData");
  parsed.credential.client_key_pem = Sensitive(TextAt(*status, "clientKeyData"));
  if (parsed.credential.client_certificate_pem.empty() !=
      parsed.credential.client_key_pem.empty()) {
    return Invalid("its output has one of clientCertificateData and clientKeyData but not both");
  }
  if (parsed.credential.bearer_token.empty() && parsed.credential.client_key_pem.empty()) {
    return Invalid("its output has neither a token nor a client certificate");
  }
  if (const std::string expiry = TextAt(*status, "expirationTimestamp"); !expiry.empty()) {
    const auto time = api::ParseTime(expiry);
    if (!time) return Invalid("status.expirationTimestamp: " + time.error().message);
    parsed.expiry = *time;
  }
  return parsed;
}

}  // namespace stillpoint::kube
