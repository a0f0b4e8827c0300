#include "sim/cluster/write_rules.h"

#include "sim/cluster/same.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <array>

namespace stillpoint::sim {

namespace json = boost::json;
using kube::Request;

namespace {

// Kinds whose status is written like any other field.
constexpr std::array kWithoutStatus{"configmaps",
                                    "events",
                                    "leases",
                                    "secrets",
                                    "services",
                                    "serviceaccounts",
                                    "storageclasses",
                                    "csidrivers",
                                    "clusterroles",
                                    "clusterrolebindings",
                                    "roles",
                                    "rolebindings",
                                    "selfsubjectaccessreviews",
                                    "volumesnapshotclasses"};

constexpr std::array kWithoutGeneration{"configmaps",        "events",  "leases",
                                        "namespaces",        "nodes",   "persistentvolumeclaims",
                                        "persistentvolumes", "secrets", "serviceaccounts",
                                        "services"};

constexpr std::array kBuiltInGroups{"",
                                    "apps",
                                    "batch",
                                    "coordination.k8s.io",
                                    "storage.k8s.io",
                                    "authorization.k8s.io",
                                    "events.k8s.io",
                                    "rbac.authorization.k8s.io",
                                    "apiextensions.k8s.io",
                                    "policy",
                                    "discovery.k8s.io"};

// What only the server writes, whatever the client sends.
constexpr std::array kServersOwn{"name",
                                 "namespace",
                                 "uid",
                                 "creationTimestamp",
                                 "generation",
                                 "deletionTimestamp",
                                 "deletionGracePeriodSeconds"};

const json::object kEmpty;

void CopyMember(json::object& to, const json::object& from, std::string_view member) {
  const auto* value = from.if_contains(member);
  if (!value) {
    to.erase(member);
    return;
  }
  auto& copied = to[member];
  if (!IsSame(copied, *value)) copied = *value;
}

// Makes all members but one what they are in `before`; most of them are that already.
void Restore(const json::object& before, json::object& now, std::string_view but) {
  for (auto it = now.begin(); it != now.end();) {
    const bool added = it->key() != but && !before.contains(it->key());
    it = added ? now.erase(it) : it + 1;
  }
  for (const auto& [key, value] : before) {
    if (key != but) CopyMember(now, before, key);
  }
}

// metadata.`member` of a body that may be no object at all.
std::string MetadataText(const json::value& body, std::string_view member) {
  const auto* object = body.if_object();
  return object ? TextOf(MetadataOf(*object), member) : std::string();
}

const json::array* Finalizers(const json::object& object) {
  const auto* list = MetadataOf(object).if_contains("finalizers");
  return list ? list->if_array() : nullptr;
}

std::string Describe(const Request& request) {
  return fmt::format("{} \"{}\"", PluralAndGroup(request.resource), request.name);
}

std::string KindAndGroup(const api::Resource& resource) {
  return resource.group.empty() ? std::string(resource.kind)
                                : fmt::format("{}.{}", resource.kind, resource.group);
}

// Both have it and it is the same, or neither has.
bool IsSameIn(const json::object& a, const json::object& b, std::string_view member) {
  const auto* one = a.if_contains(member);
  const auto* other = b.if_contains(member);
  return one && other ? IsSame(*one, *other) : one == other;
}

}  // namespace

std::string PluralAndGroup(const api::Resource& resource) {
  return resource.group.empty() ? std::string(resource.plural)
                                : fmt::format("{}.{}", resource.plural, resource.group);
}

bool HasStatusSubresource(const api::Resource& resource) {
  return std::ranges::find(kWithoutStatus, resource.plural) == kWithoutStatus.end();
}

bool HasGeneration(const api::Resource& resource) {
  return std::ranges::find(kWithoutGeneration, resource.plural) == kWithoutGeneration.end();
}

bool IsCustom(const api::Resource& resource) {
  return std::ranges::find(kBuiltInGroups, resource.group) == kBuiltInGroups.end();
}

api::NamespacedName KeyOf(const Request& request) {
  return {request.resource.namespaced ? request.ns : "", request.name};
}

api::NamespacedName KeyOf(const json::object& object) {
  const json::object& metadata = MetadataOf(object);
  return {TextOf(metadata, "namespace"), TextOf(metadata, "name")};
}

// ---- what the server answers ------------------------------------------------------------------

api::Error NotFound(const Request& request) {
  return {api::Code::kNotFound, Describe(request) + " not found"};
}

api::Error Conflict(const Request& request, std::string_view why) {
  return {api::Code::kConflict,
          fmt::format("Operation cannot be fulfilled on {}: {}", Describe(request), why)};
}

api::Error StaleVersion(const Request& request) {
  return Conflict(request,
                  "the object has been modified; please apply your changes to the latest version "
                  "and try again");
}

api::Error Invalid(const Request& request, std::string_view why) {
  return {api::Code::kInvalid, fmt::format("{} \"{}\" is invalid: {}",
                                           KindAndGroup(request.resource), request.name, why)};
}

std::optional<api::Error> CheckPreconditions(const Request& request, const json::object& live) {
  const std::string version = MetadataText(request.body, "resourceVersion");
  if (!version.empty() && version != TextOf(MetadataOf(live), "resourceVersion")) {
    return StaleVersion(request);
  }
  const std::string uid = MetadataText(request.body, "uid");
  if (uid.empty() || uid == TextOf(MetadataOf(live), "uid")) return std::nullopt;
  if (request.verb == kube::Verb::kMergePatch) {
    return Invalid(request,
                   fmt::format("metadata.uid: Invalid value: \"{}\": field is immutable", uid));
  }
  // An apply of the status does not look at it.
  if (request.verb == kube::Verb::kApply && !request.subresource.empty()) return std::nullopt;
  return Conflict(request, "uid mismatch: the provided object specified another uid");
}

std::optional<api::Error> CheckDeletePreconditions(const Request& request,
                                                   const json::object& live) {
  const json::object& metadata = MetadataOf(live);
  if (!request.precondition_uid.empty() && request.precondition_uid != TextOf(metadata, "uid")) {
    return Conflict(request, "the UID in the precondition is another one");
  }
  if (!request.precondition_resource_version.empty() &&
      request.precondition_resource_version != TextOf(metadata, "resourceVersion")) {
    return Conflict(request, "the resourceVersion in the precondition is another one");
  }
  return std::nullopt;
}

// ---- metadata ---------------------------------------------------------------------------------

json::object& MetadataOf(json::object& object) {
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  return metadata.get_object();
}

const json::object& MetadataOf(const json::object& object) {
  const auto* metadata = object.if_contains("metadata");
  return metadata && metadata->is_object() ? metadata->get_object() : kEmpty;
}

std::string TextOf(const json::object& object, std::string_view member) {
  const auto* value = object.if_contains(member);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t GenerationOf(const json::object& object) {
  const auto* value = MetadataOf(object).if_contains("generation");
  return value && value->is_int64() ? value->get_int64() : 0;
}

bool IsTerminating(const json::object& object) {
  return MetadataOf(object).contains("deletionTimestamp");
}

bool HasFinalizers(const json::object& object) {
  const auto* list = Finalizers(object);
  return list && !list->empty();
}

// ---- the write --------------------------------------------------------------------------------

void KeepForeign(const Request& request, const json::object& before, json::object& now) {
  if (request.subresource == "status") {
    Restore(before, now, "status");
  } else if (request.subresource == "scale") {
    json::object kept = before;
    if (auto* spec = now["spec"].if_object(); spec && kept["spec"].is_object()) {
      CopyMember(kept["spec"].get_object(), *spec, "replicas");
    }
    now = std::move(kept);
  } else if (HasStatusSubresource(request.resource)) {
    CopyMember(now, before, "status");
  }
  const json::object& old = MetadataOf(before);
  json::object& metadata = MetadataOf(now);
  for (const char* member : kServersOwn) CopyMember(metadata, old, member);
  CopyMember(metadata, old, "resourceVersion");
  metadata.erase("managedFields");
}

void DropServersOwn(json::object& object) {
  json::object& metadata = MetadataOf(object);
  for (std::string_view member : kServersOwn) {
    if (member != "name" && member != "namespace") metadata.erase(member);
  }
}

json::value FieldsToOwn(json::value body) {
  auto* object = body.if_object();
  if (!object || !object->contains("metadata")) return body;
  for (const char* member : kServersOwn) MetadataOf(*object).erase(member);
  MetadataOf(*object).erase("resourceVersion");
  return body;
}

bool AddsFinalizer(const json::object& before, const json::object& now) {
  const auto* wanted = Finalizers(now);
  if (!wanted) return false;
  const auto* old = Finalizers(before);
  return !std::ranges::all_of(*wanted, [&](const auto& finalizer) {
    return old && std::ranges::find(*old, finalizer) != old->end();
  });
}

// Looks at each member once: objects are large, and this is asked at every write.
Difference Compare(const json::object& before, const json::object& now) {
  const auto is_wish = [](const auto& member) {
    return member.key() != "metadata" && member.key() != "status";
  };
  const bool same_wish =
      std::ranges::count_if(before, is_wish) == std::ranges::count_if(now, is_wish) &&
      std::ranges::all_of(before, [&](const auto& member) {
        const auto* other = is_wish(member) ? now.if_contains(member.key()) : nullptr;
        return !is_wish(member) || (other && IsSame(*other, member.value()));
      });
  if (!same_wish) return Difference::kWish;
  const bool same = IsSameIn(before, now, "status") && IsSameIn(before, now, "metadata");
  return same ? Difference::kNone : Difference::kRest;
}

void CountGeneration(const api::Resource& resource, const json::object& before,
                     Difference difference, json::object& now) {
  if (!HasGeneration(resource)) return;
  MetadataOf(now)["generation"] = GenerationOf(before) + (difference == Difference::kWish ? 1 : 0);
}

bool HasGrace(const json::object& pod) {
  const auto* seconds = MetadataOf(pod).if_contains("deletionGracePeriodSeconds");
  return seconds && seconds->is_int64() && seconds->get_int64() > 0;
}

bool IsLastWrite(const json::object& before, const json::object& now) {
  return IsTerminating(now) && HasFinalizers(before) && !HasFinalizers(now) && !HasGrace(now);
}

}  // namespace stillpoint::sim
