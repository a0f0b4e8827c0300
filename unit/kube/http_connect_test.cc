// The HTTP client's connections: kept, lost, trusted, and through a proxy.
#include "unit/kube/http_client_fixture.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

namespace stillpoint::kube {
namespace {

using namespace std::chrono_literals;
using api::Code;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using unit::Cut;
using unit::HttpAnswer;
using unit::Read;
using unit::Reset;
using unit::Tunnel;
using unit::Write;

// ---- connections ------------------------------------------------------------------------------

TEST_F(HttpClientTest, KeepsTheConnection) {
  Serve({{Read(), Write(kGood), Read(), Write(kGood)}});
  EXPECT_TRUE(Get());
  EXPECT_TRUE(Get());
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpClientTest, ClosesAConnectionThatWasIdleForLong) {
  Serve({{Read(), Write(kGood)}});
  EXPECT_TRUE(Get());
  clock_.Advance(91s);
  EXPECT_TRUE(Get());
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClientTest, DoesNotKeepWhatTheServerWillClose) {
  Serve({{Read(), Write(HttpAnswer(200, "{}", "Connection: close\r\n"))}});
  EXPECT_TRUE(Get());
  EXPECT_TRUE(Get());
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClientTest, NoticesThatTheServerClosedAnIdleConnection) {
  Serve({{Read(), Write(kGood), Cut()}, {Read(), Write(kGood)}});
  EXPECT_TRUE(Get());
  RunUntil([&] { return server_->open() == 0; });
  EXPECT_TRUE(Do(CreatePod()));
  EXPECT_THAT(log_, SizeIs(0));
}

TEST_F(HttpClientTest, ReadOnAStaleConnectionIsRepeatedAtOnce) {
  Serve({{Read(), Write(kGood), Read(), Reset()}, {Read(), Write(kGood)}});
  EXPECT_TRUE(Get());
  EXPECT_TRUE(Get());
  EXPECT_EQ(server_->connections(), 2);
  EXPECT_THAT(seen_, ElementsAre(200, 0, 200));
}

TEST_F(HttpClientTest, WriteThatMayHaveArrivedIsNotRepeated) {
  Serve({{Read(), Write(kGood), Read(), Reset()}, {Read(), Write(kGood)}});
  EXPECT_TRUE(Get());
  EXPECT_EQ(Do(CreatePod()).error().code, Code::kUnavailable);
  EXPECT_THAT(server_->requests(), SizeIs(2));
}

TEST_F(HttpClientTest, ReadIsRepeatedWhenTheAnswerBreaksOff) {
  Serve({{Read(), Write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a"), Cut()},
         {Read(), Write("HTTP/1.1 200 OK\r\n\r\n{}"), Cut()},
         {Read(), Write(kGood)}});
  auto future = Start(GetPod());
  PassPause(150ms);
  PassPause(300ms);
  EXPECT_TRUE(Finish(std::move(future)));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("connection lost"), HasSubstr("connection lost")));
}

TEST_F(HttpClientTest, WriteWhoseAnswerBreaksOffIsNot) {
  Serve({{Read(), Write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a"), Cut()}});
  EXPECT_EQ(Do(CreatePod()).error().code, Code::kUnavailable);
  EXPECT_THAT(server_->requests(), SizeIs(1));
}

TEST_F(HttpClientTest, RefusedConnectionIsTriedAgainForAWriteToo) {
  Serve({{Read(), Write(kGood)}}, {.tls = false});
  config_.plain_http = true;
  config_.port = "1";  // nobody listens there
  MakeClient();
  Request request = CreatePod();
  request.timeout = 1s;
  auto future = Start(request);
  PassPause(150ms);
  PassPause(300ms);
  PassPause(600ms);
  const auto answer = Finish(std::move(future));
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_THAT(answer.error().message,
              HasSubstr("cannot connect to 127.0.0.1:1: Connection refused"));
}

TEST_F(HttpClientTest, SpeaksPlainHttp) {
  config_.plain_http = true;
  Serve({{Read(), Write(kGood)}}, {.tls = false});
  EXPECT_TRUE(Get());
}

TEST_F(HttpClientTest, ResolvesNames) {
  Serve({{Read(), Write(kGood)}});
  config_.host = "localhost";
  MakeClient();
  EXPECT_TRUE(Get());
}

TEST_F(HttpClientTest, NamesAHostThatCannotBeResolved) {
  Serve({{}});
  config_.host = "no-such-host.invalid";
  MakeClient();
  Request request = GetPod();
  request.timeout = 10ms;
  EXPECT_THAT(Do(request).error().message, HasSubstr("cannot resolve no-such-host.invalid"));
}

// ---- trust ------------------------------------------------------------------------------------

TEST_F(HttpClientTest, RefusesAnUnknownAuthorityAtOnce) {
  Serve({{Read(), Write(kGood)}});
  config_.ca_pem = unit::MakeTestAuthority().certificate_pem;
  MakeClient();
  const auto answer = Get();
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_THAT(answer.error().message,
              HasSubstr("the certificate of 127.0.0.1 is not to be trusted"));
  EXPECT_THAT(server_->requests(), SizeIs(0));
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpClientTest, RefusesAnotherName) {
  Serve({{Read(), Write(kGood)}}, {.names = "DNS:other.example,IP:127.0.0.2"});
  EXPECT_THAT(Get().error().message, HasSubstr("IP address mismatch"));
  config_.tls_server_name = "kube.example";
  MakeClient();
  EXPECT_THAT(Get().error().message, HasSubstr("hostname mismatch"));
  config_.tls_server_name = "other.example";
  MakeClient();
  EXPECT_TRUE(Get());
}

TEST_F(HttpClientTest, TrustsAnybodyOnlyWhenToldSo) {
  Serve({{Read(), Write(kGood)}}, {.names = "DNS:other.example"});
  config_.ca_pem = "";
  config_.insecure_skip_tls_verify = true;
  MakeClient();
  EXPECT_TRUE(Get());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("not verified")));
}

TEST_F(HttpClientTest, ShowsItsCertificate) {
  Serve({{Read(), Write(kGood)}}, {.require_client_certificate = true});
  const auto own = unit::MakeTestCertificate(server_->authority(), "ann", "");
  config_.credentials = MakeStaticCredentials(
      {.client_certificate_pem = own.certificate_pem, .client_key_pem = Sensitive(own.key_pem)});
  MakeClient();
  ASSERT_TRUE(Get());
  EXPECT_THAT(server_->client_names(), ElementsAre("ann"));
}

TEST_F(HttpClientTest, NamesTheCertificateThatCannotBeUsed) {
  Serve({{}});
  const auto own = unit::MakeTestCertificate(server_->authority(), "ann", "");
  const auto other = unit::MakeTestCertificate(server_->authority(), "bob", "");
  config_.credentials = MakeStaticCredentials(
      {.client_certificate_pem = own.certificate_pem, .client_key_pem = Sensitive(other.key_pem)});
  MakeClient();
  EXPECT_THAT(Get().error().message,
              HasSubstr("the client key does not belong to the client certificate"));
}

// ---- proxy ------------------------------------------------------------------------------------

class ProxiedClientTest : public HttpClientTest {
 protected:
  void ServeBehind(const std::string& proxy_says) {
    Serve({{Read(), Write(kGood)}});
    proxy_ = std::make_unique<unit::ScriptServer>(
        io_, unit::ScriptServer::Options{.tls = false},
        unit::ScriptServer::Script{{Read(), Write(proxy_says), Tunnel(server_->port())}});
    config_.proxy_url = "http://ann:secret@127.0.0.1:" + proxy_->port();
    MakeClient();
  }
  std::unique_ptr<unit::ScriptServer> proxy_;
};

TEST_F(ProxiedClientTest, AsksForATunnel) {
  ServeBehind("HTTP/1.1 200 Connection established\r\n\r\n");
  const auto answer = Get();
  ASSERT_TRUE(answer) << answer.error().message;
  const std::string target = "127.0.0.1:" + server_->port();
  EXPECT_THAT(proxy_->requests(),
              ElementsAre("CONNECT " + target + " HTTP/1.1\r\nHost: " + target +
                          "\r\nProxy-Authorization: Basic YW5uOnNlY3JldA==\r\n\r\n"));
}

TEST_F(ProxiedClientTest, SaysWhatTheProxySaid) {
  ServeBehind(HttpAnswer(407, "who are you?"));
  Request request = GetPod();
  request.timeout = 10ms;
  const auto answer = Do(request);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_THAT(answer.error().message,
              AllOf(HasSubstr("proxy 127.0.0.1:" + proxy_->port() + " refused the tunnel"),
                    HasSubstr("HTTP 407"), Not(HasSubstr("secret"))));
}

}  // namespace
}  // namespace stillpoint::kube
