#include "sim/pocket/http_api.h"

#include "sim/pocket/built_in_rules.h"
#include "sim/pocket/discovery.h"
#include "sim/pocket/json_path.h"
#include "sim/pocket/protobuf_body.h"
#include "sim/pocket/request_check.h"
#include "sim/pocket/status.h"
#include "sim/pocket/strategic_merge.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using api::Result;
using kube::Request;
using kube::Verb;

namespace {

constexpr std::chrono::seconds kWatchLifetime{1800};
constexpr std::size_t kMaxJsonDepth = 256;

HttpReply Reply(int status, const json::object& body) {
  return {.status = status, .body = json::serialize(body)};
}

HttpReply Refuse(int status, std::string_view reason, std::string_view message) {
  return Reply(status, FailureStatus(status, reason, message));
}

HttpReply Fail(const api::Error& error, const RequestPath& path) {
  return Reply(HttpStatusOf(error.code), FailureStatus(error, path));
}

HttpReply UnknownPath() {
  return Refuse(404, "NotFound", "the server could not find the requested resource");
}

HttpReply Refuse(const Refused& refused) {
  json::object status = FailureStatus(refused.status, refused.reason, refused.message);
  if (!refused.cause.empty()) {
    const json::object cause{{"reason", refused.cause}, {"message", refused.message}};
    status["details"] = json::object{{"causes", json::array{cause}}};
  }
  return Reply(refused.status, status);
}

HttpReply WrongMethod() {
  return Refuse(405, "MethodNotAllowed",
                "the server does not allow this method on the requested resource");
}

// What a path of no resource shows.
HttpReply Elsewhere(std::string_view path) {
  for (const char* probe : {"/healthz", "/readyz", "/livez"}) {
    if (path.starts_with(probe)) return {.body = "ok", .content_type = "text/plain"};
  }
  // kubectl asks v3 for the schema of what it sends, but v2 for that of a List, and takes protobuf
  // alone. This document says its own version and no more: nothing is known of a List.
  if (path == "/openapi/v2") {
    return {.body =
                "\x0a\x03"
                "2.0",
            .content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"};
  }
  if (auto document = Discover(path)) return Reply(200, *document);
  // In plain words: nobody serves the kind at all.
  return {.status = 404, .body = "404 page not found\n", .content_type = "text/plain"};
}

std::optional<json::value> ParseBody(const std::string& body) {
  if (IsProtobuf(body)) {
    auto object = ParseProtobuf(body);
    return object ? std::optional<json::value>(std::move(*object)) : std::nullopt;
  }
  boost::system::error_code error;
  json::value value = json::parse(body, error, {}, {.max_depth = kMaxJsonDepth});
  return error ? std::nullopt : std::optional(std::move(value));
}

std::size_t NumberOr(const std::string& text, std::size_t absent) {
  std::size_t number = absent;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

FieldCheck FieldCheckOf(const Query& query) {
  const std::string text = query.Get("fieldValidation");
  if (text == "Strict") return FieldCheck::kStrict;
  return text == "Ignore" ? FieldCheck::kIgnore : FieldCheck::kWarn;
}

// The kind under which the objects of `kind` are stored: Events have two names.
const ServedKind& StoredKind(const ServedKind& kind) {
  return IsCoreEvent(kind.resource) ? *FindKind("events.k8s.io", "v1", "events") : kind;
}

// "app=db,tier=back", of the labels that must match.
std::string SelectorText(const json::object& workload) {
  std::string text;
  const auto* labels = FindFirst(workload, ".spec.selector.matchLabels");
  if (!labels || !labels->is_object()) return text;
  for (const auto& [key, value] : labels->get_object()) {
    if (!value.is_string()) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", std::string_view(key),
                        std::string_view(value.get_string()));
  }
  return text;
}

json::object ScaleOf(const json::object& workload) {
  const auto* replicas = FindFirst(workload, ".spec.replicas");
  const auto* running = FindFirst(workload, ".status.replicas");
  json::object metadata;
  for (const char* key : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    metadata[key] = workload.at("metadata").at(key);
  }
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata", std::move(metadata)},
          {"spec", json::object{{"replicas", replicas ? *replicas : json::value(1)}}},
          {"status", json::object{{"replicas", running ? *running : json::value(0)},
                                  {"selector", SelectorText(workload)}}}};
}

// The items of a list of a built-in kind do not say their kind: that of the list does.
void DropKinds(json::array& items) {
  for (json::value& item : items) {
    item.as_object().erase("kind");
    item.as_object().erase("apiVersion");
  }
}

std::string UnknownFieldsText(const std::vector<std::string>& unknown) {
  std::string text;
  for (const std::string& field : unknown) {
    text += fmt::format("{}unknown field \"{}\"", text.empty() ? "" : ", ", field);
  }
  return text;
}

}  // namespace

