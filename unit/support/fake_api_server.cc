#include "unit/support/fake_api_server.h"

#include "api/authorization.h"
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

std::string Version(std::uint64_t version) {
  return std::to_string(version);
}

}  // namespace

std::string VerbName(Verb verb) {
  switch (verb) {
    case Verb::kGet:
      return "get";
    case Verb::kList:
      return "list";
    case Verb::kCreate:
      return "create";
    case Verb::kApply:
    case Verb::kMergePatch:
    case Verb::kJsonPatch:
      return "patch";
    case Verb::kDelete:
      return "delete";
  }
  return "";
}

// ---- watches ----------------------------------------------------------------------------------

class FakeApiServer::Stream final : public kube::WatchStream {
 public:
  Stream(FakeApiServer& server, asio::any_io_executor executor, kube::WatchRequest request,
         FakeSelector selector)
      : server_(server),
        id_(++server.last_stream_),
        request_(std::move(request)),
        selector_(std::move(selector)),
        end_(server.clock_.SteadyNow() + request_.lifetime),
        news_(std::move(executor)) {
    if (request_.resource_version.empty()) {
      initial_ = server_.objects_.List(request_.resource, selector_);
      next_ = server_.objects_.changes().size();
    } else {
      const std::uint64_t seen = std::stoull(request_.resource_version);
      const auto& changes = server_.objects_.changes();
      while (next_ < changes.size() && changes[next_].resource_version <= seen) ++next_;
    }
    server_.streams_.emplace(id_, this);
  }

  ~Stream() override { server_.streams_.erase(id_); }

