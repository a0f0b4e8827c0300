#include "sim/pocket/http_api.h"

#include "sim/pocket/built_in_rules.h"
#include "sim/pocket/discovery.h"
#include "sim/pocket/http_replies.h"
#include "sim/pocket/request_check.h"
#include "sim/pocket/status.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <chrono>
#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using kube::Request;
using kube::Verb;

namespace {

constexpr std::chrono::seconds kWatchLifetime{1800};

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

// The kind under which the objects of `kind` are stored: Events have two names.
const ServedKind& StoredKind(const ServedKind& kind) {
  return IsCoreEvent(kind.resource) ? *FindKind("events.k8s.io", "v1", "events") : kind;
}

// The items of a list of a built-in kind do not say their kind: that of the list does.
void DropKinds(json::array& items) {
  for (json::value& item : items) {
    item.as_object().erase("kind");
    item.as_object().erase("apiVersion");
  }
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
  return Shown(call, **object, 200);
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
  json::object answer = **list;
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
  answer["apiVersion"] = api::ApiVersion(kind.resource);
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

}  // namespace stillpoint::sim::pocket