HttpOutcome HttpApi::Handle(const HttpRequest& request) {
  const auto question = request.target.find('?');
  const std::string path_text = request.target.substr(0, question);
  auto path = ParseRequestPath(path_text);
  if (!path) return Elsewhere(path_text);
  return Serve({.http = request,
                .path = std::move(*path),
                .query = Query(question == std::string::npos
                                   ? std::string_view()
                                   : std::string_view(request.target).substr(question + 1))});
}

HttpOutcome HttpApi::Serve(const Call& call) {
  const std::string& subresource = call.path.subresource;
  const ServedKind& kind = *call.path.kind;
  if (kind.resource.plural == "pods" && subresource == "exec") {
    return ExecCall{.ns = call.path.ns,
                    .pod = call.path.name,
                    .container = call.query.Get("container"),
                    .argv = call.query.All("command"),
                    .input = call.query.Is("stdin"),
                    .tty = call.query.Is("tty")};
  }
  if (kind.resource.plural == "pods" && subresource == "log") {
    const std::string tail = call.query.Get("tailLines");
    return LogCall{.ns = call.path.ns,
                   .pod = call.path.name,
                   .container = call.query.Get("container"),
                   .follow = call.query.Is("follow"),
                   .tail_lines = tail.empty() ? std::nullopt : std::optional(NumberOr(tail, 0))};
  }
  if (subresource == "scale" && kind.has_scale) return Scale(call);
  if (!subresource.empty() && (subresource != "status" || !kind.has_status)) return UnknownPath();
  const std::string& method = call.http.method;
  if (IsReview(kind.resource) && method != "POST") return WrongMethod();
  if (auto refused = CheckMediaType(method, call.http.content_type, kind.custom)) {
    return Refuse(*refused);
  }
  if (auto refused = CheckSelectors(call.query, !IsCoreEvent(kind.resource))) {
    return Refuse(*refused);
  }
  if (method == "GET" && call.query.Is("watch")) return OpenWatch(call);
  if (method == "GET") return call.path.name.empty() ? ReadList(call) : Read(call);
  if (method == "POST" && call.path.name.empty()) return Create(call);
  if (method == "DELETE") return call.path.name.empty() ? DeleteAll(call) : Delete(call);
  if (method == "PUT" && !call.path.name.empty()) return Update(call);
  if (method == "PATCH" && !call.path.name.empty()) return Patch(call);
  return WrongMethod();
}

Request HttpApi::RequestOf(const Call& call, Verb verb) const {
  return {.verb = verb,
          .resource = StoredKind(*call.path.kind).resource,
          .ns = call.path.ns,
          .name = call.path.name,
          .subresource = call.path.subresource,
          .dry_run = !call.query.Get("dryRun").empty()};
}

// ---- reads ------------------------------------------------------------------------------------

HttpReply HttpApi::Shown(const Call& call, json::object object, int status) const {
  if (IsCoreEvent(call.path.kind->resource)) object = ToCoreEvent(std::move(object));
  if (WantsMetadata(call.http.accept)) return Reply(status, MetadataAlone(object));
  if (!WantsTable(call.http.accept)) return Reply(status, object);
  const json::value version = object.at("metadata").at("resourceVersion");
  json::object table = MakePrintTable(*call.path.kind, {std::move(object)},
                                      ParseRowObject(call.query.Get("includeObject")), now_());
  table["metadata"] = json::object{{"resourceVersion", version}};
  return Reply(status, table);
}

