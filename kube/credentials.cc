#include "kube/credentials.h"

#include "kube/file.h"
#include "kube/http_message.h"

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto kTokenFileAge = 1min;

class StaticCredentials final : public CredentialSource {
 public:
  explicit StaticCredentials(Credential credential) : credential_(std::move(credential)) {}

  asio::awaitable<api::Result<Credential>> Current() override { co_return credential_; }
  void Invalidate() override {}

 private:
  const Credential credential_;
};

class TokenFileCredentials final : public CredentialSource {
 public:
  TokenFileCredentials(std::string token_file, Credential base, Clock& clock)
      : token_file_(std::move(token_file)), credential_(std::move(base)), clock_(clock) {}

  asio::awaitable<api::Result<Credential>> Current() override {
    const auto now = clock_.SteadyNow();
    if (usable_ && now < read_at_ + kTokenFileAge) co_return credential_;
    auto token = ReadToken();
    if (token) {
      credential_.bearer_token = std::move(*token);
      read_at_ = now;
      usable_ = true;
    } else if (!usable_) {
      co_return token.error();
    }
    co_return credential_;
  }

  void Invalidate() override { usable_ = false; }

 private:
  [[nodiscard]] api::Result<Sensitive> ReadToken() const {
    auto text = ReadFile(token_file_);
    if (!text) return text.error();
    auto token = CleanToken(*text);
    if (token) return token;
    return api::Error{api::Code::kUnavailable,
                      fmt::format("token file {}: {}", token_file_, token.error().message)};
  }

  const std::string token_file_;
  Credential credential_;
  Clock& clock_;
  Clock::Steady read_at_{};
  bool usable_ = false;
};

}  // namespace

std::shared_ptr<CredentialSource> MakeStaticCredentials(Credential credential) {
  return std::make_shared<StaticCredentials>(std::move(credential));
}

std::shared_ptr<CredentialSource> MakeTokenFileCredentials(std::string token_file, Credential base,
                                                           Clock& clock) {
  return std::make_shared<TokenFileCredentials>(std::move(token_file), std::move(base), clock);
}

api::Result<Sensitive> CleanToken(std::string_view text) {
  static constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return api::Error{api::Code::kInvalid, "it is empty"};
  text = text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
  if (!IsHeaderValue(text)) {
    return api::Error{api::Code::kInvalid, "the token holds a control character"};
  }
  return Sensitive(std::string(text));
}

}  // namespace stillpoint::kube
