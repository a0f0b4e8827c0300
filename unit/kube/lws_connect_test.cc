// The exec client before a command runs: refusals, proxies, certificates.
#include "unit/kube/lws_exec_fixture.h"
#include "unit/support/script_server.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using unit::ExecPeer;
using unit::ExecServer;

// ---- a stream is not opened -------------------------------------------------------------------

TEST_F(LwsExecTest, RefusalsAreCodesWithTheServersMessage) {
  const struct {
    int status;
    const char* code;
  } kCases[] = {{403, "Forbidden: "},
                {404, "Unavailable: "},  // the pod was there a moment ago
                {500, "Unavailable: "},
                {400, "Invalid: "},
                {503, "Unavailable: "}};
  for (const auto& [status, code] : kCases) {
    ExecServer server(
        Refuse(status, R"({"kind":"Status","status":"Failure","message":"pods \"db-0\": no"})"));
    EXPECT_THAT(Exec(ConfigFor(server)),
                AllOf(testing::StartsWith(code), HasSubstr("exec in shop/db-0[mysql]: "),
                      HasSubstr("pods \"db-0\": no")));
  }
}

TEST_F(LwsExecTest, ForbiddenNamesBothVerbs) {
  ExecServer server(Refuse(403, ""));
  EXPECT_THAT(Exec(ConfigFor(server)), testing::EndsWith("; exec needs the verbs get and create"));
}

TEST_F(LwsExecTest, RefusalWithoutBodyIsACodeToo) {
  ExecServer server(Refuse(403, ""));
  EXPECT_THAT(Exec(ConfigFor(server)), testing::StartsWith("Forbidden: "));
}

asio::awaitable<void> GreetFresh(ExecPeer& peer) {
  if (peer.Header("Authorization") != "Bearer fresh") {
    co_await peer.Refuse(401, "");
    co_return;
  }
  co_await EchoTarget(peer);
}

TEST_F(LwsExecTest, UnauthorizedAsksForAnotherCredentialOnce) {
  ExecServer server(GreetFresh);
  EXPECT_THAT(Exec(ConfigFor(server)), testing::EndsWith("exit 0"));
  EXPECT_EQ(credentials_->invalidated, 1);

  ExecServer never(Refuse(401, ""));
  EXPECT_THAT(Exec(ConfigFor(never)), testing::StartsWith("Forbidden: "));
  EXPECT_EQ(credentials_->invalidated, 2);
}

asio::awaitable<void> AcceptNothing(ExecPeer& peer) {
  co_await peer.Accept("");
  co_await peer.Hang();
}

TEST_F(LwsExecTest, ServerOfAnotherProtocolIsUnavailable) {
  ExecServer server(AcceptNothing);
  EXPECT_THAT(Exec(ConfigFor(server)), HasSubstr("the server speaks neither v5 nor v4"));
}

asio::awaitable<void> Silence(ExecPeer& peer) {
  return peer.Hang();
}

TEST_F(LwsExecTest, SilentServerIsATimeout) {
  ExecServer server(Silence);
  ExecRequest request = MakeRequest();
  request.connect_timeout = 50ms;
  EXPECT_EQ(Exec(ConfigFor(server), request),
            "Timeout: exec in shop/db-0[mysql]: no connection after 50 ms");
}

TEST_F(LwsExecTest, NobodyListeningIsUnavailable) {
  std::optional<ExecServer> server(std::in_place, Silence);
  const Config config = ConfigFor(*server);
  server.reset();
  EXPECT_THAT(Exec(config), AllOf(testing::StartsWith("Unavailable: "), HasSubstr("127.0.0.1:")));
}

// It fails before there is a connection to wait for.
TEST_F(LwsExecTest, AnAddressThatNobodyCanConnectToIsUnavailable) {
  ExecServer server(Greet);
  Config config = ConfigFor(server);
  config.host = "255.255.255.255";
  EXPECT_THAT(Exec(config), testing::StartsWith("Unavailable: "));
}

TEST_F(LwsExecTest, AnotherPodOrContainerIsNeverTouched) {
  ExecServer server(Greet);
  ExecRequest request = MakeRequest();
  request.pod_uid = "u0";
  EXPECT_EQ(Exec(ConfigFor(server), request),
            "NotFound: exec in shop/db-0[mysql]: pod shop/db-0 was replaced: it has UID u1 now");
  request = MakeRequest();
  request.container = "other";
  EXPECT_THAT(Exec(ConfigFor(server), request), testing::StartsWith("Invalid: "));
  request = MakeRequest();
  request.pod = "db-1";
  EXPECT_THAT(Exec(ConfigFor(server), request), testing::StartsWith("NotFound: "));
  EXPECT_EQ(server.ended(), 0);
}

// ---- through a proxy --------------------------------------------------------------------------

TEST_F(LwsExecTest, ProxyIsAskedForATunnel) {
  ExecServer server(Greet);
  unit::ScriptServer proxy(
      io_, {.tls = false},
      {{unit::Read(), unit::Write("HTTP/1.1 200 OK\r\n\r\n"), unit::Tunnel(server.port())}});
  Config config = ConfigFor(server);
  config.proxy_url = "http://user:pass@localhost:" + proxy.port();
  EXPECT_EQ(Exec(config), "hello (oops)worldexit 7");
  ASSERT_EQ(proxy.requests().size(), 1u);
  EXPECT_THAT(proxy.requests()[0], AllOf(HasSubstr("CONNECT 127.0.0.1:" + server.port()),
                                         HasSubstr("basic dXNlcjpwYXNz\r\n")));
}