  asio::awaitable<api::Result<WatchEvent>> Next() override {
    co_await Yield();
    while (true) {
      if (auto event = Take()) co_return std::move(*event);
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
  std::optional<WatchEvent> Take() {
    if (next_initial_ < initial_.size()) {
      return WatchEvent{WatchEvent::Type::kAdded, initial_[next_initial_++]};
    }
    while (next_ < server_.visible_) {
      if (auto event = See(server_.objects_.changes()[next_++])) return event;
    }
    return std::nullopt;
  }

  // The change as this stream's selector shows it.
  std::optional<WatchEvent> See(const FakeChange& change) const {
    if (change.resource.empty()) return Bookmark(change.resource_version);
    if (change.resource != PluralAndGroup(request_.resource)) return std::nullopt;
    const bool before = change.before && selector_.Matches(*change.before);
    const bool now = change.now && selector_.Matches(*change.now);
    if (now) {
      return WatchEvent{before ? WatchEvent::Type::kModified : WatchEvent::Type::kAdded,
                        *change.now};
    }
    if (!before) return std::nullopt;
    json::object last = *change.before;
    last["metadata"].as_object()["resourceVersion"] = Version(change.resource_version);
    return WatchEvent{WatchEvent::Type::kDeleted, std::move(last)};
  }

  static WatchEvent Bookmark(std::uint64_t version) {
    return {WatchEvent::Type::kBookmark,
            json::object{{"metadata", json::object{{"resourceVersion", Version(version)}}}}};
  }

  FakeApiServer& server_;
  const std::uint64_t id_;
  const kube::WatchRequest request_;
  const FakeSelector selector_;
  const kube::Clock::Steady end_;
  std::vector<json::object> initial_;
  std::size_t next_initial_ = 0;
  std::size_t next_ = 0;
  std::optional<api::Error> failure_;
  kube::Waiters news_;
};

// ---- the client -------------------------------------------------------------------------------

FakeApiServer::FakeApiServer(kube::Clock& clock)
    : clock_(clock), objects_([&clock] { return clock.Now(); }) {}

asio::awaitable<api::Result<json::value>> FakeApiServer::Do(Request request) {
  requests_.push_back(request);
  co_await Yield();
  const std::string verb = VerbName(request.verb);
  if (auto fault = TakeFault(verb, request.resource.plural, When::kBeforeEffect)) co_return *fault;
  if (auto refusal = Refusal(verb, request.resource, request.subresource)) co_return *refusal;
  auto result = Effect(request);
  Changed();
  if (result) {
    const auto range = callbacks_.equal_range({verb, std::string(request.resource.plural)});
    for (auto it = range.first; it != range.second; ++it) it->second(*result);
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
  if (auto refusal = Refusal("watch", request.resource, "")) co_return *refusal;
  if (!request.resource_version.empty() && std::stoull(request.resource_version) < compacted_) {
    co_return api::Error{api::Code::kExpired, "too old resource version"};
  }
  auto selector = FakeSelector::Parse(request.ns, request.label_selector, request.field_selector);
  if (!selector) co_return selector.error();
  co_return std::make_unique<Stream>(*this, co_await asio::this_coro::executor, std::move(request),
                                     std::move(*selector));
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

std::optional<api::Error> FakeApiServer::Refusal(const std::string& verb,
                                                 const api::Resource& resource,
                                                 const std::string& subresource) const {
  if (removed_.contains(resource.plural)) {
    return api::Error{api::Code::kNotFound, "the server could not find the requested resource"};
  }
  const std::string plural = std::string(resource.plural);
  const std::string path = subresource.empty() ? plural : fmt::format("{}/{}", plural, subresource);
  if (!forbidden_.contains({verb, path})) return std::nullopt;
  return api::Error{api::Code::kForbidden,
                    fmt::format("{} is forbidden: cannot {} resource", path, verb)};
}

api::Result<json::value> FakeApiServer::Effect(const Request& request) {
  switch (request.verb) {
    case Verb::kGet:
      return objects_.Get(request);
    case Verb::kList:
      return List(request);
    case Verb::kCreate:
      if (request.resource == api::SelfSubjectAccessReview::kResource) return Review(request.body);
      return objects_.Create(request);
    case Verb::kApply:
    case Verb::kMergePatch:
    case Verb::kJsonPatch:
      return objects_.Patch(request);
    case Verb::kDelete:
      return objects_.Delete(request);
  }
  return api::Error{api::Code::kInvalid, "no such verb"};
}

api::Result<json::value> FakeApiServer::List(const Request& request) {
  if (!request.continue_token.empty()) {
    auto rest = rests_.extract(request.continue_token);
    if (!rest) return api::Error{api::Code::kExpired, "the continue token is too old"};
    return Page(request, std::move(rest.mapped().items), rest.mapped().resource_version);
  }
  auto selector = FakeSelector::Parse(request.ns, request.label_selector, request.field_selector);
  if (!selector) return selector.error();
  return Page(request, objects_.List(request.resource, *selector), objects_.resource_version());
}

json::value FakeApiServer::Page(const Request& request, std::vector<json::object> items,
                                std::uint64_t resource_version) {
  const auto limit = static_cast<std::size_t>(request.limit);
  const std::size_t size = limit == 0 ? items.size() : std::min(limit, items.size());
  json::object metadata{{"resourceVersion", Version(resource_version)}};
  json::array page(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(size));
  if (size < items.size()) {
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string token = fmt::format("rest-{}", ++last_token_);
    rests_[token] = {std::move(items), resource_version};
    metadata["continue"] = token;
  }
  return json::object{{"metadata", std::move(metadata)}, {"items", std::move(page)}};
}

json::value FakeApiServer::Review(const json::value& body) const {
  auto review = Read<api::SelfSubjectAccessReview>(body);
  const auto& wish = review.spec.resource_attributes;
  const std::string path =
      wish.subresource.empty() ? wish.resource : wish.resource + "/" + wish.subresource;
  review.status = {.allowed = !forbidden_.contains({wish.verb, path}), .reason = ""};
  return api::Encode(review);
}

// ---- the world --------------------------------------------------------------------------------

json::value FakeApiServer::PutJson(const api::Resource& resource, json::value object) {
  json::value put = objects_.Put(resource, object.as_object());
  Changed();
  return put;
}

std::optional<json::value> FakeApiServer::GetJson(const api::Resource& resource,
                                                  const api::NamespacedName& key) const {
  auto object = objects_.Get(RequestFor(Verb::kGet, resource, key));
  if (!object) return std::nullopt;
  return std::move(*object);
}

std::vector<json::value> FakeApiServer::AllJson(const api::Resource& resource,
                                                const std::string& ns) const {
  const auto found = objects_.List(resource, FakeSelector::Parse(ns, "", "").value());
  return {found.begin(), found.end()};
}

bool FakeApiServer::RemoveJson(const api::Resource& resource, const api::NamespacedName& key) {
  const bool removed = objects_.Delete(RequestFor(Verb::kDelete, resource, key)).has_value();
  Changed();
  return removed;
}

void FakeApiServer::On(Verb verb, std::string plural, Callback callback) {
  callbacks_.emplace(std::pair(VerbName(verb), std::move(plural)), std::move(callback));
}

// ---- faults -----------------------------------------------------------------------------------

void FakeApiServer::FailNext(Verb verb, std::string plural, api::Error error, When when, int skip) {
  faults_.push_back({VerbName(verb), std::move(plural), std::move(error), when, skip});
}

void FakeApiServer::FailNextWatch(std::string plural, api::Error error, int skip) {
  faults_.push_back({"watch", std::move(plural), std::move(error), When::kBeforeEffect, skip});
}

void FakeApiServer::EndWatches(const std::string& plural, const api::Error& error) {
  for (const auto& [age, stream] : streams_) {
    if (plural.empty() || stream->plural() == plural) stream->End(error);
  }
}

void FakeApiServer::Compact() {
  compacted_ = objects_.resource_version();
  rests_.clear();
}

void FakeApiServer::HoldWatches(bool hold) {
  held_ = hold;
  Changed();
}

void FakeApiServer::SendBookmarks() {
  objects_.AddBookmark();
  Changed();
}

void FakeApiServer::Changed() {
  if (held_ || visible_ == objects_.changes().size()) return;
  visible_ = objects_.changes().size();
  for (const auto& [age, stream] : streams_) stream->Notify();
}

void FakeApiServer::Forbid(const std::string& verb, const std::string& plural) {
  forbidden_.emplace(verb, plural);
}

void FakeApiServer::Allow(const std::string& verb, const std::string& plural) {
  forbidden_.erase({verb, plural});
}

void FakeApiServer::RemoveResource(const std::string& plural) {
  removed_.insert(plural);
}

void FakeApiServer::RestoreResource(const std::string& plural) {
  removed_.erase(plural);
}

int FakeApiServer::Count(Verb verb, const std::string& plural) const {
  return static_cast<int>(std::ranges::count_if(requests_, [&](const Request& request) {
    return request.verb == verb && request.resource.plural == plural;
  }));
}

void FakeApiServer::ClearRequests() {
  requests_.clear();
  watches_.clear();
}

}  // namespace stillpoint::unit
