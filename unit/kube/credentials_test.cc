#include "kube/credentials.h"

#include "unit/support/await.h"
#include "unit/support/fake_clock.h"
#include "unit/support/temp_dir.h"
#include "unit/support/test_certificate.h"

#include "api/time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <csignal>
#include <fstream>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

// ---- token files ------------------------------------------------------------------------------

class TokenFileTest : public testing::Test {
 protected:
  std::string Token() {
    auto credential = clock_.Run(source_->Current());
    return credential ? credential->bearer_token.Reveal() : credential.error().message;
  }

  asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::TempDir dir_;
  std::string file_ = dir_.Write("token", " first\n");
  std::shared_ptr<CredentialSource> source_ = MakeFileCredentials({.token = file_}, {}, clock_);
};

TEST_F(TokenFileTest, IsReadAgainAfterAMinute) {
  EXPECT_EQ(Token(), "first");
  dir_.Write("token", "second");
  clock_.Advance(59s);
  EXPECT_EQ(Token(), "first");
  clock_.Advance(1s);
  EXPECT_EQ(Token(), "second");
}

TEST_F(TokenFileTest, IsReadAgainWhenRefused) {
  EXPECT_EQ(Token(), "first");
  dir_.Write("token", "second");
  source_->Invalidate();
  EXPECT_EQ(Token(), "second");
}

TEST_F(TokenFileTest, LastTokenIsUsedWhileTheFileCannotBeRead) {
  EXPECT_EQ(Token(), "first");
  dir_.Write("token", "");
  clock_.Advance(61s);
  EXPECT_EQ(Token(), "first");
  source_->Invalidate();
  EXPECT_EQ(Token(), "token file " + file_ + ": it is empty");
}

TEST_F(TokenFileTest, RefusesATokenThatWouldBreakTheHeader) {
  dir_.Write("token", "a\r\nX-Evil: 1");
  EXPECT_EQ(Token(), "token file " + file_ + ": the token holds a control character");
}

// ---- certificate files ------------------------------------------------------------------------

class CertificateFileTest : public testing::Test {
 protected:
  // What it shows now: "first" or "second".
  std::string Shown() {
    auto credential = clock_.Run(source_->Current());
    if (!credential) return credential.error().message;
    const bool second = credential->client_certificate_pem == second_.certificate_pem &&
                        credential->client_key_pem.Reveal() == second_.key_pem;
    return second ? "second" : "first";
  }

  asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::TempDir dir_;
  const unit::TestCertificate authority_ = unit::MakeTestAuthority();
  const unit::TestCertificate first_ = unit::MakeTestCertificate(authority_, "ann", "");
  const unit::TestCertificate second_ = unit::MakeTestCertificate(authority_, "ann", "");
  std::shared_ptr<CredentialSource> source_ =
      MakeFileCredentials({.certificate = dir_.Write("tls.crt", first_.certificate_pem),
                           .key = dir_.Write("tls.key", first_.key_pem)},
                          {.client_certificate_pem = first_.certificate_pem,
                           .client_key_pem = Sensitive(first_.key_pem)},
                          clock_);
};

TEST_F(CertificateFileTest, IsReadAgainAfterAMinuteAndWhenRefused) {
  dir_.Write("tls.crt", second_.certificate_pem);
  dir_.Write("tls.key", second_.key_pem);
  EXPECT_EQ(Shown(), "first");
  clock_.Advance(1min);
  EXPECT_EQ(Shown(), "second");
  dir_.Write("tls.crt", first_.certificate_pem);
  dir_.Write("tls.key", first_.key_pem);
  source_->Invalidate();
  EXPECT_EQ(Shown(), "first");
}

TEST_F(CertificateFileTest, HalfARotationIsNotShown) {
  dir_.Write("tls.crt", second_.certificate_pem);
  clock_.Advance(1min);
  EXPECT_EQ(Shown(), "first");
  source_->Invalidate();
  EXPECT_THAT(Shown(), HasSubstr("does not belong to the client certificate"));
  dir_.Write("tls.key", second_.key_pem);
  EXPECT_EQ(Shown(), "second");
}

// ---- what a plugin prints ---------------------------------------------------------------------