TEST_F(LwsExecTest, ProxyThatRefusesIsUnavailable) {
  ExecServer server(Greet);
  unit::ScriptServer proxy(io_, {.tls = false},
                           {{unit::Read(), unit::Write(unit::HttpAnswer(407, ""))}});
  Config config = ConfigFor(server);
  config.proxy_url = "http://127.0.0.1:" + proxy.port();
  EXPECT_THAT(Exec(config), AllOf(testing::StartsWith("Unavailable: "), HasSubstr("proxy")));
  config.proxy_url = "http://" + std::string(200, 'u') + ":p@127.0.0.1:" + proxy.port();
  EXPECT_THAT(Exec(config), HasSubstr("the proxy's URL is too long"));
}

TEST_F(LwsExecTest, ProxyWithoutASchemeIsOneOfHttp) {
  ExecServer server(Greet);
  unit::ScriptServer proxy(
      io_, {.tls = false},
      {{unit::Read(), unit::Write("HTTP/1.1 200 OK\r\n\r\n"), unit::Tunnel(server.port())}});
  Config config = ConfigFor(server);
  config.proxy_url = "127.0.0.1:" + proxy.port();
  EXPECT_EQ(Exec(config), "hello (oops)worldexit 7");
  EXPECT_EQ(proxy.requests().size(), 1u);
}

// libwebsockets would follow $http_proxy by itself.
TEST_F(LwsExecTest, EnvironmentIsNotAskedForAProxy) {
  ExecServer server(Greet);
  setenv("http_proxy", "127.0.0.1:1", 1);
  const std::string seen = Exec(ConfigFor(server));
  unsetenv("http_proxy");
  EXPECT_EQ(seen, "hello (oops)worldexit 7");
}

// ---- TLS --------------------------------------------------------------------------------------

// `kubectl proxy`.
TEST_F(LwsExecTest, SpeaksWithoutTlsWhereTheConfigSaysSo) {
  unit::ScriptServer server(io_, {.tls = false},
                            {{unit::Read(), unit::Write(unit::HttpAnswer(403, "{}"))}});
  const Config config{
      .host = "127.0.0.1", .port = server.port(), .plain_http = true, .credentials = credentials_};
  EXPECT_THAT(Exec(config), testing::StartsWith("Forbidden: "));
  EXPECT_THAT(
      server.requests(),
      testing::ElementsAre(testing::StartsWith("GET /api/v1/namespaces/shop/pods/db-0/exec?")));
}

TEST_F(LwsExecTest, ServerOfAnotherAuthorityIsRefused) {
  ExecServer server(Greet);
  Config config = ConfigFor(server);
  config.ca_pem = unit::MakeTestAuthority().certificate_pem;
  EXPECT_THAT(Exec(config), HasSubstr("the server's certificate is refused: "));
  config.insecure_skip_tls_verify = true;
  EXPECT_EQ(Exec(config), "hello (oops)worldexit 7");
}

TEST_F(LwsExecTest, AuthorityMayBeAnyOfABundle) {
  ExecServer server(Greet);
  Config config = ConfigFor(server);
  config.ca_pem = unit::MakeTestAuthority().certificate_pem + config.ca_pem;
  EXPECT_EQ(Exec(config), "hello (oops)worldexit 7");
}

TEST_F(LwsExecTest, NameOfTheServerIsChecked) {
  ExecServer server(Greet);
  Config config = ConfigFor(server);
  config.tls_server_name = "kubernetes.default.svc";
  EXPECT_THAT(Exec(config), HasSubstr("certificate is refused: hostname mismatch"));
  config.tls_server_name = "localhost";
  EXPECT_EQ(Exec(config), "hello (oops)worldexit 7");
  config.tls_server_name = "127.0.0.2";
  EXPECT_THAT(Exec(config), HasSubstr("certificate is refused: IP address mismatch"));
}

TEST_F(LwsExecTest, NameIsResolvedAndEveryAddressTried) {
  ExecServer server(Greet);  // on 127.0.0.1 only; localhost may be ::1 first
  Config config = ConfigFor(server);
  config.host = "localhost";
  EXPECT_EQ(Exec(config), "hello (oops)worldexit 7");
}

asio::awaitable<void> TellClientName(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Send(1, peer.client_name() + ",");
  co_await peer.Send(3, kSuccess);
  co_await peer.Close();
}

TEST_F(LwsExecTest, ClientCertificateIsShownAndMayChange) {
  ExecServer server(TellClientName);
  auto client = Make(ConfigFor(server));
  std::string seen = Run(StartAndReadAll(*client, MakeRequest()));
  for (const char* name : {"first", "second"}) {
    const auto identity = unit::MakeTestCertificate(server.authority(), name, "");
    credentials_->credential.client_certificate_pem = identity.certificate_pem;
    credentials_->credential.client_key_pem = Sensitive(identity.key_pem);
    seen += Run(StartAndReadAll(*client, MakeRequest()));
  }
  EXPECT_EQ(seen, ",exit 0first,exit 0second,exit 0");
}

TEST_F(LwsExecTest, BadCertificatesAreInvalid) {
  ExecServer server(Greet);
  Config config = ConfigFor(server);
  credentials_->credential.client_certificate_pem = "nonsense";
  EXPECT_THAT(Exec(config), AllOf(testing::StartsWith("Invalid: "), HasSubstr("not PEM")));
  const auto identity = unit::MakeTestCertificate(server.authority(), "a", "");
  credentials_->credential.client_certificate_pem = identity.certificate_pem;
  credentials_->credential.client_key_pem =
      Sensitive(unit::MakeTestCertificate(server.authority(), "b", "").key_pem);
  EXPECT_THAT(Exec(config), HasSubstr("does not belong"));
  config.ca_pem = "nonsense";
  EXPECT_THAT(Exec(config), AllOf(testing::StartsWith("Invalid: "), HasSubstr("CA bundle")));
}

}  // namespace
}  // namespace stillpoint::kube
