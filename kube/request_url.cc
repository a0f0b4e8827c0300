#include "kube/request_url.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <cstddef>

namespace stillpoint::kube {

namespace {

namespace json = boost::json;

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

class Query {
 public:
  void Add(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    text_ += fmt::format("{}{}={}", text_.empty() ? '?' : '&', key, PercentEncode(value));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// As client-go's IsValidPathSegmentName: what a path could take for something else.
bool IsPathSegment(std::string_view name) {
  return name != "." && name != ".." && name.find_first_of("/%") == std::string_view::npos;
}

api::Error Invalid(const CallName& call, std::string_view why) {
  return {api::Code::kInvalid, fmt::format("{}: {}", call.ToString(), why)};
}

// The path of the collection, or of the object when `call` has a name.
api::Result<std::string> Path(const CallName& call, std::string_view base_path) {
  if (!IsPathSegment(call.ns) || !IsPathSegment(call.name)) {
    return Invalid(call, "the name or the namespace holds '/' or '%', or is a dot segment");
  }
  const api::Resource& resource = call.resource;
  std::string path = resource.group.empty() ? fmt::format("{}/api/{}", base_path, resource.version)
                                            : fmt::format("{}/apis/{}/{}", base_path,
                                                          resource.group, resource.version);
  if (resource.namespaced && !call.ns.empty()) {
    path += "/namespaces/" + PercentEncode(call.ns);
  }
  path += fmt::format("/{}", resource.plural);
  if (!call.name.empty()) path += "/" + PercentEncode(call.name);
  if (!call.subresource.empty()) path += "/" + PercentEncode(call.subresource);
  return path;
}

bool NeedsName(Verb verb) {
  return verb != Verb::kList && verb != Verb::kCreate;
}

bool IsWrite(Verb verb) {
  return verb != Verb::kGet && verb != Verb::kList;
}

std::string_view Method(Verb verb) {
  switch (verb) {
    case Verb::kGet:
    case Verb::kList:
      return "GET";
    case Verb::kCreate:
      return "POST";
    case Verb::kApply:
    case Verb::kMergePatch:
    case Verb::kJsonPatch:
      return "PATCH";
    case Verb::kDelete:
      return "DELETE";
  }
  return "GET";
}

std::string_view ContentType(Verb verb) {
  switch (verb) {
    case Verb::kGet:
    case Verb::kList:
      return "";
    case Verb::kCreate:
    case Verb::kDelete:
      return "application/json";
    case Verb::kApply:
      return "application/apply-patch+yaml";  // JSON is YAML
    case Verb::kMergePatch:
      return "application/merge-patch+json";
    case Verb::kJsonPatch:
      return "application/json-patch+json";
  }
  return "";
}

std::string QueryText(const Request& request) {
  Query query;
  if (request.verb == Verb::kList) {
    query.Add("labelSelector", request.label_selector);
    query.Add("fieldSelector", request.field_selector);
    if (request.limit > 0) query.Add("limit", std::to_string(request.limit));
    query.Add("continue", request.continue_token);
    query.Add("resourceVersion", request.resource_version);
  } else if (IsWrite(request.verb) && request.verb != Verb::kDelete) {
    query.Add("fieldManager", kFieldManager);
    if (request.verb == Verb::kApply && request.force) query.Add("force", "true");
    if (request.dry_run) query.Add("dryRun", "All");
  }
  return query.text();
}

json::object DeleteOptions(const Request& request) {
  json::object options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  json::object preconditions;
  if (!request.precondition_uid.empty()) preconditions["uid"] = request.precondition_uid;
  if (!request.precondition_resource_version.empty()) {
    preconditions["resourceVersion"] = request.precondition_resource_version;
  }
  if (!preconditions.empty()) options["preconditions"] = std::move(preconditions);
  if (!request.propagation_policy.empty()) {
    options["propagationPolicy"] = request.propagation_policy;
  }
  if (request.dry_run) options["dryRun"] = json::array{"All"};
  return options;
}

std::string BodyText(const Request& request) {
  if (!IsWrite(request.verb)) return "";
  if (request.verb == Verb::kDelete) return json::serialize(DeleteOptions(request));
  return json::serialize(request.body);
}

// The name of an object that is about to be created stands in its body only.
std::string NameInBody(const json::value& body) {
  boost::system::error_code absent;
  const json::value* name = body.find_pointer("/metadata/name", absent);
  return name != nullptr && name->is_string() ? std::string(name->get_string()) : "";
}

}  // namespace

std::string CallName::ResourceText() const {
  std::string text(resource.plural);
  if (!resource.group.empty()) text += fmt::format(".{}", resource.group);
  if (!subresource.empty()) text += "/" + subresource;
  return text;
}

std::string CallName::ToString() const {
  std::string text = fmt::format("{} {}", verb, ResourceText());
  if (name.empty()) return ns.empty() ? text : text + " in " + ns;
  return fmt::format("{} {}{}{}", text, ns, ns.empty() ? "" : "/", name);
}

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string_view RbacVerb(Verb verb) {
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

CallName NameOf(const Request& request) {
  return {.verb = RbacVerb(request.verb),
          .resource = request.resource,
          .subresource = request.subresource,
          .ns = request.ns,
          .name = request.verb == Verb::kCreate && request.name.empty() ? NameInBody(request.body)
                                                                        : request.name};
}

CallName NameOf(const WatchRequest& request) {
  return {.verb = "watch",
          .resource = request.resource,
          .subresource = "",
          .ns = request.ns,
          .name = ""};
}

api::Result<HttpRequest> BuildHttpRequest(const Request& request, std::string_view base_path) {
  CallName call = NameOf(request);
  if (NeedsName(request.verb) && request.name.empty()) return Invalid(call, "a name is needed");
  if (request.resource.namespaced && request.ns.empty() && request.verb != Verb::kList) {
    return Invalid(call, "a namespace is needed");
  }
  // A new object is posted to its collection, a subresource (pods/eviction) to its object.
  call.name = request.name;
  auto path = Path(call, base_path);
  if (!path) return path.error();
  return HttpRequest{.method = std::string(Method(request.verb)),
                     .target = *path + QueryText(request),
                     .content_type = std::string(ContentType(request.verb)),
                     .body = BodyText(request)};
}

api::Result<HttpRequest> BuildHttpRequest(const WatchRequest& request, std::string_view base_path) {
  auto path = Path(NameOf(request), base_path);
  if (!path) return path.error();
  Query query;
  query.Add("watch", "true");
  query.Add("allowWatchBookmarks", "true");
  query.Add("timeoutSeconds", std::to_string(request.lifetime.count()));
  query.Add("resourceVersion", request.resource_version);
  query.Add("labelSelector", request.label_selector);
  query.Add("fieldSelector", request.field_selector);
  return HttpRequest{
      .method = "GET", .target = *path + query.text(), .content_type = "", .body = ""};
}

}  // namespace stillpoint::kube
