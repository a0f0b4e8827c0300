// LwsExecTest: the exec client against a server on the loopback device. Real sockets and real time:
// deadlines that pass here are short, and everything else ends by an event.
#pragma once

#include "kube/lws_exec.h"
#include "unit/support/exec_server.h"

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::kube {

// What ends a stream: the status channel's message.
inline constexpr const char* kSuccess = R"({"metadata":{},"status":"Success"})";
inline constexpr const char* kExit7 =
    R"({"metadata":{},"status":"Failure","reason":"NonZeroExitCode",)"
    R"("details":{"causes":[{"reason":"ExitCode","message":"7"}]}})";

// A Client that has one pod.
class OnePod final : public Client {
 public:
  boost::asio::awaitable<api::Result<Answer>> Do(Request request) override;
  boost::asio::awaitable<api::Result<std::unique_ptr<WatchStream>>> Watch(WatchRequest) override;
};

// One whose token is another once it has been refused.
class Credentials final : public CredentialSource {
 public:
  boost::asio::awaitable<api::Result<Credential>> Current() override { co_return credential; }
  void Invalidate() override {
    ++invalidated;
    credential.bearer_token = Sensitive("fresh");
  }
  Credential credential{.bearer_token = Sensitive("s3cret")};
  int invalidated = 0;
};

// `true` in the one pod.
[[nodiscard]] ExecRequest MakeRequest(std::vector<std::string> command = {"true"});

// Everything that a command said, in words.
[[nodiscard]] boost::asio::awaitable<std::string> ReadAll(ExecSession& session);
[[nodiscard]] boost::asio::awaitable<std::string> StartAndReadAll(ExecClient& client,
                                                                  ExecRequest request);
// Null: it could not be started, which is a failure of the test.
[[nodiscard]] boost::asio::awaitable<std::unique_ptr<ExecSession>> StartOnly(ExecClient& client,
                                                                             ExecRequest request);

// Scripts of the server. Greet: "hello (oops)worldexit 7", for MakeRequest().
boost::asio::awaitable<void> Greet(unit::ExecPeer& peer);
boost::asio::awaitable<void> EchoTarget(unit::ExecPeer& peer);
boost::asio::awaitable<void> EchoUntilStdinEnds(unit::ExecPeer& peer);
[[nodiscard]] unit::ExecServer::Script Refuse(int status, std::string body);

// The other side of EchoUntilStdinEnds: what it said.
[[nodiscard]] boost::asio::awaitable<std::string> HoldAndRelease(ExecClient& client);

class LwsExecTest : public testing::Test {
 protected:
  Config ConfigFor(const unit::ExecServer& server) {
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
    const auto work = boost::asio::make_work_guard(io_);
    io_.restart();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      io_.run_one_for(std::chrono::milliseconds(1));
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited for too long";
    }
  }

  template <class T>
  T Run(boost::asio::awaitable<T> coroutine) {
    auto future = boost::asio::co_spawn(io_, std::move(coroutine), boost::asio::use_future);
    RunUntil([&] { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    return future.get();
  }

  std::string Exec(Config config, ExecRequest request = MakeRequest()) {
    auto client = Make(std::move(config));
    return Run(StartAndReadAll(*client, std::move(request)));
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  OnePod pods_;
  std::shared_ptr<Credentials> credentials_ = std::make_shared<Credentials>();
  std::string log_;
};

}  // namespace stillpoint::kube
