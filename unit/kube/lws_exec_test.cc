// The exec client against a server on the loopback device. Real sockets and real time: deadlines
// that pass here are short, and everything else ends by an event.
#include "kube/lws_exec.h"

#include "unit/support/exec_server.h"
#include "unit/support/script_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>

#include <cstdlib>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::AllOf;
using testing::HasSubstr;
using unit::ExecPeer;
using unit::ExecServer;

constexpr const char* kPod = R"({
  "metadata": {"name": "db-0", "uid": "u1"}, "spec": {"containers": [{"name": "mysql"}]},
  "status": {"phase": "Running", "containerStatuses": [
    {"name": "mysql", "containerID": "containerd://m", "state": {"running": {}}}]}})";
constexpr const char* kSuccess = R"({"metadata":{},"status":"Success"})";
constexpr const char* kExit7 = R"({"metadata":{},"status":"Failure","reason":"NonZeroExitCode",)"
                               R"("details":{"causes":[{"reason":"ExitCode","message":"7"}]}})";

// A Client that has one pod.
class OnePod final : public Client {
 public:
  asio::awaitable<api::Result<boost::json::value>> Do(Request request) override {
    EXPECT_EQ(request.verb, Verb::kGet);
    EXPECT_EQ(request.resource.plural, "pods");
    if (request.name != "db-0") co_return api::Error{api::Code::kNotFound, "no such pod"};
    co_return boost::json::parse(kPod);
  }
  asio::awaitable<api::Result<std::unique_ptr<WatchStream>>> Watch(WatchRequest) override {
    throw std::logic_error("exec watches nothing");
  }
};

class Credentials final : public CredentialSource {
 public:
  asio::awaitable<api::Result<Credential>> Current() override { co_return credential; }
  void Invalidate() override {
    ++invalidated;
    credential.bearer_token = Sensitive("fresh");
  }
  Credential credential{.bearer_token = Sensitive("s3cret")};
  int invalidated = 0;
};

ExecRequest Request(std::vector<std::string> command = {"true"}) {
  return {.ns = "shop",
          .pod = "db-0",
          .pod_uid = "u1",
          .container = "mysql",
          .command = std::move(command),
          .connect_timeout = 8s};
}

// Everything that a command said, in words.
asio::awaitable<std::string> ReadAll(ExecSession& session) {
  std::string seen;
  for (;;) {
    auto event = co_await session.Next();
    if (!event) co_return seen + ToString(event.error().code) + ": " + event.error().message;
    switch (event->type) {
      case ExecEvent::Type::kStdout:
        seen += event->data;
        break;
      case ExecEvent::Type::kStderr:
        seen += "(" + event->data + ")";
        break;
      case ExecEvent::Type::kExit:
        co_return seen + "exit " + std::to_string(event->exit_code);
    }
  }
}

asio::awaitable<std::string> StartAndReadAll(ExecClient& client, ExecRequest request) {
  auto session = co_await client.Start(std::move(request));
  if (!session)
    co_return std::string(ToString(session.error().code)) + ": " + session.error().message;
  co_return co_await ReadAll(**session);
}

class LwsExecTest : public testing::Test {
 protected:
  Config ConfigFor(const ExecServer& server) {
    return {.host = "127.0.0.1",
            .port = server.port(),
            .ca_pem = server.authority().certificate_pem,
            .credentials = credentials_};
  }

  LogFn Log() {
    return [this](Severity, std::string_view line) { log_ += std::string(line) + "\n"; };
  }

  std::unique_ptr<ExecClient> Make(Config config, LwsKeepalive keepalive = {}) {
    return MakeExecClient(io_.get_executor(), pods_, std::move(config), *clock_, Log(), keepalive);
  }

  // Runs the loop until `done`, which may take real time.
  template <class Condition>
  void RunUntil(Condition done) {
    const auto work = asio::make_work_guard(io_);
    io_.restart();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!done()) {
      io_.run_one_for(1ms);
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited for too long";
    }
  }

  template <class T>
  T Run(asio::awaitable<T> coroutine) {
    auto future = asio::co_spawn(io_, std::move(coroutine), asio::use_future);
    RunUntil([&] { return future.wait_for(0s) == std::future_status::ready; });
    return future.get();
  }

  std::string Exec(Config config, ExecRequest request = Request()) {
    auto client = Make(std::move(config));
    return Run(StartAndReadAll(*client, std::move(request)));
  }

  asio::io_context io_{1};
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  OnePod pods_;
  std::shared_ptr<Credentials> credentials_ = std::make_shared<Credentials>();
  std::string log_;
};