TEST(ExecCredentialTest, ReadsTokenAndExpiry) {
  const auto parsed = ParseExecCredential(
      kV1, R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
               "status":{"token":"t","expirationTimestamp":"2026-01-01T00:10:00Z"}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->credential.bearer_token.Reveal(), "t");
  EXPECT_EQ(parsed->expiry, *api::ParseTime("2026-01-01T00:10:00Z"));
}

TEST(ExecCredentialTest, ReadsClientCertificate) {
  const auto parsed = ParseExecCredential(
      kV1, R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
               "status":{"clientCertificateData":"c","clientKeyData":"k"}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->credential.client_certificate_pem, "c");
  EXPECT_EQ(parsed->credential.client_key_pem.Reveal(), "k");
  EXPECT_EQ(parsed->expiry, std::nullopt);
}

struct BadOutput {
  const char* text;
  const char* says;
};

TEST(ExecCredentialTest, RefusesAnythingElse) {
  const BadOutput outputs[] = {
      {"s3cr3t", "no ExecCredential"},
      {"[]", "no ExecCredential"},
      {R"({"kind":"Pod"})", "no ExecCredential"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"})",
       "not of the apiVersion"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})", "no status"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{}})",
       "neither a token nor a client certificate"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
           "status":{"token":"s3cr3t","clientKeyData":"s3cr3t"}})",
       "but not both"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
           "status":{"token":"s3cr3t\u0001"}})",
       "status.token: the token holds a control character"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
           "status":{"token":"s3cr3t","expirationTimestamp":"soon"}})",
       "status.expirationTimestamp: "},
  };
  for (const BadOutput& output : outputs) {
    const auto parsed = ParseExecCredential(kV1, output.text);
    ASSERT_FALSE(parsed) << output.text;
    EXPECT_THAT(parsed.error().message, AllOf(HasSubstr(output.says), Not(HasSubstr("s3cr3t"))));
  }
}

// ---- plugins ----------------------------------------------------------------------------------

// Runs real scripts, so the loop waits for them; the clock stands still unless a test moves it.
class ExecCredentialsTest : public testing::Test {
 protected:
  // Each run adds a line to the file "runs" and prints token-1, token-2, ...
  std::shared_ptr<CredentialSource> Counting(const std::string& status_fields) {
    return Source("echo run >> " + dir_.Path("runs") + "\n" + "n=$(wc -l < " + dir_.Path("runs") +
                  ")\n" + "echo '{\"apiVersion\":\"" + kV1 +
                  "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"token-'$n'\"" +
                  status_fields + "}}'\n");
  }

  std::shared_ptr<CredentialSource> Source(const std::string& script) {
    return MakeExecCredentials({.api_version = kV1, .command = dir_.WriteScript("plugin", script)},
                               clock_);
  }

  template <class Future>
  void WaitFor(const Future& future) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    io_.restart();
    while (future.wait_for(0s) != std::future_status::ready &&
           std::chrono::steady_clock::now() < end) {
      io_.run_one_for(100ms);
    }
  }

  auto Spawn(const std::shared_ptr<CredentialSource>& source) {
    return asio::co_spawn(io_, source->Current(), asio::use_future);
  }

  std::string Token(const std::shared_ptr<CredentialSource>& source) {
    auto future = Spawn(source);
    WaitFor(future);
    const auto credential = future.get();
    return credential ? credential->bearer_token.Reveal() : credential.error().message;
  }

  // Runs the loop until the script has written the file, and gives its text.
  std::string WaitForFile(const std::string& name) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < end) {
      io_.restart();
      io_.run_for(1ms);
      std::ifstream file(dir_.Path(name));
      if (std::string text; std::getline(file, text) && !file.eof()) return text;
    }
    return "";
  }

  asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::TempDir dir_;
};

TEST_F(ExecCredentialsTest, WithoutExpiryIsKeptUntilRefused) {
  const auto source = Counting("");
  EXPECT_EQ(Token(source), "token-1");
  clock_.Advance(24h);
  EXPECT_EQ(Token(source), "token-1");
  source->Invalidate();
  EXPECT_EQ(Token(source), "token-2");
}

