#include "controllers/restore_act.h"

#include "api/codec.h"
#include "api/core.h"
#include "api/snapshot.h"
#include "controllers/restore_names.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <utility>

namespace stillpoint::controllers::restore {
namespace {

namespace json = boost::json;
using Restore = api::VolumeRestore;

json::object ToJson(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

json::object ApiVersionAndKind(const api::Resource& resource) {
  return {{"apiVersion", api::ApiVersion(resource)}, {"kind", resource.kind}};
}

kube::Request FinalizersRequest(const Restore& restore,
                                const std::vector<std::string>& finalizers) {
  json::array list(finalizers.begin(), finalizers.end());
  return {.verb = kube::Verb::kMergePatch,
          .resource = Restore::kResource,
          .ns = restore.metadata.ns,
          .name = restore.metadata.name,
          .body = {{"metadata",
                    {{"uid", restore.metadata.uid},
                     {"resourceVersion", restore.metadata.resource_version},
                     {"finalizers", std::move(list)}}}}};
}

json::object ClaimSpec(const NewClaim& claim) {
  json::object spec{
      {"accessModes", json::array(claim.access_modes.begin(), claim.access_modes.end())},
      {"storageClassName", claim.storage_class_name},
      {"resources", {{"requests", {{"storage", claim.size}}}}}};
  if (!claim.volume_mode.empty()) spec["volumeMode"] = claim.volume_mode;
  if (!claim.volume.empty()) spec["volumeName"] = claim.volume;
  if (!claim.snapshot.empty()) {
    spec["dataSource"] = {{"apiGroup", api::kSnapshotGroup},
                          {"kind", api::VolumeSnapshot::kResource.kind},
                          {"name", claim.snapshot}};
  }
  return spec;
}

kube::Request VolumePatch(const std::string& volume, const std::string& resource_version,
                          json::object spec) {
  return {
      .verb = kube::Verb::kMergePatch,
      .resource = api::PersistentVolume::kResource,
      .name = volume,
      .body = {{"metadata", {{"resourceVersion", resource_version}}}, {"spec", std::move(spec)}}};
}

kube::Request WorkloadRequest(const Restore& restore, const Seen& seen, kube::Verb verb,
                              json::value body) {
  return {.verb = verb,
          .resource = ResourceOf(seen.ref.kind),
          .ns = restore.metadata.ns,
          .name = seen.ref.name,
          .body = std::move(body)};
}

// The version makes any change since the look a conflict, another object of that name included. No
// `test` operations: they are judged before the version, and one that fails is 422, not 409.
json::array PatchOf(const PatchVolumes& patch) {
  json::array operations{{{"op", "replace"},
                          {"path", "/metadata/resourceVersion"},
                          {"value", patch.workload.resource_version}}};
  for (const auto& change : patch.changes) {
    operations.push_back(
        {{"op", "replace"},
         {"path", fmt::format("/spec/template/spec/volumes/{}/persistentVolumeClaim/claimName",
                              change.index)},
         {"value", change.to}});
  }
  return operations;
}

struct Requester {
  const Restore& restore;

  kube::Request operator()(const AddFinalizer&) const {
    auto finalizers = restore.metadata.finalizers;
    finalizers.emplace_back(kFinalizer);
    return FinalizersRequest(restore, finalizers);
  }
  kube::Request operator()(const RemoveFinalizer&) const {
    auto finalizers = restore.metadata.finalizers;
    std::erase(finalizers, kFinalizer);
    return FinalizersRequest(restore, finalizers);
  }
  kube::Request operator()(const CreateClaim& action) const {
    const NewClaim& claim = action.claim;
    json::object body = ApiVersionAndKind(api::PersistentVolumeClaim::kResource);
    body["metadata"] = {{"name", claim.name},
                        {"namespace", restore.metadata.ns},
                        {"labels", ToJson(claim.labels)},
                        {"annotations", ToJson(claim.annotations)}};
    body["spec"] = ClaimSpec(claim);
    return {.verb = kube::Verb::kCreate,
            .resource = api::PersistentVolumeClaim::kResource,
            .ns = restore.metadata.ns,
            .body = std::move(body)};
  }
  kube::Request operator()(const DeleteClaim& action) const {
    return {.verb = kube::Verb::kDelete,
            .resource = api::PersistentVolumeClaim::kResource,
            .ns = restore.metadata.ns,
            .name = action.name,
            .precondition_uid = action.uid};
  }
  kube::Request operator()(const SetReclaimPolicy& action) const {
    return VolumePatch(action.volume, action.resource_version,
                       {{"persistentVolumeReclaimPolicy", action.policy}});
  }
  kube::Request operator()(const ReserveVolume& action) const {
    json::object claim = ApiVersionAndKind(api::PersistentVolumeClaim::kResource);
    claim["namespace"] = restore.metadata.ns;
    claim["name"] = action.claim;
    claim["uid"] = nullptr;
    claim["resourceVersion"] = nullptr;
    return VolumePatch(action.volume, action.resource_version, {{"claimRef", std::move(claim)}});
  }
  kube::Request operator()(const PatchVolumes& action) const {
    return WorkloadRequest(restore, action.workload, kube::Verb::kJsonPatch, PatchOf(action));
  }
  kube::Request operator()(const Scale& action) const {
    return WorkloadRequest(
        restore, action.workload, kube::Verb::kMergePatch,
        {{"metadata",
          {{"uid", action.workload.uid}, {"resourceVersion", action.workload.resource_version}}},
         {"spec", {{"replicas", action.replicas}}}});
  }
  kube::Request operator()(const RunPostHooks&) const { return {}; }
};

struct Describer {
  std::string operator()(const AddFinalizer&) const { return "add the finalizer"; }
  std::string operator()(const RemoveFinalizer&) const { return "remove the finalizer"; }
  std::string operator()(const CreateClaim& a) const { return "create claim " + a.claim.name; }
  std::string operator()(const DeleteClaim& a) const { return "delete claim " + a.name; }
  std::string operator()(const SetReclaimPolicy& a) const {
    return fmt::format("set the reclaim policy of PersistentVolume {} to {}", a.volume, a.policy);
  }
  std::string operator()(const ReserveVolume& a) const {
    return fmt::format("reserve PersistentVolume {} for claim {}", a.volume, a.claim);
  }
  std::string operator()(const PatchVolumes& a) const {
    return "patch the volumes of " + ToString(a.workload.ref);
  }
  std::string operator()(const Scale& a) const {
    return fmt::format("scale {} to {}", ToString(a.workload.ref), a.replicas);
  }
  std::string operator()(const RunPostHooks&) const { return "run spec.postHooks"; }
};

}  // namespace

kube::Request StatusRequest(const Restore& restore, const api::VolumeRestoreStatus& status) {
  json::object body = ApiVersionAndKind(Restore::kResource);
  body["metadata"] = {{"name", restore.metadata.name},
                      {"namespace", restore.metadata.ns},
                      {"uid", restore.metadata.uid},
                      {"resourceVersion", restore.metadata.resource_version}};
  body["status"] = api::Encode(status);
  return {.verb = kube::Verb::kApply,
          .resource = Restore::kResource,
          .ns = restore.metadata.ns,
          .name = restore.metadata.name,
          .subresource = "status",
          .body = std::move(body),
          .force = true};
}

kube::Request RequestFor(const Restore& restore, const Action& action) {
  return std::visit(Requester{restore}, action);
}

std::string Describe(const Action& action) {
  return std::visit(Describer{}, action);
}

boost::asio::awaitable<api::Result<void>> Act(kube::Client& client, Restore restore,
                                              Action action) {
  auto done = co_await client.Do(RequestFor(restore, action));
  if (done) co_return api::Result<void>();
  api::Error error = done.error();
  if (std::holds_alternative<DeleteClaim>(action) && error.code == api::Code::kNotFound) {
    co_return api::Result<void>();
  }
  if (error.code == api::Code::kAlreadyExists) error.code = api::Code::kConflict;
  error.message = fmt::format("{}: {}", Describe(action), error.message);
  co_return error;
}

}  // namespace stillpoint::controllers::restore
