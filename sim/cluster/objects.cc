#include "sim/cluster/objects.h"

#include "api/labels.h"
#include "api/time.h"
#include "sim/cluster/patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using kube::Request;
using kube::Verb;

namespace {

// Kinds whose status is written like any other field.
constexpr std::array kWithoutStatus{"configmaps", "events", "leases", "secrets",
                                    "selfsubjectaccessreviews"};

// What only the server writes, whatever the client sends.
constexpr std::array kServersOwn{"name",       "namespace",        "uid", "creationTimestamp",
                                 "generation", "deletionTimestamp"};

bool HasStatusSubresource(const api::Resource& resource) {
  return std::ranges::find(kWithoutStatus, resource.plural) == kWithoutStatus.end();
}

json::object& Metadata(json::object& object) {
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  return metadata.get_object();
}

std::string Text(const json::object& object, std::string_view member) {
  const auto* value = object.if_contains(member);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

// metadata.`member` of a body that may be no object at all.
std::string MetadataText(const json::value& body, std::string_view member) {
  const auto* object = body.if_object();
  const auto* metadata = object ? object->if_contains("metadata") : nullptr;
  return metadata && metadata->is_object() ? Text(metadata->get_object(), member) : std::string();
}

bool IsEmptyList(const json::object& metadata, std::string_view member) {
  const auto* list = metadata.if_contains(member);
  return !list || !list->is_array() || list->get_array().empty();
}

void CopyMember(json::object& to, const json::object& from, std::string_view member) {
  if (const auto* value = from.if_contains(member)) {
    to[member] = *value;
  } else {
    to.erase(member);
  }
}

// All but metadata and status, of which a change counts as a new generation.
json::object Wish(json::object object) {
  object.erase("metadata");
  object.erase("status");
  return object;
}

std::string Describe(const Request& request) {
  return fmt::format("{} \"{}\"", PluralAndGroup(request.resource), request.name);
}

api::Error NotFound(const Request& request) {
  return {api::Code::kNotFound, Describe(request) + " not found"};
}

api::Error Conflict(const Request& request, std::string_view why) {
  return {api::Code::kConflict,
          fmt::format("operation cannot be fulfilled on {}: {}", Describe(request), why)};
}

api::Error Invalid(const Request& request, std::string_view why) {
  return {api::Code::kInvalid, fmt::format("{} is invalid: {}", Describe(request), why)};
}

api::NamespacedName KeyOf(const Request& request) {
  return {request.resource.namespaced ? request.ns : "", request.name};
}

// The conditions that a write carries in its own metadata.
std::optional<api::Error> CheckPreconditions(const Request& request, const json::object& live) {
  const auto& metadata = live.at("metadata").get_object();
  const std::string version = MetadataText(request.body, "resourceVersion");
  if (!version.empty() && version != Text(metadata, "resourceVersion")) {
    return Conflict(request, "the object has been modified");
  }
  const std::string uid = MetadataText(request.body, "uid");
  if (!uid.empty() && uid != Text(metadata, "uid")) {
    return Conflict(request, "the UID in the precondition is another one");
  }
  return std::nullopt;
}

// Takes back what this write may not change: through the main resource the status, through a
// subresource everything else, and what is the server's in any case.
void KeepForeign(const Request& request, const json::object& before, json::object& now) {
  if (request.subresource == "status") {
    json::object kept = before;
    CopyMember(kept, now, "status");
    now = std::move(kept);
  } else if (request.subresource == "scale") {
    json::object kept = before;
    CopyMember(kept["spec"].as_object(), now["spec"].as_object(), "replicas");
    now = std::move(kept);
  } else if (HasStatusSubresource(request.resource)) {
    CopyMember(now, before, "status");
  }
  for (const char* member : kServersOwn) {
    CopyMember(Metadata(now), before.at("metadata").get_object(), member);
  }
  Metadata(now)["resourceVersion"] = Text(before.at("metadata").get_object(), "resourceVersion");
  Metadata(now).erase("managedFields");
}

// The fields of an applied body that its manager comes to own.
json::value Owned(json::value body) {
  auto* object = body.if_object();
  if (!object || !object->contains("metadata")) return body;
  for (const char* member : kServersOwn) Metadata(*object).erase(member);
  Metadata(*object).erase("resourceVersion");
  return body;
}

bool AddsFinalizer(json::object& before, json::object& now) {
  if (IsEmptyList(Metadata(now), "finalizers")) return false;
  const auto old = IsEmptyList(Metadata(before), "finalizers")
                       ? json::array()
                       : Metadata(before)["finalizers"].get_array();
  return !std::ranges::all_of(Metadata(now)["finalizers"].get_array(), [&](const auto& finalizer) {
    return std::ranges::find(old, finalizer) != old.end();
  });
}

std::int64_t Generation(json::object& object) {
  const auto* value = Metadata(object).if_contains("generation");
  return value && value->is_int64() ? value->get_int64() : 0;
}

}  // namespace

std::string PluralAndGroup(const api::Resource& resource) {
  return resource.group.empty() ? std::string(resource.plural)
                                : fmt::format("{}.{}", resource.plural, resource.group);
}

const Objects::Entry* Objects::Find(const api::Resource& resource,
                                    const api::NamespacedName& key) const {
  const auto table = tables_.find(PluralAndGroup(resource));
  if (table == tables_.end()) return nullptr;
  const auto entry = table->second.find(key);
  return entry == table->second.end() ? nullptr : &entry->second;
}

api::Result<json::value> Objects::Get(const Request& request) const {
  const auto* entry = Find(request.resource, KeyOf(request));
  if (!entry) return NotFound(request);
  return json::value(entry->object);
}

api::Result<json::value> Objects::Create(const Request& original) {
  Request request = original;
  if (!request.body.is_object()) return Invalid(request, "the body is no object");
  json::object object = request.body.get_object();
  if (HasStatusSubresource(request.resource)) object.erase("status");
  auto& metadata = Metadata(object);
  request.name = Text(metadata, "name");
  if (request.name.empty() && !Text(metadata, "generateName").empty()) {
    request.name = fmt::format("{}{:05}", Text(metadata, "generateName"), ++last_generated_);
  }
  if (!api::IsDns1123Subdomain(request.name)) return Invalid(request, "metadata.name");
  if (request.resource.namespaced && request.ns.empty()) return Invalid(request, "no namespace");
  if (Find(request.resource, KeyOf(request))) {
    return api::Error{api::Code::kAlreadyExists, Describe(request) + " already exists"};
  }
  if (!Text(metadata, "resourceVersion").empty()) {
    return Invalid(request, "resourceVersion should not be set on objects to be created");
  }
  metadata["name"] = request.name;
  if (request.resource.namespaced) metadata["namespace"] = request.ns;
  for (const char* member : {"uid", "generation", "creationTimestamp", "deletionTimestamp"}) {
    metadata.erase(member);
  }
  if (request.dry_run) return json::value(object);
  return json::value(Put(request.resource, std::move(object)));
}

json::object Objects::Put(const api::Resource& resource, json::object object) {
  auto& metadata = Metadata(object);
  const api::NamespacedName key{resource.namespaced ? Text(metadata, "namespace") : "",
                                Text(metadata, "name")};
  const auto* found = Find(resource, key);
  Entry entry = found ? *found : Entry{};
  auto before = found ? std::optional(found->object) : std::nullopt;
  if (before) {
    metadata["uid"] = Metadata(*before)["uid"];
    metadata["creationTimestamp"] = Metadata(*before)["creationTimestamp"];
    metadata["generation"] = Generation(*before) + (Wish(object) == Wish(*before) ? 0 : 1);
  } else {
    if (Text(metadata, "uid").empty()) metadata["uid"] = fmt::format("uid-{}", ++last_uid_);
    if (Text(metadata, "creationTimestamp").empty()) {
      metadata["creationTimestamp"] =
          api::FormatTime(std::chrono::floor<std::chrono::seconds>(now_()));
    }
    metadata["generation"] = 1;
  }
  entry.object = std::move(object);
  Store(resource, key, std::move(entry), std::move(before));
  return Find(resource, key)->object;
}

api::Result<json::value> Objects::Patch(const Request& request) {
  const auto* found = Find(request.resource, KeyOf(request));
  if (!found) {
    if (request.verb != Verb::kApply || !request.subresource.empty()) return NotFound(request);
    return ApplyNew(request);
  }
  if (auto failed = CheckPreconditions(request, found->object)) return *failed;
  return PatchEntry(request, *found);
}

api::Result<json::value> Objects::ApplyNew(const Request& request) {
  if (!MetadataText(request.body, "resourceVersion").empty() ||
      !MetadataText(request.body, "uid").empty()) {
    return Conflict(request, "it does not exist");
  }
  Request creation = request;
  if (!creation.body.is_object()) return Invalid(request, "the body is no object");
  Metadata(creation.body.get_object())["name"] = request.name;
  auto created = Create(creation);
  if (created && !request.dry_run) {
    tables_[PluralAndGroup(request.resource)][KeyOf(request)].applied[""] = Owned(request.body);
  }
  return created;
}

api::Result<json::value> Objects::PatchEntry(const Request& request, Entry entry) {
  const json::object before = entry.object;
  json::value now = before;
  if (request.verb == Verb::kApply) {
    auto& applied = entry.applied[request.subresource];
    json::value owned = Owned(request.body);
    Apply(now, applied, owned);
    applied = std::move(owned);
  } else if (request.verb == Verb::kJsonPatch) {
    if (auto done = JsonPatch(now, request.body); !done) {
      return Invalid(request, done.error().message);
    }
  } else {
    MergePatch(now, request.body);
  }
  if (!now.is_object()) return Invalid(request, "the result is no object");
  const json::value version = Metadata(now.get_object())["resourceVersion"];
  if (version != before.at("metadata").at("resourceVersion")) {
    return Conflict(request, "the object has been modified");
  }
  KeepForeign(request, before, now.get_object());
  entry.object = std::move(now.get_object());
  return Write(request, std::move(entry), before);
}

api::Result<json::value> Objects::Write(const Request& request, Entry entry, json::object before) {
  const bool deleting = Metadata(before).contains("deletionTimestamp");
  if (deleting && AddsFinalizer(before, entry.object)) {
    return Invalid(request, "no new finalizers can be added if the object is being deleted");
  }
  json::object object = entry.object;
  if (request.dry_run) return json::value(object);
  if (deleting && IsEmptyList(Metadata(object), "finalizers")) {
    Erase(request.resource, KeyOf(request), object);
    return json::value(object);
  }
  if (object == before) {  // no change, no new version; but what is applied may be more
    tables_[PluralAndGroup(request.resource)][KeyOf(request)] = std::move(entry);
    return json::value(object);
  }
  if (Wish(object) != Wish(before)) {
    Metadata(entry.object)["generation"] = Generation(before) + 1;
  }
  Store(request.resource, KeyOf(request), std::move(entry), std::move(before));
  return Get(request);
}

api::Result<json::value> Objects::Delete(const Request& request) {
  const auto* found = Find(request.resource, KeyOf(request));
  if (!found) return NotFound(request);
  Entry entry = *found;
  auto& metadata = Metadata(entry.object);
  if (!request.precondition_uid.empty() && request.precondition_uid != Text(metadata, "uid")) {
    return Conflict(request, "the UID in the precondition is another one");
  }
  if (!request.precondition_resource_version.empty() &&
      request.precondition_resource_version != Text(metadata, "resourceVersion")) {
    return Conflict(request, "the resourceVersion in the precondition is another one");
  }
  if (request.dry_run) return json::value(entry.object);
  if (IsEmptyList(metadata, "finalizers")) {
    Erase(request.resource, KeyOf(request), entry.object);
    return json::value(entry.object);
  }
  if (!metadata.contains("deletionTimestamp")) {
    json::object before = entry.object;
    metadata["deletionTimestamp"] =
        api::FormatTime(std::chrono::floor<std::chrono::seconds>(now_()));
    metadata["generation"] = Generation(before) + 1;
    Store(request.resource, KeyOf(request), std::move(entry), std::move(before));
  }
  return Get(request);
}

std::vector<json::object> Objects::List(const api::Resource& resource,
                                        const Selector& selector) const {
  std::vector<json::object> list;
  const auto table = tables_.find(PluralAndGroup(resource));
  if (table == tables_.end()) return list;
  for (const auto& [key, entry] : table->second) {
    if (selector.Matches(entry.object)) list.push_back(entry.object);
  }
  return list;
}

void Objects::AddBookmark() {
  changes_.push_back({"", resource_version_, std::nullopt, std::nullopt});
}

void Objects::Store(const api::Resource& resource, const api::NamespacedName& key, Entry entry,
                    std::optional<json::object> before) {
  Metadata(entry.object)["resourceVersion"] = std::to_string(++resource_version_);
  entry.object["kind"] = resource.kind;
  entry.object["apiVersion"] = resource.group.empty()
                                   ? std::string(resource.version)
                                   : fmt::format("{}/{}", resource.group, resource.version);
  changes_.push_back(
      {PluralAndGroup(resource), resource_version_, std::move(before), entry.object});
  tables_[PluralAndGroup(resource)][key] = std::move(entry);
}

void Objects::Erase(const api::Resource& resource, const api::NamespacedName& key,
                    json::object object) {
  ++resource_version_;
  changes_.push_back(
      {PluralAndGroup(resource), resource_version_, std::move(object), std::nullopt});
  tables_[PluralAndGroup(resource)].erase(key);
}

}  // namespace stillpoint::sim