HttpReply HttpApi::Read(const Call& call) {
  auto object = server_.Answer(RequestOf(call, Verb::kGet));
  if (!object) return Fail(object.error(), call.path);
  return Shown(call, std::move(object->as_object()), 200);
}

HttpReply HttpApi::ReadList(const Call& call) {
  const ServedKind& kind = *call.path.kind;
  if (auto refused = CheckListVersion(call.query, server_.objects().resource_version())) {
    return Refuse(*refused);
  }
  Request request = RequestOf(call, Verb::kList);
  request.label_selector = call.query.Get("labelSelector");
  request.limit = static_cast<int>(NumberOr(call.query.Get("limit"), 0));
  request.continue_token = call.query.Get("continue");
  const bool core_events = IsCoreEvent(kind.resource);
  auto filter = EventFilter::Parse(core_events ? call.query.Get("fieldSelector") : "");
  if (!filter) return Fail(filter.error(), call.path);
  if (!core_events) request.field_selector = call.query.Get("fieldSelector");
  auto list = server_.Answer(request);
  if (!list) return Fail(list.error(), call.path);
  json::object answer = std::move(list->as_object());
  if (core_events) {
    json::array shown;
    for (json::value& item : answer["items"].as_array()) {
      json::object event = ToCoreEvent(std::move(item.as_object()));
      if (filter->Matches(event)) shown.push_back(std::move(event));
    }
    answer["items"] = std::move(shown);
  }
  if (WantsTable(call.http.accept)) {
    json::object table = MakePrintTable(kind, answer["items"].as_array(),
                                        ParseRowObject(call.query.Get("includeObject")), now_());
    table["metadata"] = answer["metadata"];
    return Reply(200, table);
  }
  if (WantsMetadata(call.http.accept)) {
    for (json::value& item : answer["items"].as_array()) item = MetadataAlone(item.as_object());
    answer["kind"] = "PartialObjectMetadataList";
    answer["apiVersion"] = "meta.k8s.io/v1";
    return Reply(200, answer);
  }
  if (!IsCustom(kind.resource)) DropKinds(answer["items"].as_array());
  answer["kind"] = fmt::format("{}List", kind.resource.kind);
  answer["apiVersion"] = GroupVersion(kind.resource);
  return Reply(200, answer);
}

HttpOutcome HttpApi::OpenWatch(const Call& call) {
  const bool core_events = IsCoreEvent(call.path.kind->resource);
  kube::WatchRequest request{.resource = StoredKind(*call.path.kind).resource,
                             .ns = call.path.ns,
                             .label_selector = call.query.Get("labelSelector"),
                             .resource_version = call.query.Get("resourceVersion")};
  if (!core_events) request.field_selector = call.query.Get("fieldSelector");
  if (!call.path.name.empty()) request.field_selector = "metadata.name=" + call.path.name;
  const bool send_initial = call.query.Is("sendInitialEvents");
  if (send_initial || request.resource_version == "0") request.resource_version.clear();
  WatchOptions options{.path = call.path,
                       .lifetime = std::chrono::seconds(
                           NumberOr(call.query.Get("timeoutSeconds"), kWatchLifetime.count())),
                       .bookmarks = call.query.Is("allowWatchBookmarks"),
                       .as_table = WantsTable(call.http.accept),
                       .row_object = ParseRowObject(call.query.Get("includeObject"))};
  if (core_events) {
    auto filter = EventFilter::Parse(call.query.Get("fieldSelector"));
    if (!filter) return Fail(filter.error(), call.path);
    options.event_filter = std::move(*filter);
  }
  if (send_initial) {
    const auto selector =
        Selector::Parse(request.ns, request.label_selector, request.field_selector);
    if (!selector) return Fail(selector.error(), call.path);
    options.initial = server_.objects().List(request.resource, *selector).size();
  }
  auto cursor = server_.OpenWatch(request);
  if (!cursor) return Fail(cursor.error(), call.path);
  return WatchFeed(std::move(*cursor), std::move(options), now_,
                   [this] { return std::to_string(server_.objects().resource_version()); });
}

// ---- writes -----------------------------------------------------------------------------------

HttpReply HttpApi::Written(const Call& call, const Result<json::value>& result, int status) const {
  if (!result) return Fail(result.error(), call.path);
  return Shown(call, result->as_object(), status);
}

