// The writes of HttpApi.
#include "sim/pocket/built_in_rules.h"
#include "sim/pocket/http_api.h"
#include "sim/pocket/http_replies.h"
#include "sim/pocket/json_path.h"
#include "sim/pocket/request_check.h"
#include "sim/pocket/status.h"
#include "sim/pocket/strategic_merge.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using api::Result;
using kube::Request;
using kube::Verb;

namespace {

FieldCheck FieldCheckOf(const Query& query) {
  const std::string text = query.Get("fieldValidation");
  if (text == "Strict") return FieldCheck::kStrict;
  return text == "Ignore" ? FieldCheck::kIgnore : FieldCheck::kWarn;
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

std::string UnknownFieldsText(const std::vector<std::string>& unknown) {
  std::string text;
  for (const std::string& field : unknown) {
    text += fmt::format("{}unknown field \"{}\"", text.empty() ? "" : ", ", field);
  }
  return text;
}

}  // namespace

HttpReply HttpApi::Written(const Call& call, const Result<kube::Answer>& result, int status) const {
  if (!result) return Fail(result.error(), call.path);
  return Shown(call, **result, status);
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
  if (auto refused = CheckApply(call.query, call.path, request.body)) return Refuse(*refused);
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
  Request whole = RequestOf(call, Verb::kGet);
  whole.subresource.clear();
  const auto found = server_.Answer(whole);
  if (!found) return Fail(found.error(), call.path);
  json::value object = **found;
  const bool core_event = IsCoreEvent(call.path.kind->resource);
  if (core_event) object = ToCoreEvent(std::move(object.as_object()));
  StrategicMerge(object, patch);
  if (core_event) object = FromCoreEvent(std::move(object.as_object()));
  return Put(call, std::move(object));
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
  return Reply(200, SuccessStatus(call.path, TextAt(**deleted, ".metadata.uid")));
}

HttpReply HttpApi::DeleteAll(const Call& call) {
  Request list = RequestOf(call, Verb::kList);
  list.label_selector = call.query.Get("labelSelector");
  list.field_selector = call.query.Get("fieldSelector");
  auto found = server_.Answer(list);
  if (!found) return Fail(found.error(), call.path);
  for (const json::value& item : (*found)->at("items").as_array()) {
    Request request = RequestOf(call, Verb::kDelete);
    request.ns = TextAt(item.as_object(), ".metadata.namespace");
    request.name = TextAt(item.as_object(), ".metadata.name");
    const auto deleted = server_.Answer(request);
    if (!deleted && deleted.error().code != api::Code::kNotFound) {
      return Fail(deleted.error(), call.path);
    }
  }
  return Reply(200, **found);
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
  return Reply(200, ScaleOf(**workload));
}

}  // namespace stillpoint::sim::pocket
