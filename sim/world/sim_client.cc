#include "sim/world/sim_client.h"

#include "kube/request_url.h"
#include "kube/retry_policy.h"
#include "sim/world/watch_feed.h"

#include <fmt/format.h>
#include <boost/asio/this_coro.hpp>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace stillpoint::sim {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds kWatchPatience{30'000};

int HttpStatusOf(api::Code code) {
  switch (code) {
    case api::Code::kTooManyRequests:
      return 429;
    case api::Code::kUnavailable:
      return 500;
    default:
      return 400;  // any that is not tried again
  }
}

kube::FailedAttempt Failed(const Reply& reply) {
  const api::Error& error = reply.outcome->error();
  if (!reply.answered) return {.error = error, .progress = kube::Progress::kSent};
  return {.error = error,
          .progress = kube::Progress::kAnswered,
          .http_status = HttpStatusOf(error.code)};
}

class SimWatch final : public kube::WatchStream {
 public:
  explicit SimWatch(std::shared_ptr<WatchFeed> feed) : feed_(std::move(feed)) {}

  asio::awaitable<api::Result<kube::WatchEvent>> Next() override {
    while (true) {
      if (auto event = feed_->Take()) co_return std::move(*event);
      co_await feed_->news().Wait();
    }
  }

 private:
  const std::shared_ptr<WatchFeed> feed_;
};

}  // namespace

void DieIfClosed(bool closed, int life) {
  if (!closed) return;
  fmt::print(stderr, "life {} is over and asks for something: a destructor must not\n", life);
  std::abort();
}

asio::awaitable<api::Result<kube::Answer>> SimClient::Do(kube::Request request) {
  DieIfClosed(closed_, life_);
  return Try(std::move(request));
}

asio::awaitable<api::Result<kube::Answer>> SimClient::Try(kube::Request original) {
  const auto request = std::make_shared<const kube::Request>(std::move(original));
  const api::Time deadline = world_.Now() + request->timeout;
  for (int attempt = 0;; ++attempt) {
    const auto reply = co_await Once(request, deadline);
    if (*reply->outcome) co_return std::move(std::get<kube::Answer>(**reply->outcome));
    const auto jitter =
        world_.draws().Below(1000, DrawStream::kLatency, HashIn(0, "retry"),
                             static_cast<std::uint64_t>(world_.Now().time_since_epoch().count()));
    const auto pause = kube::RetryDelay(request->verb, Failed(*reply), attempt,
                                        static_cast<double>(jitter) / 1000.0);
    if (!pause || world_.Now() + *pause >= deadline) co_return reply->outcome->error();
    co_await clock_.Sleep(*pause);
  }
}

asio::awaitable<std::shared_ptr<Reply>> SimClient::Once(
    std::shared_ptr<const kube::Request> request, api::Time deadline) {
  auto reply = std::make_shared<Reply>(co_await asio::this_coro::executor);
  auto exchange = std::make_shared<Exchange>();
  exchange->life = life_;
  exchange->subject = {.verb = kube::RbacVerb(request->verb),
                       .resource = request->resource,
                       .subresource = request->subresource,
                       .ns = request->ns,
                       .name = request->name,
                       .body = request->body.is_null() ? nullptr : &request->body};
  exchange->deadline = deadline;
  exchange->way = network_.knobs().request;
  exchange->effect = [this_network = &network_, life = life_, request]() -> api::Result<Payload> {
    auto answer = this_network->Answer(life, *request);
    if (!answer) return answer.error();
    return Payload(std::move(*answer));
  };
  exchange->reply = reply;
  network_.Send(std::move(exchange));
  while (!reply->outcome) co_await reply->news.Wait();
  co_return reply;
}

asio::awaitable<api::Result<std::unique_ptr<kube::WatchStream>>> SimClient::Watch(
    kube::WatchRequest request) {
  DieIfClosed(closed_, life_);
  return Open(std::move(request));
}

asio::awaitable<api::Result<std::unique_ptr<kube::WatchStream>>> SimClient::Open(
    kube::WatchRequest request) {
  const auto executor = co_await asio::this_coro::executor;
  const auto reply = std::make_shared<Reply>(executor);
  auto exchange = std::make_shared<Exchange>();
  exchange->life = life_;
  exchange->subject = {.verb = "watch", .resource = request.resource, .ns = request.ns};
  exchange->deadline = world_.Now() + kWatchPatience;
  exchange->way = network_.knobs().request;
  exchange->effect = [this_network = &network_, life = life_, executor,
                      request = std::move(request)]() -> api::Result<Payload> {
    if (!this_network->world().IsAlive(life)) {  // its loop, on which a feed would call it, is gone
      return api::Error{api::Code::kUnavailable, "nobody is there any more"};
    }
    auto cursor = this_network->server().OpenWatch(request);
    if (!cursor) return cursor.error();
    return std::make_shared<WatchFeed>(*this_network, life, executor, request, std::move(*cursor));
  };
  exchange->reply = reply;
  network_.Send(std::move(exchange));
  while (!reply->outcome) co_await reply->news.Wait();
  if (!*reply->outcome) co_return reply->outcome->error();
  auto feed = std::get<std::shared_ptr<WatchFeed>>(**reply->outcome);
  feed->Open();
  co_return std::make_unique<SimWatch>(std::move(feed));
}

}  // namespace stillpoint::sim