HttpReply HttpApi::Create(const Call& call) {
  auto body = ParseBody(call.http.body);
  if (!body || !body->is_object()) return Refuse(400, "BadRequest", "the body is no JSON object");
  Request request = RequestOf(call, Verb::kCreate);
  if (request.ns.empty() && request.resource.namespaced) {
    return WrongMethod();
  }
  const std::string ns = TextAt(body->as_object(), ".metadata.namespace");
  if (!ns.empty() && ns != request.ns) {
    return Refuse(400, "BadRequest",
                  "the namespace of the provided object does not match the namespace sent on the "
                  "request");
  }
  Call named = call;  // an answer names the object
  named.path.name = TextAt(body->as_object(), ".metadata.name");
  if (auto valid = CheckCreation(call.path.kind->resource, body->as_object()); !valid) {
    return Fail(valid.error(), named.path);
  }
  if (IsCoreEvent(call.path.kind->resource)) *body = FromCoreEvent(std::move(body->as_object()));
  request.body = std::move(*body);
  return Checked(named, request.body, [&] { return Written(named, server_.Answer(request), 201); });
}

// As fieldValidation asks: refuses a body with unknown fields, or names them.
HttpReply HttpApi::Checked(const Call& call, const json::value& body,
                           const std::function<HttpReply()>& write) const {
  const auto unknown = FindUnknownFields(*call.path.kind, body);
  const FieldCheck check = FieldCheckOf(call.query);
  if (!unknown.empty() && check == FieldCheck::kStrict) {
    const api::Resource& resource = call.path.kind->resource;
    return Refuse(
        400, "BadRequest",
        fmt::format("{} in version \"{}\" cannot be handled as a {}: strict decoding "
                    "error: {}",
                    resource.kind, resource.version, resource.kind, UnknownFieldsText(unknown)));
  }
  HttpReply reply = write();
  if (check == FieldCheck::kIgnore) return reply;
  for (const auto& field : unknown) {
    reply.warnings.push_back(fmt::format("unknown field \"{}\"", field));
  }
  return reply;
}

HttpReply HttpApi::Put(const Call& call, json::value object) {
  Request request = RequestOf(call, Verb::kGet);
  request.body = std::move(object);
  return Written(call, server_.Update(request), 200);
}

HttpReply HttpApi::Update(const Call& call) {
  auto body = ParseBody(call.http.body);
  if (!body || !body->is_object()) return Refuse(400, "BadRequest", "the body is no JSON object");
  const std::string name = TextAt(body->as_object(), ".metadata.name");
  if (name != call.path.name) {
    return Refuse(400, "BadRequest",
                  fmt::format("the name of the object ({}) does not match the name on the URL ({})",
                              name, call.path.name));
  }
  if (IsCoreEvent(call.path.kind->resource)) *body = FromCoreEvent(std::move(body->as_object()));
  return Checked(call, *body, [&] { return Put(call, *body); });
}

HttpReply HttpApi::Patch(const Call& call) {
  auto body = ParseBody(call.http.body);
  if (!body) return Refuse(400, "BadRequest", "the body is no JSON");
  const std::string type = call.http.content_type.substr(0, call.http.content_type.find(';'));
  if (type == "application/strategic-merge-patch+json") return StrategicPatch(call, *body);
  Request request = RequestOf(call, Verb::kMergePatch);
  if (type == "application/json-patch+json") request.verb = Verb::kJsonPatch;
  if (type == "application/apply-patch+yaml") request.verb = Verb::kApply;
  if (IsCoreEvent(call.path.kind->resource) && body->is_object()) {
    *body = FromCoreEvent(std::move(body->as_object()));
  }
  request.body = std::move(*body);
  if (request.verb == Verb::kJsonPatch && !request.body.is_array()) {
    return Refuse(400, "BadRequest", "a JSON patch is a list of operations");
  }
  if (request.verb == Verb::kJsonPatch) return Written(call, server_.Answer(request), 200);
  if (request.verb == Verb::kMergePatch) {
    return Checked(call, request.body, [&] { return Written(call, server_.Answer(request), 200); });
  }
  if (auto refused = CheckApply(call.query, *call.path.kind, request.body)) return Refuse(*refused);
  request.force = call.query.Is("force");
  const bool there =
      server_.objects().Peek(request.resource, {call.path.ns, call.path.name}) != nullptr;
  return Checked(call, request.body, [&] {
    return Written(call, server_.Answer(request, call.query.Get("fieldManager")),
                   there ? 200 : 201);
  });
}

