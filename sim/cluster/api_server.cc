#include "sim/cluster/api_server.h"

#include "api/authorization.h"
#include "api/codec.h"
#include "kube/request_url.h"
#include "sim/cluster/past.h"

#include <fmt/format.h>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/storage_ptr.hpp>

#include <algorithm>

namespace stillpoint::sim {

namespace json = boost::json;
using kube::Request;
using kube::Verb;

namespace {

std::string Version(std::uint64_t version) {
  return std::to_string(version);
}

}  // namespace

api::Result<WatchCursor> ApiServer::OpenWatch(const kube::WatchRequest& request) {
  if (auto refusal = Refusal("watch", request.resource, "")) return *refusal;
  auto selector = Selector::Parse(request.ns, request.label_selector, request.field_selector);
  if (!selector) return selector.error();
  const std::string& from = request.resource_version;
  if (from.empty()) return WatchCursor(objects_, request.resource, std::move(*selector));
  const std::uint64_t version = std::stoull(from);
  const auto oldest = std::max(compacted_, objects_.TableOf(request.resource).forgotten());
  if (version < oldest) {
    return api::Error{api::Code::kExpired,
                      fmt::format("too old resource version: {} ({})", version, oldest)};
  }
  return WatchCursor(objects_, request.resource, std::move(*selector), version);
}

// ---- requests ---------------------------------------------------------------------------------

api::Result<kube::Answer> ApiServer::Answer(const Request& request, const std::string& manager,
                                            std::uint64_t cached) {
  if (auto refusal = Refusal(kube::RbacVerb(request.verb), request.resource, request.subresource)) {
    return *refusal;
  }
  switch (request.verb) {
    case Verb::kGet:
      return objects_.Get(request);
    case Verb::kList:
      return List(request, cached);
    case Verb::kCreate:
      if (request.resource == api::SelfSubjectAccessReview::kResource) return Review(request.body);
      return objects_.Create(request);
    case Verb::kApply:
    case Verb::kMergePatch:
    case Verb::kJsonPatch:
      return objects_.Patch(request, manager);
    case Verb::kDelete:
      return objects_.Delete(request);
  }
  return api::Error{api::Code::kInvalid, "no such verb"};
}

api::Result<kube::Answer> ApiServer::Update(const Request& request) {
  if (auto refusal = Refusal("update", request.resource, request.subresource)) return *refusal;
  return objects_.Update(request);
}

api::Result<kube::Answer> ApiServer::List(const Request& request, std::uint64_t cached) {
  if (!request.continue_token.empty()) {
    auto rest = rests_.extract(request.continue_token);
    if (!rest) return api::Error{api::Code::kExpired, "the continue token is too old"};
    return Page(request, std::move(rest.mapped().items), rest.mapped().resource_version);
  }
  auto selector = Selector::Parse(request.ns, request.label_selector, request.field_selector);
  if (!selector) return selector.error();
  if (!request.resource_version.empty() && cached < objects_.resource_version()) {
    const Table& table = objects_.TableOf(request.resource);
    const std::uint64_t asked = std::stoull(request.resource_version);
    const std::uint64_t version = std::max({cached, asked, table.forgotten()});
    return Page(request, ListAsOf(table, *selector, version), version);
  }
  return Page(request, objects_.List(request.resource, *selector), objects_.resource_version());
}

kube::Answer ApiServer::Page(const Request& request, std::vector<StoredObject> items,
                             std::uint64_t resource_version) {
  const bool shorter = page_limit_ > 0 && page_limit_ < request.limit;
  const auto limit = static_cast<std::size_t>(shorter ? page_limit_ : request.limit);
  const std::size_t size = limit == 0 ? items.size() : std::min(limit, items.size());
  json::object metadata{{"resourceVersion", Version(resource_version)}};
  const auto end = items.begin() + static_cast<std::ptrdiff_t>(size);
  const auto memory = json::make_shared_resource<json::monotonic_resource>();
  json::array page(memory);
  page.reserve(size);
  for (auto it = items.begin(); it != end; ++it) page.emplace_back(**it);
  if (end != items.end()) {
    const std::string token = fmt::format("{}{}", kTokenPrefix, ++last_token_);
    rests_[token] = {{end, items.end()}, resource_version};
    metadata["continue"] = token;
    // With a selector the server does not know how many of the rest match.
    const bool all = request.label_selector.empty() && request.field_selector.empty();
    if (all) metadata["remainingItemCount"] = items.end() - end;
  }
  json::object list(memory);
  list["metadata"] = std::move(metadata);
  list["items"] = std::move(page);
  return std::make_shared<const json::object>(std::move(list));
}

api::Result<kube::Answer> ApiServer::Review(const json::value& body) const {
  auto decoded = api::Decode<api::SelfSubjectAccessReview>(body);
  if (!decoded) return decoded.error();
  auto& review = *decoded;
  const auto& wish = review.spec.resource_attributes;
  const std::string path =
      wish.subresource.empty() ? wish.resource : wish.resource + "/" + wish.subresource;
  review.status = {.allowed = !forbidden_.contains({wish.verb, path}), .reason = ""};
  return std::make_shared<const json::object>(api::Encode(review).as_object());
}

// ---- rights -----------------------------------------------------------------------------------

std::optional<api::Error> ApiServer::Refusal(std::string_view verb, const api::Resource& resource,
                                             std::string_view subresource) const {
  if (removed_.contains(resource.plural)) {
    return api::Error{api::Code::kNotFound, "the server could not find the requested resource"};
  }
  if (forbidden_.empty()) return std::nullopt;
  std::string path(resource.plural);
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  if (!forbidden_.contains({std::string(verb), path})) return std::nullopt;
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
