// The exec client while a command runs, and when its stream is lost.
#include "unit/kube/lws_exec_fixture.h"

#include <gmock/gmock.h>

#include <string>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;
using unit::ExecPeer;
using unit::ExecServer;

// ---- a command runs ---------------------------------------------------------------------------

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
  auto session = co_await client.Start(MakeRequest());
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
  auto session = co_await client.Start(MakeRequest());
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

// libwebsockets alone cuts the request line at 2 KiB.
TEST_F(LwsExecTest, LongCommandArrivesWhole) {
  ExecServer server(EchoTarget);
  const std::string script(30'000, 'x');
  EXPECT_THAT(Exec(ConfigFor(server), MakeRequest({script})),
              HasSubstr("&command=" + script + "&stdin=false"));
}

TEST_F(LwsExecTest, TooLongCommandIsInvalid) {
  ExecServer server(EchoTarget);
  EXPECT_THAT(Exec(ConfigFor(server), MakeRequest({std::string(40'000, 'x')})),
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

// Nobody reads until it is over: the command is not held up, and its last words are there.
TEST_F(LwsExecTest, OfOutputWithoutEndTheNewestIsKept) {
  ExecServer server(PrintWithoutEnd);
  auto client = Make(ConfigFor(server));
  auto session = Run(StartOnly(*client, MakeRequest()));
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
  auto session = co_await client.Start(MakeRequest());
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
  EXPECT_EQ(Run(StartAndReadAll(*client, MakeRequest())), "Unavailable: the connection was lost");
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
  EXPECT_EQ(Run(StartAndReadAll(*client, MakeRequest())), "exit 0");
}

}  // namespace
}  // namespace stillpoint::kube
