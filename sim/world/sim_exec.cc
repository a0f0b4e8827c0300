#include "sim/world/sim_exec.h"

#include "api/core.h"
#include "kube/exec_target.h"
#include "sim/world/exec_stream.h"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace stillpoint::sim {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr api::Resource kPods = api::Pod::kResource;

class SimSession final : public kube::ExecSession {
 public:
  SimSession(std::shared_ptr<ExecStream> stream, std::string container_id)
      : stream_(std::move(stream)), container_id_(std::move(container_id)) {}
  ~SimSession() override { stream_->HangUp(); }

  asio::awaitable<api::Result<kube::ExecEvent>> Next() override {
    while (true) {
      if (auto event = stream_->Take()) co_return std::move(*event);
      co_await stream_->news().Wait();
    }
  }
  void WriteStdin(std::string data) override { stream_->WriteStdin(std::move(data)); }
  void CloseStdin() override { stream_->CloseStdin(); }
  const std::string& ContainerId() const override { return container_id_; }

 private:
  const std::shared_ptr<ExecStream> stream_;
  const std::string container_id_;
};

// What the API server does with the upgrade, when it arrives.
api::Result<Payload> Upgrade(Network& network, int life, const asio::any_io_executor& executor,
                             const kube::ExecRequest& request) {
  ApiServer& server = network.server();
  for (const char* verb : {"get", "create"}) {
    if (auto refusal = server.Refusal(verb, kPods, "exec")) return *refusal;
  }
  const auto pod = server.objects().Peek(kPods, {request.ns, request.pod});
  if (!pod) return api::Error{api::Code::kNotFound, "no such pod"};
  const bool alive = network.world().IsAlive(life);
  auto stream = std::make_shared<ExecStream>(
      network, life, alive ? std::optional(executor) : std::nullopt, request.ns, request.pod);
  auto started = stream->Start({.pod_uid = TextOf(MetadataOf(*pod), "uid"),
                                .container = request.container,
                                .argv = request.command,
                                .stdin_open = request.stdin_open});
  if (!started) return started.error();
  return Payload(std::move(stream));
}

json::value BodyOf(const kube::ExecRequest& request) {
  json::array command(request.command.begin(), request.command.end());
  return json::object{{"container", request.container}, {"command", std::move(command)}};
}

}  // namespace

asio::awaitable<api::Result<SimExec::Session>> SimExec::Start(kube::ExecRequest request) {
  DieIfClosed(closed_, life_);
  return Within(std::move(request));
}

asio::awaitable<api::Result<SimExec::Session>> SimExec::Within(kube::ExecRequest request) {
  const auto timeout = request.connect_timeout;
  co_return co_await kube::WithTimeout<Session>(clock_, timeout, "no connection",
                                                Open(std::move(request)));
}

// As lws_exec.cc: the pod is looked at before the connection and after.
asio::awaitable<api::Result<SimExec::Session>> SimExec::Open(kube::ExecRequest request) {
  const auto before = co_await kube::ReadExecPod(client_, clock_, request);
  if (!before) co_return before.error();
  const auto container_id = kube::FindExecContainer(**before, request);
  if (!container_id) co_return container_id.error();
  auto session = co_await Connect(request, *container_id);
  if (!session) co_return session.error();
  const auto after = co_await kube::ReadExecPod(client_, clock_, request);
  const auto confirmed = kube::ConfirmExecContainer(after, request, *container_id);
  if (!confirmed) co_return confirmed.error();
  co_return std::move(*session);
}

asio::awaitable<api::Result<SimExec::Session>> SimExec::Connect(kube::ExecRequest request,
                                                                std::string container_id) {
  const auto executor = co_await asio::this_coro::executor;
  const auto reply = std::make_shared<Reply>(executor);
  const auto body = std::make_shared<const json::value>(BodyOf(request));
  auto exchange = std::make_shared<Exchange>();
  exchange->life = life_;
  exchange->subject = {.verb = "exec",
                       .resource = kPods,
                       .subresource = "exec",
                       .ns = request.ns,
                       .name = request.pod,
                       .body = body.get()};
  exchange->is_exec = true;
  exchange->deadline = world_.Now() + request.connect_timeout;
  exchange->way = network_.knobs().connect;
  exchange->effect = [&network = network_, life = life_, executor, body,
                      request = std::move(request)] {
    return Upgrade(network, life, executor, request);
  };
  exchange->reply = reply;
  network_.Send(std::move(exchange));
  while (!reply->outcome) co_await reply->news.Wait();
  if (!*reply->outcome) co_return kube::RefusedExec(reply->outcome->error());
  co_return std::make_unique<SimSession>(std::get<std::shared_ptr<ExecStream>>(**reply->outcome),
                                         std::move(container_id));
}

}  // namespace stillpoint::sim