// ---- a command runs ---------------------------------------------------------------------------

asio::awaitable<void> Greet(ExecPeer& peer) {
  EXPECT_EQ(peer.target(),
            "/api/v1/namespaces/shop/pods/db-0/exec?container=mysql&command=true"
            "&stdin=false&stdout=true&stderr=true&tty=false");
  EXPECT_EQ(peer.Header("Sec-WebSocket-Protocol"), "v5.channel.k8s.io, v4.channel.k8s.io");
  EXPECT_EQ(peer.Header("Authorization"), "Bearer s3cret");
  EXPECT_EQ(peer.Header("User-Agent"), "stillpoint");
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Send(1, "hello ");
  co_await peer.Send(2, "oops");
  co_await peer.Send(1, "world");
  co_await peer.Send(3, kExit7);
  co_await peer.Close();
}

TEST_F(LwsExecTest, TellsOutputAndExitCode) {
  ExecServer server(Greet);
  EXPECT_EQ(Exec(ConfigFor(server)), "hello (oops)worldexit 7");
  EXPECT_EQ(log_, "");
}

asio::awaitable<void> GreetInFragments(ExecPeer& peer) {
  co_await peer.Accept("v4.channel.k8s.io");
  for (const char channel : "\1\2\3"s) co_await peer.Send(static_cast<std::uint8_t>(channel), "");
  co_await peer.Send(1, std::string(1000, 'x'), 100);
  co_await peer.Send(3, kSuccess, 10);
  co_await peer.Close();
}

TEST_F(LwsExecTest, SpeaksV4AndJoinsFragments) {
  ExecServer server(GreetInFragments);
  EXPECT_EQ(Exec(ConfigFor(server)), std::string(1000, 'x') + "exit 0");
}

asio::awaitable<void> EchoUntilStdinEnds(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Send(1, "frozen\n");
  const std::string message = co_await peer.Receive();
  EXPECT_EQ(message, "\xff\0"s);
  co_await peer.Send(1, "thawed\n");
  co_await peer.Send(3, kSuccess);
  co_await peer.Close();
}

asio::awaitable<std::string> HoldAndRelease(ExecClient& client) {
  auto session = co_await client.Start(Request());
  if (!session) co_return session.error().message;
  auto marker = co_await (*session)->Next();
  if (!marker) co_return marker.error().message;
  EXPECT_EQ(marker->data, "frozen\n");
  EXPECT_EQ((*session)->ContainerId(), "containerd://m");
  (*session)->CloseStdin();
  co_return co_await ReadAll(**session);
}

TEST_F(LwsExecTest, ClosingStdinLeavesTheStreamOpen) {
  ExecServer server(EchoUntilStdinEnds);
  auto client = Make(ConfigFor(server));
  EXPECT_EQ(Run(HoldAndRelease(*client)), "thawed\nexit 0");
}

asio::awaitable<void> EchoAndEnd(ExecPeer& peer, std::string protocol) {
  co_await peer.Accept(std::move(protocol));
  co_await peer.Send(1, (co_await peer.Receive()).substr(1));
  co_await peer.Send(3, kSuccess);
  co_await peer.Close();
}

asio::awaitable<std::string> WriteAndReadAll(ExecClient& client) {
  auto session = co_await client.Start(Request());
  if (!session) co_return session.error().message;
  (*session)->WriteStdin("release\n");
  co_return co_await ReadAll(**session);
}

TEST_F(LwsExecTest, WritesToStdin) {
  for (const char* protocol : {"v4.channel.k8s.io", "v5.channel.k8s.io"}) {
    ExecServer server([protocol](ExecPeer& peer) { return EchoAndEnd(peer, protocol); });
    auto client = Make(ConfigFor(server));
    EXPECT_EQ(Run(WriteAndReadAll(*client)), "release\nexit 0");
  }
}

asio::awaitable<void> TakeAllOfStdin(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  // In one message or in two: they may have left one after the other.
  std::string data;
  for (;;) {
    const std::string message = co_await peer.Receive();
    if (message.empty() || message == "\xff\0"s) break;
    EXPECT_EQ(message[0], '\0');
    data += message.substr(1);
  }
  EXPECT_EQ(data, "a\nb\n");
  co_await peer.Send(3, kSuccess);
  co_await peer.Close();
}

