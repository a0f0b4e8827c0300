#include "unit/kube/lws_exec_fixture.h"

#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>

#include <stdexcept>

namespace stillpoint::kube {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace std::string_literals;
using unit::ExecPeer;
using unit::ExecServer;

namespace {

constexpr const char* kPod = R"({
  "metadata": {"name": "db-0", "uid": "u1"}, "spec": {"containers": [{"name": "mysql"}]},
  "status": {"phase": "Running", "containerStatuses": [
    {"name": "mysql", "containerID": "containerd://m", "state": {"running": {}}}]}})";

}  // namespace

asio::awaitable<api::Result<Answer>> OnePod::Do(Request request) {
  EXPECT_EQ(request.verb, Verb::kGet);
  EXPECT_EQ(request.resource.plural, "pods");
  if (request.name != "db-0") co_return api::Error{api::Code::kNotFound, "no such pod"};
  co_return std::make_shared<const boost::json::object>(boost::json::parse(kPod).as_object());
}

asio::awaitable<api::Result<std::unique_ptr<WatchStream>>> OnePod::Watch(WatchRequest) {
  throw std::logic_error("exec watches nothing");
}

ExecRequest MakeRequest(std::vector<std::string> command) {
  return {.ns = "shop",
          .pod = "db-0",
          .pod_uid = "u1",
          .container = "mysql",
          .command = std::move(command),
          .connect_timeout = 8s};
}

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

asio::awaitable<std::unique_ptr<ExecSession>> StartOnly(ExecClient& client, ExecRequest request) {
  auto session = co_await client.Start(std::move(request));
  EXPECT_TRUE(session) << session.error().message;
  co_return session ? std::move(*session) : nullptr;
}

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

asio::awaitable<void> EchoTarget(ExecPeer& peer) {
  co_await peer.Accept("v5.channel.k8s.io");
  co_await peer.Send(1, peer.target());
  co_await peer.Send(3, kSuccess);
  co_await peer.Close();
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
  auto session = co_await client.Start(MakeRequest());
  if (!session) co_return session.error().message;
  auto marker = co_await (*session)->Next();
  if (!marker) co_return marker.error().message;
  EXPECT_EQ(marker->data, "frozen\n");
  EXPECT_EQ((*session)->ContainerId(), "containerd://m");
  (*session)->CloseStdin();
  co_return co_await ReadAll(**session);
}

ExecServer::Script Refuse(int status, std::string body) {
  return [status, body](ExecPeer& peer) { return peer.Refuse(status, body); };
}

}  // namespace stillpoint::kube