TEST_F(ExecCredentialsTest, RunsAgainShortlyBeforeExpiry) {
  const auto source =
      Counting(",\"expirationTimestamp\":\"" + api::FormatTime(clock_.Now() + 10min) + "\"");
  EXPECT_EQ(Token(source), "token-1");
  clock_.Advance(9min + 49s);
  EXPECT_EQ(Token(source), "token-1");
  clock_.Advance(1s);
  EXPECT_EQ(Token(source), "token-2");
}

TEST_F(ExecCredentialsTest, RunsOnceForAllWhoWait) {
  const auto source = Counting("");
  auto first = Spawn(source);
  auto second = Spawn(source);
  WaitFor(first);
  WaitFor(second);
  EXPECT_EQ(first.get()->bearer_token.Reveal(), "token-1");
  EXPECT_EQ(second.get()->bearer_token.Reveal(), "token-1");
}

TEST_F(ExecCredentialsTest, FailureShowsStandardErrorButNotOutput) {
  EXPECT_THAT(Token(Source("echo s3cr3t; echo 'please log in' >&2; exit 3")),
              AllOf(HasSubstr(dir_.Path("plugin") + ": it ended with exit code 3: please log in"),
                    Not(HasSubstr("s3cr3t"))));
}

TEST_F(ExecCredentialsTest, SaysHowToInstallAPluginThatIsMissing) {
  const auto source = MakeExecCredentials(
      {.api_version = kV1, .command = dir_.Path("absent"), .install_hint = "get it at example.com"},
      clock_);
  EXPECT_THAT(Token(source),
              AllOf(HasSubstr("No such file or directory"), HasSubstr("get it at example.com")));
}

TEST_F(ExecCredentialsTest, OutputBeyondThePipeIsRead) {
  EXPECT_EQ(Token(Source("head -c 200000 /dev/zero | tr '\\0' ' '\necho '{\"apiVersion\":\"" +
                         std::string(kV1) +
                         "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}'")),
            "t");
}

TEST_F(ExecCredentialsTest, EndlessOutputIsCutOff) {
  EXPECT_THAT(Token(Source("exec cat /dev/zero")), HasSubstr("wrote more than 1048576 bytes"));
}

TEST_F(ExecCredentialsTest, GrandchildThatKeepsThePipeDoesNotHoldUs) {
  EXPECT_EQ(Token(Source("sleep 1000 & echo $! > " + dir_.Path("pid") +
                         "\necho '{\"apiVersion\":\"" + std::string(kV1) +
                         "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}'")),
            "t");
  ::kill(std::stoi(WaitForFile("pid")), SIGKILL);
}

TEST_F(ExecCredentialsTest, HangingPluginIsKilledAtItsDeadline) {
  const auto source = Source("echo $$ > " + dir_.Path("pid") + "\nsleep 1000");
  auto future = Spawn(source);
  const pid_t pid = std::stoi(WaitForFile("pid"));
  clock_.Advance(30s);
  WaitFor(future);
  const auto credential = future.get();
  ASSERT_FALSE(credential);
  EXPECT_EQ(credential.error().code, api::Code::kTimeout);
  EXPECT_THAT(credential.error().message, HasSubstr("did not end within 30s"));
  EXPECT_EQ(::kill(pid, 0), -1) << "still there";
}

TEST_F(ExecCredentialsTest, CancellationKillsThePluginAndWakesTheNext) {
  const auto source = Source("echo $$ > " + dir_.Path("pid") + "\n[ -e " + dir_.Path("go") +
                             " ] || sleep 1000\necho '{\"apiVersion\":\"" + std::string(kV1) +
                             "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}'");
  asio::cancellation_signal stop;
  auto first = asio::co_spawn(io_, source->Current(),
                              asio::bind_cancellation_slot(stop.slot(), asio::use_future));
  auto second = Spawn(source);
  const pid_t pid = std::stoi(WaitForFile("pid"));
  dir_.Write("go", "");
  stop.emit(asio::cancellation_type::terminal);
  WaitFor(first);
  EXPECT_THROW((void)first.get(), boost::system::system_error);
  EXPECT_EQ(::kill(pid, 0), -1) << "still there";
  WaitFor(second);
  EXPECT_EQ(second.get()->bearer_token.Reveal(), "t");
}

}  // namespace
}  // namespace stillpoint::kube