asio::awaitable<std::string> WriteTwiceAndClose(ExecClient& client) {
  auto session = co_await client.Start(Request());
  if (!session) co_return session.error().message;
  (*session)->WriteStdin("a\n");
  (*session)->WriteStdin("b\n");
  (*session)->CloseStdin();
  (*session)->WriteStdin("too late");
  co_return co_await ReadAll(**session);
}

TEST_F(LwsExecTest, ClosesStdinAfterWhatWasWritten) {
  ExecServer server(TakeAllOfStdin);
  auto client = Make(ConfigFor(server));
  EXPECT_EQ(Run(WriteTwiceAndClose(*client)), "exit 0");
}

asio::awaitable<void> HoldByV4(ExecPeer& peer) {
  co_await peer.Accept("v4.channel.k8s.io");
  co_await peer.Send(1, "frozen\n");
  EXPECT_EQ(co_await peer.Receive(), "");
}

TEST_F(LwsExecTest, ClosingStdinOfV4EndsTheStream) {
  ExecServer server(HoldByV4);
  auto client = Make(ConfigFor(server));
  EXPECT_THAT(Run(HoldAndRelease(*client)), testing::StartsWith("Unavailable: "));
  RunUntil([&] { return server.ended() == 1; });
}

asio::awaitable<void> EchoTarget(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Send(1, peer.target());
  co_await peer.Send(3, kSuccess);
  co_await peer.Close();
}

