#include "kube/http_server.h"

#include "unit/support/await.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
  // Sends each text on a connection of its own and gives what came back until it was closed.
  asio::awaitable<std::vector<std::string>> Exchange(std::vector<std::string> texts,
                                                     HttpServer::Options options) {
    HttpServer server(
        co_await asio::this_coro::executor, *clock_,
        [this](Severity, std::string_view line) { log_.emplace_back(line); }, options);
    server.Handle("/healthz", [] { return HttpAnswer{.body = "ok\n"}; });
    server.Handle("/readyz", [] { return HttpAnswer{503, "informer not synced\n"}; });
    server.Handle("/boom", []() -> HttpAnswer { throw std::runtime_error("boom"); });
    auto started = server.Start();
    EXPECT_TRUE(started);
    std::vector<std::string> answers;
    for (const auto& text : texts) answers.push_back(co_await Ask(server.port(), text));
    co_await server.Stop();
    co_return answers;
  }

  static asio::awaitable<std::string> Ask(std::uint16_t port, std::string text) {
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
    std::string answer;
    boost::system::error_code ended;
    co_await asio::async_read(socket, asio::dynamic_buffer(answer),
                              asio::redirect_error(asio::use_awaitable, ended));
    co_return answer;
  }

  std::string One(const std::string& text, HttpServer::Options options = {}) {
    return unit::Await(Exchange({text}, std::move(options))).at(0);
  }

  static std::string Get(const std::string& path, const std::string& method = "GET") {
    return method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  std::vector<std::string> log_;
};

TEST_F(HttpServerTest, AnswersByPath) {
  EXPECT_THAT(One(Get("/healthz")), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(One(Get("/healthz?verbose")), HasSubstr("\r\n\r\nok\n"));
  EXPECT_THAT(One(Get("/readyz")), HasSubstr("informer not synced"));
  EXPECT_THAT(One(Get("/readyz")), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(One(Get("/etc/passwd")), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServerTest, KeepsTheConnection) {
  const std::string first = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_THAT(One(first + Get("/readyz")), HasSubstr("ok\nHTTP/1.1 503"));
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  const std::string answer = One(Get("/healthz", "HEAD"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, RefusesWhatItDoesNotServe) {
  EXPECT_THAT(One(Get("/healthz", "DELETE")), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(One("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(One("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(
      One("GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: " + std::string(9000, 'x') + "\r\n\r\n"),
      StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, ThrowingHandlerIsAnErrorAndLogged) {
  const std::string answer = One(Get("/boom"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, Not(HasSubstr("boom")));
  EXPECT_THAT(log_, testing::ElementsAre("http server: /boom: boom"));
}

TEST_F(HttpServerTest, SilentClientIsCutOffAndMakesRoom) {
  auto answers = unit::Await(
      Exchange({"GET /healthz HT", Get("/healthz")}, {.max_connections = 1, .idle_timeout = 20ms}));
  EXPECT_EQ(answers.at(0), "");
  EXPECT_THAT(answers.at(1), StartsWith("HTTP/1.1 200"));
}

asio::awaitable<api::Result<void>> StartTwice(Clock& clock) {
  const auto executor = co_await asio::this_coro::executor;
  const LogFn log = [](Severity, std::string_view) {};
  HttpServer first(executor, clock, log, {});
  if (auto started = first.Start(); !started) co_return started.error();
  HttpServer second(executor, clock, log, {.port = first.port()});
  auto started = second.Start();
  co_await first.Stop();
  co_return started;
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  auto taken = unit::Await(StartTwice(*clock_));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, api::Code::kUnavailable);
  EXPECT_THAT(taken.error().message, HasSubstr("cannot listen on 127.0.0.1 port"));
  asio::io_context io(1);
  HttpServer server(io.get_executor(), *clock_, [](Severity, std::string_view) {},
                    {.address = "localhost"});
  EXPECT_EQ(server.Start().error().code, api::Code::kInvalid);
}

}  // namespace
}  // namespace stillpoint::kube
