#include "unit/support/fake_api_server.h"

#include "kube/request_url.h"
#include "kube/waiters.h"

#include <fmt/format.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace stillpoint::unit {

namespace asio = boost::asio;
namespace json = boost::json;
using kube::Request;
using kube::Verb;
using kube::WatchEvent;
using sim::WatchCursor;

namespace {

// Who plays the world asks for one object; the client's request form serves both.
Request RequestFor(Verb verb, const api::Resource& resource, const api::NamespacedName& key) {
  Request request;
  request.verb = verb;
  request.resource = resource;
  request.ns = key.ns;
  request.name = key.name;
  return request;
}

// A request or its answer under way: others run meanwhile.
asio::awaitable<void> Yield() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

}  // namespace

// ---- watches ----------------------------------------------------------------------------------

class FakeApiServer::Stream final : public kube::WatchStream {
 public:
  Stream(FakeApiServer& server, asio::any_io_executor executor, kube::WatchRequest request,
         WatchCursor cursor)
      : server_(server),
        id_(++server.last_stream_),
        request_(std::move(request)),
        cursor_(std::move(cursor)),
        end_(server.clock_.SteadyNow() + request_.lifetime),
        news_(std::move(executor)) {
    server_.streams_.emplace(id_, this);
  }

  ~Stream() override { server_.streams_.erase(id_); }

  asio::awaitable<api::Result<WatchEvent>> Next() override {
    co_await Yield();
    while (true) {
      auto seen = cursor_.Take(server_.visible_);
      if (!seen) co_return seen.error();
      if (*seen) co_return (*seen)->Event();
      if (failure_) co_return *failure_;
      const auto left = end_ - server_.clock_.SteadyNow();
      if (left.count() <= 0) {
        co_return api::Error{api::Code::kUnavailable, "the server has ended the watch"};
      }
      co_await kube::RunWithin(server_.clock_, std::chrono::ceil<std::chrono::milliseconds>(left),
                               news_.Wait());
    }
  }

  void Notify() { news_.NotifyAll(); }

  void End(const api::Error& error) {
    failure_ = error;
    Notify();
  }

  [[nodiscard]] std::string_view plural() const { return request_.resource.plural; }

 private:
  FakeApiServer& server_;
  const std::uint64_t id_;
  const kube::WatchRequest request_;
  WatchCursor cursor_;
  const kube::Clock::Steady end_;
  std::optional<api::Error> failure_;
  kube::Waiters news_;
};

// ---- the client -------------------------------------------------------------------------------

FakeApiServer::FakeApiServer(kube::Clock& clock)
    : clock_(clock), server_([&clock] { return clock.Now(); }) {}

asio::awaitable<api::Result<kube::Answer>> FakeApiServer::Do(Request request) {
  requests_.push_back(request);
  co_await Yield();
  const std::string verb(kube::RbacVerb(request.verb));
  if (auto fault = TakeFault(verb, request.resource.plural, When::kBeforeEffect)) co_return *fault;
  auto result = server_.Answer(request);
  Changed();
  if (result) {
    const auto range = callbacks_.equal_range({verb, std::string(request.resource.plural)});
    for (auto it = range.first; it != range.second; ++it) it->second(**result);
  }
  co_await Yield();
  if (auto fault = TakeFault(verb, request.resource.plural, When::kAfterEffect)) co_return *fault;
  co_return result;
}

asio::awaitable<api::Result<std::unique_ptr<kube::WatchStream>>> FakeApiServer::Watch(
    kube::WatchRequest request) {
  watches_.push_back(request);
  co_await Yield();
  if (auto fault = TakeFault("watch", request.resource.plural, When::kBeforeEffect)) {
    co_return *fault;
  }
  auto cursor = server_.OpenWatch(request);
  if (!cursor) co_return cursor.error();
  co_return std::make_unique<Stream>(*this, co_await asio::this_coro::executor, std::move(request),
                                     std::move(*cursor));
}

std::optional<api::Error> FakeApiServer::TakeFault(const std::string& verb, std::string_view plural,
                                                   When when) {
  for (auto it = faults_.begin(); it != faults_.end(); ++it) {
    if (it->verb != verb || it->plural != plural || it->when != when) continue;
    if (it->skip-- > 0) continue;
    const api::Error error = it->error;
    faults_.erase(it);
    return error;
  }
  return std::nullopt;
}

// ---- the world --------------------------------------------------------------------------------

json::value FakeApiServer::PutJson(const api::Resource& resource, json::value object) {
  const auto put = server_.objects().Put(resource, object.as_object());
  Changed();
  return *put;
}

std::optional<json::value> FakeApiServer::GetJson(const api::Resource& resource,
                                                  const api::NamespacedName& key) const {
  const auto object = server_.objects().Peek(resource, key);
  if (!object) return std::nullopt;
  return *object;
}

std::vector<json::value> FakeApiServer::AllJson(const api::Resource& resource,
                                                const std::string& ns) const {
  const auto found = server_.objects().List(resource, sim::Selector::Parse(ns, "", "").value());
  std::vector<json::value> all;
  for (const auto& object : found) all.emplace_back(*object);
  return all;
}

bool FakeApiServer::RemoveJson(const api::Resource& resource, const api::NamespacedName& key) {
  const bool removed =
      server_.objects().Delete(RequestFor(Verb::kDelete, resource, key)).has_value();
  Changed();
  return removed;
}

void FakeApiServer::On(Verb verb, std::string plural, Callback callback) {
  callbacks_.emplace(std::pair(std::string(kube::RbacVerb(verb)), std::move(plural)),
                     std::move(callback));
}

// ---- faults -----------------------------------------------------------------------------------

void FakeApiServer::FailNext(Verb verb, std::string plural, api::Error error, When when, int skip) {
  faults_.push_back(
      {std::string(kube::RbacVerb(verb)), std::move(plural), std::move(error), when, skip});
}

void FakeApiServer::FailNextWatch(std::string plural, api::Error error, int skip) {
  faults_.push_back({"watch", std::move(plural), std::move(error), When::kBeforeEffect, skip});
}

void FakeApiServer::EndWatches(const std::string& plural, const api::Error& error) {
  for (const auto& [age, stream] : streams_) {
    if (plural.empty() || stream->plural() == plural) stream->End(error);
  }
}

void FakeApiServer::HoldWatches(bool hold) {
  held_ = hold;
  Changed();
}

void FakeApiServer::SendBookmarks() {
  server_.objects().AddBookmark();
  for (const auto& [age, stream] : streams_) stream->Notify();
}

void FakeApiServer::Changed() {
  if (held_ || visible_ == server_.objects().resource_version()) return;
  visible_ = server_.objects().resource_version();
  for (const auto& [age, stream] : streams_) stream->Notify();
}

int FakeApiServer::Count(Verb verb, const std::string& plural) const {
  return static_cast<int>(std::ranges::count_if(requests_, [&](const Request& request) {
    return request.verb == verb && request.resource.plural == plural;
  }));
}

}  // namespace stillpoint::unit
