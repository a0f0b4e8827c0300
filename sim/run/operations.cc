#include "sim/run/operations.h"

#include "api/apps.h"
#include "api/core.h"
#include "api/duration.h"
#include "api/snapshot.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "sim/cluster/fields.h"
#include "sim/run/declare.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

// Of a VolumeBackup or VolumeRestore that exists: the rest of the spec is fixed.
constexpr std::array<std::string_view, 3> kEditable{"cancel", "deletionPolicy", "ttl"};

std::chrono::milliseconds DurationOf(const json::object& fields, std::string_view key,
                                     std::chrono::milliseconds otherwise) {
  return api::ParseDuration(Text(fields, {key})).value_or(otherwise);
}

json::object SpecPatch(json::object spec) {
  return {{"spec", std::move(spec)}};
}

bool IsReady(const json::object& pod) {
  return ConditionStatus(pod, "Ready") == "True";
}

// Compiled once: it does not change.
const SchemaAdmission& OurAdmission() {
  static const SchemaAdmission kAdmission = SchemaAdmission::FromCrds();
  return kAdmission;
}

}  // namespace

Operations::Operations(ApiServer& api, Timeline& timeline, Breakage& breakage,
                       const Scenario& scenario)
    : api_(api),
      timeline_(timeline),
      breakage_(breakage),
      scenario_(scenario),
      admission_(OurAdmission()) {}

void Operations::Install() {
  for (const Declared& declared : DeclareCluster()) {
    api_.objects().Put(declared.resource, declared.object);
  }
  for (const Application& application : scenario_.applications) {
    CreateApplication(application.name);
  }
}

bool Operations::Ready() const {
  return std::ranges::all_of(scenario_.applications, [this](const Application& application) {
    const auto pods = PodsOf(application.name);
    return std::ssize(pods) == application.replicas &&
           std::ranges::all_of(pods, [](const StoredObject& pod) { return IsReady(*pod); });
  });
}

void Operations::Do(const Operation& operation) {
  switch (operation.act) {
    case Act::kApplyBackup:
      return Apply(api::VolumeBackup::kResource, operation);
    case Act::kCancelBackup:
      return Patch(api::VolumeBackup::kResource, operation.object, SpecPatch({{"cancel", true}}));
    case Act::kDeleteBackup:
      return Delete(api::VolumeBackup::kResource, operation.object);
    case Act::kApplyRestore:
      return Apply(api::VolumeRestore::kResource, operation);
    case Act::kDeleteRestore:
      return Delete(api::VolumeRestore::kResource, operation.object);
    case Act::kAnnotate:
      return Annotate(operation.object, Int(operation.fields, {"times"}, 1),
                      DurationOf(operation.fields, "every", 10ms));
    case Act::kScale:
      return PatchApplication(operation.object,
                              SpecPatch({{"replicas", Int(operation.fields, {"replicas"}, 1)}}));
    case Act::kRoll:
      return PatchApplication(
          operation.object,
          SpecPatch({{"template",
                      {{"metadata", {{"annotations", {{"rolled", std::to_string(++rolls_)}}}}}}}}));
    case Act::kDeleteApplication:
      return DeleteApplication(operation.object);
    case Act::kCreateApplication:
      return CreateApplication(operation.object);
    case Act::kDeletePod:
      return DeletePod(operation);
    case Act::kRestartContainer:
      return RestartContainer(operation);
    case Act::kKillHooks:
      return KillHooks(operation);
    case Act::kNodeGone:
      return breakage_.LoseNode(NodeState::kDead, DurationOf(operation.fields, "for", 60s));
    case Act::kNodeSilent:
      return breakage_.LoseNode(NodeState::kSilent, DurationOf(operation.fields, "for", 60s));
    case Act::kBreakDriver:
      return breakage_.BreakDriver(DurationOf(operation.fields, "for", 60s));
    case Act::kStallDriver:
      return breakage_.StallDriver(DurationOf(operation.fields, "for", 60s));
    case Act::kNeverReady:
      return breakage_.KeepFromReady(DurationOf(operation.fields, "for", 60s));
    case Act::kDeleteSnapshot:
      return DeleteSnapshot(operation);
    case Act::kDeleteContent:
      return DeleteContent(operation);
    case Act::kDeleteClaim:
      return DeleteClaim(operation);
  }
}

// ---- VolumeBackups and VolumeRestores ----------------------------------------------------------

void Operations::Apply(const api::Resource& resource, const Operation& operation) {
  const auto existing = api_.objects().Peek(resource, {kNamespace, operation.object});
  if (existing) {
    json::object spec;
    for (const std::string_view key : kEditable) {
      if (const auto* value = operation.fields.if_contains(key)) spec[key] = *value;
    }
    if (!spec.empty()) Patch(resource, operation.object, SpecPatch(std::move(spec)));
    return;
  }
  json::object object{{"apiVersion", api::ApiVersion(resource)},
                      {"kind", resource.kind},
                      {"metadata", {{"name", operation.object}, {"namespace", kNamespace}}},
                      {"spec", operation.fields}};
  // Refused: then a person reads why, and nothing has changed.
  if (!admission_.Admit(resource, nullptr, "", object)) return;
  (void)api_.Answer({.verb = kube::Verb::kCreate,
                     .resource = resource,
                     .ns = kNamespace,
                     .body = std::move(object)},
                    "kubectl");
}

