#include "sim/cluster/objects.h"

#include "api/labels.h"
#include "sim/cluster/patch.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

// What clients do to Objects; what the cluster itself does is in objects.cc.
namespace stillpoint::sim {

namespace json = boost::json;
using kube::Request;
using kube::Verb;

namespace {

constexpr api::Resource kNamespaces{"", "v1", "Namespace", "namespaces", false};
constexpr std::int64_t kDefaultGrace = 30;

// The text of the member `name` of a part of an object.
std::string TextIn(const json::object& object, std::string_view part, std::string_view name) {
  const auto* found = object.if_contains(part);
  return found && found->is_object() ? TextOf(found->get_object(), name) : std::string();
}

// Whether a kubelet has to let go of it: as the pod strategy's CheckGracefulDelete.
bool HasKubelet(const json::object& pod) {
  const std::string phase = TextIn(pod, "status", "phase");
  return !TextIn(pod, "spec", "nodeName").empty() && phase != "Failed" && phase != "Succeeded";
}

// How long a deletion leaves a pod; 0: not at all.
std::int64_t GraceOf(const Request& request, const json::object& object) {
  const bool pod = request.resource.plural == "pods" && request.resource.group.empty();
  if (!pod || !HasKubelet(object)) return 0;
  const auto* asked = request.body.if_object();
  const auto* seconds = asked ? asked->if_contains("gracePeriodSeconds") : nullptr;
  const auto* spec = object.if_contains("spec");
  if (!seconds && spec && spec->is_object()) {
    seconds = spec->get_object().if_contains("terminationGracePeriodSeconds");
  }
  return seconds && seconds->is_int64() ? seconds->get_int64() : kDefaultGrace;
}

api::Result<void> CheckName(const Request& request) {
  if (request.name.empty()) {
    return Invalid(request, "metadata.name: Required value: name or generateName is required");
  }
  if (api::IsDns1123Subdomain(request.name)) return {};
  return Invalid(request,
                 fmt::format("metadata.name: Invalid value: \"{}\": a lowercase RFC 1123 subdomain "
                             "must consist of lower case alphanumeric characters, '-' or '.', and "
                             "must start and end with an alphanumeric character",
                             request.name));
}

std::string ManagerKey(const std::string& manager, const std::string& subresource) {
  return fmt::format("{}/{}", manager, subresource);
}

// Merges the applied body into `now` and keeps in `applied` who owns what.
api::Result<void> ApplyAs(const std::string& own, const Request& request, AppliedFields& applied,
                          json::value& now) {
  json::value fields = FieldsToOwn(request.body);
  for (auto& [other, theirs] : applied) {
    if (other == own) continue;
    const auto path =
        Dispute(fields, theirs, now, request.force ? Take::kDisputed : Take::kNothing);
    if (path.empty() || request.force) continue;
    return api::Error{api::Code::kConflict,
                      fmt::format("Apply failed with 1 conflict: conflict with \"{}\": {}",
                                  other.substr(0, other.find('/')), path)};
  }
  for (const auto& [other, theirs] : applied) {
    if (other != own) Disown(applied[own], theirs);
  }
  Apply(now, applied[own], fields);
  applied[own] = std::move(fields);
  return {};
}

}  // namespace

// ---- creation ---------------------------------------------------------------------------------

api::Result<void> Objects::CheckNamespace(const Request& request) const {
  if (!request.resource.namespaced) return {};
  if (request.ns.empty()) return Invalid(request, "no namespace");
  if (!namespaces_required_) return {};
  const auto found = Peek(kNamespaces, {"", request.ns});
  if (!found) {
    return api::Error{api::Code::kNotFound, fmt::format("namespaces \"{}\" not found", request.ns)};
  }
  if (!IsTerminating(*found)) return {};
  return api::Error{api::Code::kForbidden,
                    fmt::format("unable to create new content in namespace {} because it is being "
                                "terminated",
                                request.ns)};
}

api::Result<void> Objects::Admit(const Request& request, const json::object* before,
                                 json::object& object) const {
  if (!admission_) return {};
  return admission_({request.resource, before, request.subresource, object});
}

api::Result<StoredObject> Objects::Create(const Request& original) {
  Request request = original;
  if (!request.body.is_object()) return Invalid(request, "the body is no object");
  json::object object = std::move(request.body.get_object());
  if (HasStatusSubresource(request.resource)) object.erase("status");
  auto& metadata = MetadataOf(object);
  request.name = TextOf(metadata, "name");
  if (request.name.empty() && !TextOf(metadata, "generateName").empty()) {
    request.name = fmt::format("{}{:05}", TextOf(metadata, "generateName"), ++last_generated_);
  }
  if (auto named = CheckName(request); !named) return named.error();
  if (auto there = CheckNamespace(request); !there) return there.error();
  if (Find(request.resource, KeyOf(request))) {
    return api::Error{
        api::Code::kAlreadyExists,
        fmt::format("{} \"{}\" already exists", PluralAndGroup(request.resource), request.name)};
  }
  if (!TextOf(metadata, "resourceVersion").empty()) {
    return Invalid(request, "resourceVersion should not be set on objects to be created");
  }
  metadata["name"] = request.name;
  if (const auto ns = TextOf(metadata, "namespace"); !ns.empty() && ns != request.ns) {
    return Invalid(request, "the namespace of the object is not that of the request");
  }
  if (request.resource.namespaced) metadata["namespace"] = request.ns;
  DropServersOwn(object);
  if (auto admitted = Admit(request, nullptr, object); !admitted) return admitted.error();
  if (!request.dry_run) return Put(request.resource, std::move(object));
  Begin(request.resource, object);
  return std::make_shared<const json::object>(std::move(object));
}

// ---- change -----------------------------------------------------------------------------------

api::Result<StoredObject> Objects::Patch(const Request& request, const std::string& manager) {
  const auto* found = Find(request.resource, KeyOf(request));
  if (!found) {
    if (request.verb != Verb::kApply || !request.subresource.empty()) return NotFound(request);
    return ApplyNew(request, manager);
  }
  const StoredObject before = found->object;  // kept, as the write replaces it
  if (auto failed = CheckPreconditions(request, *before)) return *failed;
  if (request.verb != Verb::kApply) return PatchFound(request, before, nullptr, manager);
  AppliedFields applied = found->applied;
  return PatchFound(request, before, &applied, manager);
}

api::Result<StoredObject> Objects::PatchFound(const Request& request, const StoredObject& before,
                                              AppliedFields* applied, const std::string& manager) {
  json::value now = json::object(*before, memory_);
  if (applied) {
    if (auto done = ApplyAs(ManagerKey(manager, request.subresource), request, *applied, now);
        !done) {
      return done.error();
    }
  } else if (request.verb == Verb::kJsonPatch) {
    if (auto done = JsonPatch(now, request.body); !done) {
      return Invalid(request, done.error().message);
    }
  } else {
    MergePatch(now, request.body);
  }
  if (!now.is_object()) return Invalid(request, "the result is no object");
  if (TextOf(MetadataOf(now.get_object()), "resourceVersion") !=
      TextOf(MetadataOf(*before), "resourceVersion")) {
    return StaleVersion(request);
  }
  return Write(request, before, std::move(now.get_object()), applied);
}

api::Result<StoredObject> Objects::ApplyNew(const Request& request, const std::string& manager) {
  Request creation = request;
  if (!creation.body.is_object()) return Invalid(request, "the body is no object");
  json::object& metadata = MetadataOf(creation.body.get_object());
  if (const std::string uid = TextOf(metadata, "uid"); !uid.empty()) {
    return Conflict(request, fmt::format("uid mismatch: the provided object specified uid {}, and "
                                         "no existing object was found",
                                         uid));
  }
  metadata["name"] = request.name;
  metadata.erase("resourceVersion");  // which, as on a real one, does not say that there was one
  auto created = Create(creation);
  if (created && !request.dry_run) {
    TableOf(request.resource).entries[KeyOf(request)].applied[ManagerKey(manager, "")] =
        FieldsToOwn(request.body);
  }
  return created;
}

api::Result<StoredObject> Objects::Update(const Request& request) {
  const auto* found = Find(request.resource, KeyOf(request));
  if (!found) return NotFound(request);
  if (!request.body.is_object()) return Invalid(request, "the body is no object");
  json::object now = request.body.get_object();
  if (IsCustom(request.resource) && TextOf(MetadataOf(now), "resourceVersion").empty()) {
    return Invalid(request,
                   "metadata.resourceVersion: Invalid value: 0: must be specified for an update");
  }
  const StoredObject before = found->object;  // kept, as the write replaces it
  if (auto failed = CheckPreconditions(request, *before)) return *failed;
  return Write(request, before, std::move(now), nullptr);
}

api::Result<StoredObject> Objects::Write(const Request& request, const StoredObject& before,
                                         json::object now, AppliedFields* applied) {
  KeepForeign(request, *before, now);
  if (IsTerminating(*before) && AddsFinalizer(*before, now)) {
    return Invalid(request, "no new finalizers can be added if the object is being deleted");
  }
  if (auto admitted = Admit(request, before.get(), now); !admitted) return admitted.error();
  if (request.dry_run) return std::make_shared<const json::object>(std::move(now));
  Table& table = TableOf(request.resource);
  const api::NamespacedName key = KeyOf(request);
  if (IsLastWrite(*before, now)) {
    auto last = std::make_shared<const json::object>(std::move(now), memory_);
    Erase(table, key, last);
    return last;
  }
  // Without a change there is no new version; but what is applied may be more.
  if (applied) table.entries[key].applied = std::move(*applied);
  const Difference difference = Compare(*before, now);
  if (difference == Difference::kNone) return std::make_shared<const json::object>(std::move(now));
  CountGeneration(request.resource, *before, difference, now);
  return Store(table, key, std::move(now), before);
}

// ---- deletion ---------------------------------------------------------------------------------

api::Result<StoredObject> Objects::Delete(const Request& request) {
  const auto* found = Find(request.resource, KeyOf(request));
  if (!found) return NotFound(request);
  const StoredObject before = found->object;
  if (auto failed = CheckDeletePreconditions(request, *before)) return *failed;
  if (request.dry_run) return before;
  Table& table = TableOf(request.resource);
  const std::int64_t grace = GraceOf(request, *before);
  if (!HasFinalizers(*before) && grace == 0) {
    Erase(table, KeyOf(request), before);
    return before;
  }
  if (!IsTerminating(*before) || (grace == 0 && HasGrace(*before))) {
    json::object now(*before, memory_);
    auto& metadata = MetadataOf(now);
    if (!IsTerminating(*before)) {
      metadata["deletionTimestamp"] = Stamp();
      if (HasGeneration(request.resource)) metadata["generation"] = GenerationOf(*before) + 1;
    }
    metadata["deletionGracePeriodSeconds"] = grace;
    Store(table, KeyOf(request), std::move(now), before);
  }
  return Get(request);
}

}  // namespace stillpoint::sim