// Read, merged here, and written back on the version that was read.
HttpReply HttpApi::StrategicPatch(const Call& call, const json::value& patch) {
  auto object = server_.Answer({.verb = Verb::kGet,
                                .resource = StoredKind(*call.path.kind).resource,
                                .ns = call.path.ns,
                                .name = call.path.name});
  if (!object) return Fail(object.error(), call.path);
  const bool core_event = IsCoreEvent(call.path.kind->resource);
  if (core_event) *object = ToCoreEvent(std::move(object->as_object()));
  StrategicMerge(*object, patch);
  if (core_event) *object = FromCoreEvent(std::move(object->as_object()));
  return Put(call, std::move(*object));
}

HttpReply HttpApi::Delete(const Call& call) {
  Request request = RequestOf(call, Verb::kDelete);
  const auto body = ParseBody(call.http.body);
  const json::object options = body && body->is_object() ? body->get_object() : json::object();
  request.precondition_uid = TextAt(options, ".preconditions.uid");
  request.precondition_resource_version = TextAt(options, ".preconditions.resourceVersion");
  request.propagation_policy = TextAt(options, ".propagationPolicy");
  if (request.propagation_policy.empty()) {
    request.propagation_policy = call.query.Get("propagationPolicy");
  }
  request.dry_run = request.dry_run || options.contains("dryRun");
  request.body = options;
  if (const auto grace = call.query.Get("gracePeriodSeconds"); !grace.empty()) {
    request.body.as_object()["gracePeriodSeconds"] = NumberOr(grace, 0);
  }
  auto deleted = server_.Answer(request);
  if (!deleted) return Fail(deleted.error(), call.path);
  const bool there =
      server_.objects().Peek(request.resource, {call.path.ns, call.path.name}) != nullptr;
  if (there) return Written(call, deleted, 200);
  return Reply(200, SuccessStatus(call.path, TextAt(deleted->as_object(), ".metadata.uid")));
}

HttpReply HttpApi::DeleteAll(const Call& call) {
  Request list = RequestOf(call, Verb::kList);
  list.label_selector = call.query.Get("labelSelector");
  list.field_selector = call.query.Get("fieldSelector");
  auto found = server_.Answer(list);
  if (!found) return Fail(found.error(), call.path);
  for (const json::value& item : found->at("items").as_array()) {
    Request request = RequestOf(call, Verb::kDelete);
    request.ns = TextAt(item.as_object(), ".metadata.namespace");
    request.name = TextAt(item.as_object(), ".metadata.name");
    const auto deleted = server_.Answer(request);
    if (!deleted && deleted.error().code != api::Code::kNotFound) {
      return Fail(deleted.error(), call.path);
    }
  }
  return Reply(200, found->as_object());
}

HttpReply HttpApi::Scale(const Call& call) {
  Request request = RequestOf(call, Verb::kGet);
  request.subresource.clear();
  if (call.http.method != "GET") {
    auto body = ParseBody(call.http.body);
    if (!body || !body->is_object()) return Refuse(400, "BadRequest", "the body is no object");
    const auto* replicas = FindFirst(body->as_object(), ".spec.replicas");
    if (!replicas) return Refuse(400, "BadRequest", "spec.replicas is missing");
    request.verb = Verb::kMergePatch;
    request.subresource = "scale";
    json::object patch{{"spec", json::object{{"replicas", *replicas}}}};
    const auto version = TextAt(body->as_object(), ".metadata.resourceVersion");
    if (!version.empty()) patch["metadata"] = json::object{{"resourceVersion", version}};
    request.body = std::move(patch);
  }
  auto workload = server_.Answer(request);
  if (!workload) return Fail(workload.error(), call.path);
  return Reply(200, ScaleOf(workload->as_object()));
}

}  // namespace stillpoint::sim::pocket