void Operations::Patch(const api::Resource& resource, const std::string& name, json::object patch) {
  (void)api_.Answer({.verb = kube::Verb::kMergePatch,
                     .resource = resource,
                     .ns = kNamespace,
                     .name = name,
                     .body = std::move(patch)},
                    "kubectl");
}

void Operations::Delete(const api::Resource& resource, const std::string& name,
                        json::object options) {
  (void)api_.Answer({.verb = kube::Verb::kDelete,
                     .resource = resource,
                     .ns = kNamespace,
                     .name = name,
                     .body = std::move(options),
                     .propagation_policy = "Background"},
                    "kubectl");
}

// Somebody else's controller that writes to our object: whoever reads and writes then loses the
// race, again and again.
void Operations::Annotate(const std::string& backup, std::int64_t times,
                          std::chrono::milliseconds every) {
  Patch(api::VolumeBackup::kResource, backup,
        {{"metadata", {{"annotations", {{"example.org/count", std::to_string(times)}}}}}});
  if (times <= 1) return;
  timeline_.After(every, [this, backup, times, every] { Annotate(backup, times - 1, every); });
}

// ---- applications -----------------------------------------------------------------------------

const Application* Operations::Find(std::string_view name) const {
  const auto found = std::ranges::find(scenario_.applications, name, &Application::name);
  return found == scenario_.applications.end() ? nullptr : &*found;
}

void Operations::PatchApplication(const std::string& name, json::object patch) {
  if (const Application* application = Find(name)) {
    Patch(WorkloadResource(*application), name, std::move(patch));
  }
}

void Operations::DeleteApplication(const std::string& name) {
  if (const Application* application = Find(name)) Delete(WorkloadResource(*application), name);
}

void Operations::CreateApplication(const std::string& name) {
  const Application* application = Find(name);
  if (application == nullptr) return;
  for (const Declared& declared : Declare(*application)) {
    (void)api_.Answer({.verb = kube::Verb::kCreate,
                       .resource = declared.resource,
                       .ns = kNamespace,
                       .body = declared.object},
                      "kubectl");
  }
}

std::vector<StoredObject> Operations::PodsOf(const std::string& application) const {
  const auto selector = Selector::Parse(kNamespace, "app=" + application, "");
  if (!selector) return {};
  return api_.objects().List(api::Pod::kResource, *selector);
}

StoredObject Operations::PodOf(const Operation& operation) const {
  const auto pods = PodsOf(operation.object);
  if (pods.empty()) return nullptr;
  return pods[static_cast<std::size_t>(Int(operation.fields, {"index"})) % pods.size()];
}

void Operations::DeletePod(const Operation& operation) {
  const StoredObject pod = PodOf(operation);
  if (!pod) return;
  json::object options;
  if (operation.fields.contains("grace")) {
    const auto grace = std::chrono::ceil<std::chrono::seconds>(
        DurationOf(operation.fields, "grace", std::chrono::milliseconds(0)));
    options["gracePeriodSeconds"] = grace.count();
  }
  Delete(api::Pod::kResource, KeyOf(*pod).name, std::move(options));
}

void Operations::RestartContainer(const Operation& operation) {
  if (const StoredObject pod = PodOf(operation)) breakage_.KillContainer(UidOf(*pod), "app");
}

void Operations::KillHooks(const Operation& operation) {
  if (const StoredObject pod = PodOf(operation)) breakage_.KillHooks(UidOf(*pod), "app");
}

// ---- by hand, on what is ours -----------------------------------------------------------------

std::string Operations::SnapshotOf(const Operation& operation) const {
  const auto backup =
      api_.objects().Peek(api::VolumeBackup::kResource, {kNamespace, operation.object});
  const auto* volumes = backup ? List(*backup, {"status", "volumes"}) : nullptr;
  if (volumes == nullptr || volumes->empty()) return {};
  const auto index = static_cast<std::size_t>(Int(operation.fields, {"index"})) % volumes->size();
  return std::string(Text((*volumes)[index].as_object(), {"snapshotName"}));
}

void Operations::DeleteSnapshot(const Operation& operation) {
  const std::string name = SnapshotOf(operation);
  if (!name.empty()) Delete(api::VolumeSnapshot::kResource, name);
}

void Operations::DeleteContent(const Operation& operation) {
  const std::string name = SnapshotOf(operation);
  const auto snapshot = api_.objects().Peek(api::VolumeSnapshot::kResource, {kNamespace, name});
  if (!snapshot) return;
  const auto content = Text(*snapshot, {"status", "boundVolumeSnapshotContentName"});
  if (content.empty()) return;
  (void)api_.Answer({.verb = kube::Verb::kDelete,
                     .resource = api::VolumeSnapshotContent::kResource,
                     .name = std::string(content)},
                    "kubectl");
}

void Operations::DeleteClaim(const Operation& operation) {
  const Application* application = Find(operation.object);
  if (application == nullptr) return;
  const auto index = Int(operation.fields, {"index"}) % application->claims;
  Delete(api::PersistentVolumeClaim::kResource, ClaimName(*application, index));
}

}  // namespace stillpoint::sim::run
