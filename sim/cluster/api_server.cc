#include "sim/cluster/api_server.h"

#include "api/authorization.h"
#include "api/codec.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::sim {

namespace json = boost::json;
using kube::Request;
using kube::Verb;
using kube::WatchEvent;

namespace {

std::string Version(std::uint64_t version) {
  return std::to_string(version);
}

WatchEvent Bookmark(std::uint64_t version) {
  return {WatchEvent::Type::kBookmark,
          json::object{{"metadata", json::object{{"resourceVersion", Version(version)}}}}};
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

std::optional<WatchEvent> WatchCursor::Take(const std::vector<Change>& changes,
                                            std::size_t visible) {
  if (next_initial_ < initial_.size()) {
    return WatchEvent{WatchEvent::Type::kAdded, initial_[next_initial_++]};
  }
  while (next_ < visible) {
    if (auto event = See(changes[next_++])) return event;
  }
  return std::nullopt;
}

// The change as this watch's selector shows it.
std::optional<WatchEvent> WatchCursor::See(const Change& change) const {
  if (change.resource.empty()) return Bookmark(change.resource_version);
  if (change.resource != PluralAndGroup(resource_)) return std::nullopt;
  const bool before = change.before && selector_.Matches(*change.before);
  const bool now = change.now && selector_.Matches(*change.now);
  if (now) {
    return WatchEvent{before ? WatchEvent::Type::kModified : WatchEvent::Type::kAdded, *change.now};
  }
  if (!before) return std::nullopt;
  json::object last = *change.before;
  last["metadata"].as_object()["resourceVersion"] = Version(change.resource_version);
  return WatchEvent{WatchEvent::Type::kDeleted, std::move(last)};
}

api::Result<WatchCursor> ApiServer::OpenWatch(const kube::WatchRequest& request) const {
  if (auto refusal = Refusal("watch", request.resource, "")) return *refusal;
  const std::string& from = request.resource_version;
  if (!from.empty() && std::stoull(from) < compacted_) {
    return api::Error{api::Code::kExpired, "too old resource version"};
  }
  auto selector = Selector::Parse(request.ns, request.label_selector, request.field_selector);
  if (!selector) return selector.error();
  WatchCursor cursor(request.resource, std::move(*selector));
  const auto& changes = objects_.changes();
  if (from.empty()) {
    cursor.initial_ = objects_.List(request.resource, cursor.selector_);
    cursor.next_ = changes.size();
  } else {
    const auto first =
        std::ranges::upper_bound(changes, std::stoull(from), {}, &Change::resource_version);
    cursor.next_ = static_cast<std::size_t>(first - changes.begin());
  }
  return cursor;
}

// ---- requests ---------------------------------------------------------------------------------

api::Result<json::value> ApiServer::Answer(const Request& request) {
  if (auto refusal = Refusal(VerbName(request.verb), request.resource, request.subresource)) {
    return *refusal;
  }
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

api::Result<json::value> ApiServer::List(const Request& request) {
  if (!request.continue_token.empty()) {
    auto rest = rests_.extract(request.continue_token);
    if (!rest) return api::Error{api::Code::kExpired, "the continue token is too old"};
    return Page(request, std::move(rest.mapped().items), rest.mapped().resource_version);
  }
  auto selector = Selector::Parse(request.ns, request.label_selector, request.field_selector);
  if (!selector) return selector.error();
  return Page(request, objects_.List(request.resource, *selector), objects_.resource_version());
}

json::value ApiServer::Page(const Request& request, std::vector<json::object> items,
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

api::Result<json::value> ApiServer::Review(const json::value& body) const {
  auto decoded = api::Decode<api::SelfSubjectAccessReview>(body);
  if (!decoded) return decoded.error();
  auto& review = *decoded;
  const auto& wish = review.spec.resource_attributes;
  const std::string path =
      wish.subresource.empty() ? wish.resource : wish.resource + "/" + wish.subresource;
  review.status = {.allowed = !forbidden_.contains({wish.verb, path}), .reason = ""};
  return api::Encode(review);
}

// ---- rights -----------------------------------------------------------------------------------

std::optional<api::Error> ApiServer::Refusal(const std::string& verb, const api::Resource& resource,
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

void ApiServer::Compact() {
  compacted_ = objects_.resource_version();
  rests_.clear();
}

void ApiServer::Forbid(const std::string& verb, const std::string& path) {
  forbidden_.emplace(verb, path);
}

void ApiServer::Allow(const std::string& verb, const std::string& path) {
  forbidden_.erase({verb, path});
}

void ApiServer::RemoveResource(const std::string& plural) {
  removed_.insert(plural);
}

void ApiServer::RestoreResource(const std::string& plural) {
  removed_.erase(plural);
}

}  // namespace stillpoint::sim
