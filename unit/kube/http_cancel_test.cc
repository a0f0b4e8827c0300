// Cancellation of a call at each of its steps: it ends at once, with the right exception, and what
// it leaves behind does not hurt the next call.
#include "unit/support/http_fixture.h"

#include <gtest/gtest.h>
#include <boost/asio/error.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using unit::HttpAnswer;
using unit::Read;
using unit::Write;

class HttpCancelTest : public unit::HttpFixture {
 protected:
  enum class End { kValue, kAborted, kOther };

  // Starts the request, lets the loop run `steps` handlers, cancels.
  End CancelAfter(int steps, Request request) {
    asio::cancellation_signal stop;
    auto future = asio::co_spawn(io_, client_->Do(std::move(request)),
                                 asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    io_.restart();
    for (int i = 0; i < steps; ++i) io_.run_one_for(2ms);
    stop.emit(asio::cancellation_type::terminal);
    const End end = EndOf(std::move(future));
    io_.poll();  // Asio posts a cancellation from outside the loop, which then needs `stop`
    return end;
  }

  End EndOf(std::future<Answer> future) {
    try {
      const auto answer = Finish(std::move(future));
      return answer ? End::kValue : End::kOther;
    } catch (const boost::system::system_error& error) {
      return error.code() == asio::error::operation_aborted ? End::kAborted : End::kOther;
    }
  }

  // Every connection: a body in two pieces, twice.
  void ServeSlices() {
    const std::string answer = HttpAnswer(200, R"({"a":1})");
    const std::size_t half = answer.size() - 4;
    std::vector<unit::ScriptStep> steps;
    for (int i = 0; i < 3; ++i) {
      steps.insert(steps.end(),
                   {Read(), Write(answer.substr(0, half)), Write(answer.substr(half))});
    }
    Serve({steps});
  }

  void ExpectNextCallIsClean() {
    const auto answer = Get();
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(boost::json::serialize(**answer), R"({"a":1})");
    EXPECT_EQ(clock_.sleepers(), 0U);
  }
};

TEST_F(HttpCancelTest, FreshConnection) {
  ServeSlices();
  for (int steps = 0;; ++steps) {
    MakeClient();
    const End end = CancelAfter(steps, GetPod());
    ASSERT_NE(end, End::kOther) << "after " << steps << " steps";
    ExpectNextCallIsClean();
    if (end == End::kValue) break;
    ASSERT_LT(steps, 1000);
  }
}

TEST_F(HttpCancelTest, ReusedConnection) {
  ServeSlices();
  for (int steps = 0;; ++steps) {
    MakeClient();
    ExpectNextCallIsClean();
    const End end = CancelAfter(steps, CreatePod());
    ASSERT_NE(end, End::kOther) << "after " << steps << " steps";
    ExpectNextCallIsClean();
    if (end == End::kValue) break;
    ASSERT_LT(steps, 1000);
  }
}

TEST_F(HttpCancelTest, WhileItWaitsForTheNextAttempt) {
  Serve({{Read(), Write(HttpAnswer(429, "", "Retry-After: 5\r\n"))}});
  asio::cancellation_signal stop;
  auto future = asio::co_spawn(io_, client_->Do(GetPod()),
                               asio::bind_cancellation_slot(stop.slot(), asio::use_future));
  RunUntil([&] { return clock_.sleepers() == 2; });
  stop.emit(asio::cancellation_type::terminal);
  EXPECT_THROW((void)Finish(std::move(future)), boost::system::system_error);
  EXPECT_EQ(clock_.sleepers(), 0U);
}

TEST_F(HttpCancelTest, WhileItResolvesAName) {
  Serve({{Read(), Write(HttpAnswer(200, "{}"))}});
  config_.host = "localhost";
  for (int steps = 0; steps < 10; ++steps) {
    MakeClient();
    ASSERT_NE(CancelAfter(steps, GetPod()), End::kOther);
  }
}

// A crash: the loop goes with everything suspended on it.
TEST_F(HttpCancelTest, LoopDiesFirst) {
  for (int steps = 0; steps < 60; steps += 6) {
    auto io = std::make_unique<asio::io_context>(1);
    unit::FakeClock clock(*io);
    auto server = std::make_unique<unit::ScriptServer>(*io, unit::ScriptServer::Options{},
                                                       unit::ScriptServer::Script{{Read()}});
    Config config{.host = "127.0.0.1",
                  .port = server->port(),
                  .ca_pem = server->authority().certificate_pem,
                  .credentials = MakeStaticCredentials({})};
    auto client = MakeHttpClient(io->get_executor(), config, clock, nullptr);
    auto future = asio::co_spawn(*io, client->Do(GetPod()), asio::use_future);
    for (int i = 0; i < steps; ++i) io->run_one_for(1ms);
    server.reset();
    io.reset();
  }
}

}  // namespace
}  // namespace stillpoint::kube
