// The exec client cancelled and destroyed at every step, and many streams at once.
#include "unit/kube/lws_exec_fixture.h"

#include <gmock/gmock.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <optional>
#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;
using unit::ExecPeer;
using unit::ExecServer;

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
  const std::string seen = co_await StartAndReadAll(client, MakeRequest());
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
  auto session = Run(StartOnly(*client, MakeRequest()));
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
  Run(StartOnly(*client, MakeRequest())).reset();
  RunUntil([&] { return server.ended() == 1; });
}

TEST_F(LwsExecTest, DestroyingTheClientRightAfterItsSessionsEndsTheStreams) {
  ExecServer server([](ExecPeer& peer) -> asio::awaitable<void> {
    co_await peer.Accept("v5.channel.k8s.io");
    co_await peer.Receive();
  });
  auto client = Make(ConfigFor(server));
  auto first = Run(StartOnly(*client, MakeRequest()));
  auto second = Run(StartOnly(*client, MakeRequest()));
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