// libwebsockets alone cuts the request line at 2 KiB.
TEST_F(LwsExecTest, LongCommandArrivesWhole) {
  ExecServer server(EchoTarget);
  const std::string script(30'000, 'x');
  EXPECT_THAT(Exec(ConfigFor(server), Request({script})),
              HasSubstr("&command=" + script + "&stdin=false"));
}

TEST_F(LwsExecTest, TooLongCommandIsInvalid) {
  ExecServer server(EchoTarget);
  EXPECT_THAT(Exec(ConfigFor(server), Request({std::string(40'000, 'x')})),
              testing::StartsWith("Invalid: exec in shop/db-0[mysql]: the command is too long"));
}

constexpr std::size_t kBig = 20'000'000;

asio::awaitable<void> PrintWithoutEnd(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  const std::string chunk(1'000'000, 'y');
  for (std::size_t sent = 0; sent < kBig; sent += chunk.size()) co_await peer.Send(1, chunk);
  co_await peer.Send(2, "done");
  co_await peer.Send(3, kSuccess);
  co_await peer.Close();
}

asio::awaitable<std::unique_ptr<ExecSession>> StartOnly(ExecClient& client, ExecRequest request) {
  auto session = co_await client.Start(std::move(request));
  EXPECT_TRUE(session) << session.error().message;
  co_return session ? std::move(*session) : nullptr;
}

// Nobody reads until it is over: the command is not held up, and its last words are there.
TEST_F(LwsExecTest, OfOutputWithoutEndTheNewestIsKept) {
  ExecServer server(PrintWithoutEnd);
  auto client = Make(ConfigFor(server));
  auto session = Run(StartOnly(*client, Request()));
  RunUntil([&] { return server.ended() == 1; });
  const std::string seen = Run(ReadAll(*session));
  EXPECT_LE(seen.size(), ExecTranscript::kBacklogLimit);
  EXPECT_THAT(seen, testing::EndsWith("y(done)exit 0"));
}

// ---- a stream is lost -------------------------------------------------------------------------

asio::awaitable<void> DropMidStream(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Send(1, "half");
  EXPECT_EQ(co_await peer.Receive(), "\xff\0"s);
  peer.Drop();
}

asio::awaitable<std::string> StartCloseStdinAndReadAll(ExecClient& client) {
  auto session = co_await client.Start(Request());
  if (!session) co_return session.error().message;
  auto first = co_await (*session)->Next();
  if (!first) co_return first.error().message;
  (*session)->CloseStdin();
  co_return first->data + (co_await ReadAll(**session));
}

TEST_F(LwsExecTest, ResetIsUnavailable) {
  ExecServer server(DropMidStream);
  auto client = Make(ConfigFor(server));
  EXPECT_EQ(Run(StartCloseStdinAndReadAll(*client)), "halfUnavailable: the connection was lost");
}

asio::awaitable<void> CloseWithoutStatus(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Close();
}

TEST_F(LwsExecTest, CloseWithoutStatusIsUnavailable) {
  ExecServer server(CloseWithoutStatus);
  EXPECT_EQ(Exec(ConfigFor(server)),
            "Unavailable: the API server closed the stream without an exit status");
}

asio::awaitable<void> StatusThenSilence(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Send(3, kSuccess);
  co_await peer.Receive();
}

// Takes the grace period.
TEST_F(LwsExecTest, StatusWithoutCloseIsAnExitAllTheSame) {
  ExecServer server(StatusThenSilence);
  EXPECT_EQ(Exec(ConfigFor(server)), "exit 0");
}

asio::awaitable<void> AcceptAndHang(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Hang();
}

// Takes the shortest keep-alive there is: seconds.
TEST_F(LwsExecTest, BlackHoleIsFoundOutByPings) {
  ExecServer server(AcceptAndHang);
  auto client = Make(ConfigFor(server), {.ping = 1s, .hang_up = 2s});
  EXPECT_EQ(Run(StartAndReadAll(*client, Request())), "Unavailable: the connection was lost");
}

asio::awaitable<void> EndAfterAWhile(ExecPeer& peer) {
  co_await peer.Sleep(2500ms);
  co_await peer.Send(3, kSuccess);
  co_await peer.Close();
}

asio::awaitable<void> AcceptAndReadForAWhile(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  asio::co_spawn(co_await asio::this_coro::executor, EndAfterAWhile(peer),
                 [](std::exception_ptr) {});
  while (!(co_await peer.Receive()).empty()) {
  }
}

TEST_F(LwsExecTest, AnswersToPingsKeepAQuietStreamAlive) {
  ExecServer server(AcceptAndReadForAWhile);
  auto client = Make(ConfigFor(server), {.ping = 1s, .hang_up = 2s});
  EXPECT_EQ(Run(StartAndReadAll(*client, Request())), "exit 0");
}

// ---- a stream is not opened -------------------------------------------------------------------

ExecServer::Script Refuse(int status, std::string body) {
  return [status, body](ExecPeer& peer) { return peer.Refuse(status, body); };
}

TEST_F(LwsExecTest, RefusalsAreCodesWithTheServersMessage) {
  const struct {
    int status;
    const char* code;
  } kCases[] = {{403, "Forbidden: "},
                {404, "NotFound: "},
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
  ExecRequest request = Request();
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

TEST_F(LwsExecTest, AnotherPodOrContainerIsNeverTouched) {
  ExecServer server(Greet);
  ExecRequest request = Request();
  request.pod_uid = "u0";
  EXPECT_EQ(Exec(ConfigFor(server), request),
            "NotFound: exec in shop/db-0[mysql]: pod shop/db-0 was replaced: it has UID u1 now");
  request = Request();
  request.container = "other";
  EXPECT_THAT(Exec(ConfigFor(server), request), testing::StartsWith("Invalid: "));
  request = Request();
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
  std::string seen = Run(StartAndReadAll(*client, Request()));
  for (const char* name : {"first", "second"}) {
    const auto identity = unit::MakeTestCertificate(server.authority(), name, "");
    credentials_->credential.client_certificate_pem = identity.certificate_pem;
    credentials_->credential.client_key_pem = Sensitive(identity.key_pem);
    seen += Run(StartAndReadAll(*client, Request()));
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

// ---- cancellation and destruction -------------------------------------------------------------

// Cancels `coroutine` after the n-th handler of the loop has run. True: it was cancelled by then.
template <class Test>
bool CancelAfter(Test& test, asio::io_context& io, int handlers, asio::awaitable<void> coroutine) {
  asio::cancellation_signal signal;
  std::optional<std::exception_ptr> ended;
  asio::co_spawn(io, std::move(coroutine),
                 asio::bind_cancellation_slot(
                     signal.slot(), [&](std::exception_ptr failure) { ended = failure; }));
  int ran = 0;
  const auto work = asio::make_work_guard(io);
  io.restart();
  while (!ended && ran < handlers) ran += static_cast<int>(io.run_one_for(5s));
  if (!ended) signal.emit(asio::cancellation_type::all);
  test([&] { return ended.has_value(); });
  if (!*ended) return false;
  try {
    std::rethrow_exception(*ended);
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
  return true;
}

asio::awaitable<void> ExecDiscarding(ExecClient& client) {
  const std::string seen = co_await StartAndReadAll(client, Request());
  EXPECT_EQ(seen, "hello (oops)worldexit 7");
}

TEST_F(LwsExecTest, CancelledAtEveryStepItThrowsAndLeavesNothing) {
  ExecServer server(Greet);
  auto client = Make(ConfigFor(server));
  auto until = [this](auto done) { RunUntil(done); };
  int handlers = 0;
  while (CancelAfter(until, io_, handlers, ExecDiscarding(*client))) ++handlers;
  EXPECT_GT(handlers, 0);
  RunUntil([&] { return server.ended() >= 1; });
}

asio::awaitable<void> NextOnce(ExecSession& session) {
  std::ignore = co_await session.Next();
}

TEST_F(LwsExecTest, SessionIsOfUseAfterACancelledNext) {
  ExecServer server(EchoUntilStdinEnds);
  auto client = Make(ConfigFor(server));
  auto session = Run(StartOnly(*client, Request()));
  Run(NextOnce(*session));
  auto until = [this](auto done) { RunUntil(done); };
  EXPECT_TRUE(CancelAfter(until, io_, 1, NextOnce(*session)));
  session->CloseStdin();
  EXPECT_EQ(Run(ReadAll(*session)), "thawed\nexit 0");
}

asio::awaitable<void> WaitForGoodbye(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  EXPECT_EQ(co_await peer.Receive(), "");
}

TEST_F(LwsExecTest, DestroyingASessionSaysGoodbye) {
  ExecServer server(WaitForGoodbye);
  auto client = Make(ConfigFor(server));
  Run(StartOnly(*client, Request())).reset();
  RunUntil([&] { return server.ended() == 1; });
}

TEST_F(LwsExecTest, DestroyingTheClientRightAfterItsSessionsEndsTheStreams) {
  ExecServer server([](ExecPeer& peer) -> asio::awaitable<void> {
    co_await peer.Accept("v5.channel.k8s.io");
    co_await peer.Receive();
  });
  auto client = Make(ConfigFor(server));
  auto first = Run(StartOnly(*client, Request()));
  auto second = Run(StartOnly(*client, Request()));
  first.reset();
  second.reset();
  client.reset();
  RunUntil([&] { return server.ended() == 2; });
}

// As when an exception leaves main: the client goes, then the loop with all that is suspended on
// it.
TEST_F(LwsExecTest, LoopMayDieAtAnyStep) {
  ExecServer server(Greet);
  for (int handlers = 0; handlers < 8; ++handlers) {
    auto io = std::make_unique<asio::io_context>(1);
    auto client = MakeExecClient(io->get_executor(), pods_, ConfigFor(server), *clock_, Log());
    asio::co_spawn(*io, ExecDiscarding(*client), [](std::exception_ptr) {});
    for (int i = 0; i < handlers; ++i) io->run_one_for(20ms);
    client.reset();  // first, as its thread posts to the loop
    io.reset();
  }
}

TEST_F(LwsExecTest, HundredSessionsAtOnce) {
  ExecServer server(EchoUntilStdinEnds);
  auto client = Make(ConfigFor(server));
  std::vector<std::future<std::string>> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(asio::co_spawn(io_, HoldAndRelease(*client), asio::use_future));
  }
  for (auto& each : all) {
    RunUntil([&] { return each.wait_for(0s) == std::future_status::ready; });
    EXPECT_EQ(each.get(), "thawed\nexit 0");
  }
}

TEST_F(LwsExecTest, ClientThatDidNothingEndsAtOnce) {
  ExecServer server(Greet);
  for (int i = 0; i < 3; ++i) Make(ConfigFor(server)).reset();
}

// ---- what nobody must see ---------------------------------------------------------------------

TEST_F(LwsExecTest, TokenIsInNoErrorAndNoLog) {
  ExecServer server(Refuse(500, ""));
  std::string seen = Exec(ConfigFor(server));
  Config config = ConfigFor(server);
  config.ca_pem = unit::MakeTestAuthority().certificate_pem;
  seen += Exec(config);
  EXPECT_THAT(seen + log_, testing::Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace stillpoint::kube
