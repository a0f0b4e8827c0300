#include "kube/credentials.h"

#include "kube/file.h"
#include "kube/http_message.h"
#include "kube/tls_client_context.h"

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto kFileAge = 1min;

class StaticCredentials final : public CredentialSource {
 public:
  explicit StaticCredentials(Credential credential) : credential_(std::move(credential)) {}

  asio::awaitable<api::Result<Credential>> Current() override { co_return credential_; }
  void Invalidate() override {}

 private:
  const Credential credential_;
};

class FileCredentials final : public CredentialSource {
 public:
  FileCredentials(CredentialFiles files, Credential base, Clock& clock)
      : files_(std::move(files)),
        credential_(std::move(base)),
        clock_(clock),
        read_at_(clock.SteadyNow()),
        usable_(files_.token.empty()) {}

  asio::awaitable<api::Result<Credential>> Current() override {
    const auto now = clock_.SteadyNow();
    if (usable_ && now < read_at_ + kFileAge) co_return credential_;
    auto fresh = Read();
    if (fresh) {
      credential_ = std::move(*fresh);
      read_at_ = now;
      usable_ = true;
    } else if (!usable_) {
      co_return fresh.error();
    }
    co_return credential_;
  }

  void Invalidate() override { usable_ = false; }

 private:
  [[nodiscard]] api::Result<Credential> Read() const {
    Credential fresh = credential_;
    if (!files_.token.empty()) {
      auto token = ReadToken();
      if (!token) return token.error();
      fresh.bearer_token = std::move(*token);
    }
    if (auto read = ReadCertificate(fresh); !read) return read.error();
    return fresh;
  }

  [[nodiscard]] api::Result<Sensitive> ReadToken() const {
    auto text = ReadFile(files_.token);
    if (!text) return text.error();
    auto token = CleanToken(*text);
    if (token) return token;
    return api::Error{api::Code::kUnavailable,
                      fmt::format("token file {}: {}", files_.token, token.error().message)};
  }

  [[nodiscard]] api::Result<void> ReadCertificate(Credential& fresh) const {
    if (!files_.certificate.empty()) {
      auto certificate = ReadFile(files_.certificate);
      if (!certificate) return certificate.error();
      fresh.client_certificate_pem = std::move(*certificate);
    }
    if (!files_.key.empty()) {
      auto key = ReadFile(files_.key);
      if (!key) return key.error();
      fresh.client_key_pem = Sensitive(std::move(*key));
    }
    if (SameCertificate(fresh, credential_)) return {};
    const auto identity = TlsIdentity::Parse(fresh);
    if (identity) return {};
    return api::Error{api::Code::kUnavailable,
                      fmt::format("{}: {}", files_.certificate, identity.error().message)};
  }

  const CredentialFiles files_;
  Credential credential_;
  Clock& clock_;
  Clock::Steady read_at_;
  bool usable_;
};

}  // namespace

std::shared_ptr<CredentialSource> MakeStaticCredentials(Credential credential) {
  return std::make_shared<StaticCredentials>(std::move(credential));
}

std::shared_ptr<CredentialSource> MakeFileCredentials(CredentialFiles files, Credential base,
                                                      Clock& clock) {
  return std::make_shared<FileCredentials>(std::move(files), std::move(base), clock);
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
