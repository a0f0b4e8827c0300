#include "sim/run/declare.h"

#include "api/apps.h"
#include "api/core.h"
#include "api/duration.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "sim/cluster/cluster.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <string_view>
#include <utility>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;

json::object Meta(const std::string& name) {
  return {{"name", name}, {"namespace", kNamespace}};
}

json::object Labels(const Application& application) {
  return {{"app", application.name}, {"tier", "app"}};
}

json::object ClaimSpec(const Application& application) {
  return {{"accessModes", {"ReadWriteMany"}},
          {"storageClassName", application.late_binding ? "late" : "fast"},
          {"volumeMode", "Filesystem"},
          {"resources", {{"requests", {{"storage", "1Gi"}}}}}};
}

// Words that sim_runtime.h knows.
std::string PreHook(const Application& application) {
  const std::string freeze =
      fmt::format("app-freeze-slow {}", api::FormatDuration(application.freeze_takes));
  switch (application.hook) {
    case HookForm::kNone:
      return {};
    case HookForm::kShell:
    case HookForm::kNoPostHook:
      return freeze;
    case HookForm::kArgv:
      return fmt::format(R"(["/app/admin", "app-freeze-slow", "{}"])",
                         api::FormatDuration(application.freeze_takes));
    case HookForm::kSessionLock:
      return "mysql -e 'FLUSH TABLES WITH READ LOCK'";
    case HookForm::kFailing:
      return "app-fail 1";
    case HookForm::kHanging:
      return "app-freeze-hang";
    case HookForm::kLate:
      return "app-freeze-slow 35s";
    case HookForm::kLateArgv:
      return R"(["/app/admin", "app-freeze-slow", "35s"])";
    case HookForm::kHeld:
    case HookForm::kHeldPost:
      return fmt::format("app-hold-slow {}", api::FormatDuration(application.freeze_takes));
    case HookForm::kHeldEarly:
      return "app-hold-early 2s";
    case HookForm::kHeldMute:
      return "app-hold-mute";
    case HookForm::kHeldDeaf:
      return "app-hold-deaf";
  }
  return {};
}

std::string PostHook(const Application& application) {
  switch (application.hook) {
    case HookForm::kNone:
    case HookForm::kNoPostHook:
    case HookForm::kHeld:
    case HookForm::kHeldEarly:
    case HookForm::kHeldMute:
    case HookForm::kHeldDeaf:
      return {};
    case HookForm::kArgv:
    case HookForm::kLateArgv:
      return R"(["/app/admin", "app-thaw"])";
    case HookForm::kShell:
    case HookForm::kSessionLock:
    case HookForm::kFailing:
    case HookForm::kHanging:
    case HookForm::kLate:
    case HookForm::kHeldPost:
      return "app-thaw";
  }
  return {};
}

std::string_view KeyOfPreHook(HookForm hook) {
  return IsHeld(hook) ? "backups.example.com/hold-hook" : "backups.example.com/pre-hook";
}

json::object Annotations(const Application& application) {
  json::object annotations;
  const std::string pre = PreHook(application);
  const std::string post = PostHook(application);
  if (!pre.empty()) annotations[KeyOfPreHook(application.hook)] = pre;
  if (!post.empty()) annotations["backups.example.com/post-hook"] = post;
  if (application.weight != 0) {
    annotations["backups.example.com/hook-weight"] = std::to_string(application.weight);
  }
  return annotations;
}

json::object ClaimVolume(const std::string& name, const std::string& claim) {
  return {{"name", name}, {"persistentVolumeClaim", {{"claimName", claim}}}};
}

json::object PodTemplate(const Application& application) {
  json::array volumes;
  json::array mounts;
  const auto mount = [&](const std::string& name) {
    mounts.push_back(json::object{{"name", name}, {"mountPath", "/" + name}});
  };
  for (std::int64_t i = 0; i < application.claims; ++i) {
    const std::string name = fmt::format("data{}", i);
    mount(name);
    if (application.kind == WorkloadKind::kDeployment) {
      volumes.push_back(ClaimVolume(name, ClaimName(application, i)));
    }
  }
  for (const std::string& other : application.borrows) {
    mount("of-" + other);
    volumes.push_back(ClaimVolume("of-" + other, other + "-0"));
  }
  json::array containers{
      json::object{{"name", "app"}, {"image", "app"}, {"volumeMounts", std::move(mounts)}}};
  return {
      {"metadata", {{"labels", Labels(application)}, {"annotations", Annotations(application)}}},
      {"spec",
       {{"volumes", std::move(volumes)},
        {"containers", std::move(containers)},
        {"terminationGracePeriodSeconds", 30}}}};
}

json::object WorkloadSpec(const Application& application) {
  return {{"replicas", application.replicas},
          {"selector", {{"matchLabels", {{"app", application.name}}}}},
          {"template", PodTemplate(application)}};
}

Declared DeclareDeployment(const Application& application) {
  return {api::Deployment::kResource,
          {{"apiVersion", "apps/v1"},
           {"kind", "Deployment"},
           {"metadata", Meta(application.name)},
           {"spec", WorkloadSpec(application)}}};
}

Declared DeclareStatefulSet(const Application& application) {
  json::object spec = WorkloadSpec(application);
  json::array templates;
  for (std::int64_t i = 0; i < application.claims; ++i) {
    templates.push_back(json::object{{"metadata", {{"name", fmt::format("data{}", i)}}},
                                     {"spec", ClaimSpec(application)}});
  }
  spec["volumeClaimTemplates"] = std::move(templates);
  spec["podManagementPolicy"] = "Parallel";
  spec["serviceName"] = application.name;
  return {api::StatefulSet::kResource,
          {{"apiVersion", "apps/v1"},
           {"kind", "StatefulSet"},
           {"metadata", Meta(application.name)},
           {"spec", std::move(spec)}}};
}

Declared DeclareStorageClass(const std::string& name, const std::string& binding) {
  return {api::StorageClass::kResource,
          {{"apiVersion", "storage.k8s.io/v1"},
           {"kind", "StorageClass"},
           {"metadata", {{"name", name}}},
           {"provisioner", kDriver},
           {"reclaimPolicy", "Delete"},
           {"volumeBindingMode", binding}}};
}

}  // namespace

std::vector<Declared> DeclareCluster() {
  return {{api::Namespace::kResource,
           {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", kNamespace}}}}},
          DeclareStorageClass("fast", "Immediate"),
          DeclareStorageClass("late", "WaitForFirstConsumer"),
          {api::VolumeSnapshotClass::kResource,
           {{"apiVersion", "snapshot.storage.k8s.io/v1"},
            {"kind", "VolumeSnapshotClass"},
            {"metadata", {{"name", "snap"}}},
            {"driver", kDriver},
            {"deletionPolicy", "Delete"}}}};
}

std::vector<Declared> Declare(const Application& application) {
  if (application.kind == WorkloadKind::kStatefulSet) return {DeclareStatefulSet(application)};
  std::vector<Declared> declared;
  for (std::int64_t i = 0; i < application.claims; ++i) {
    declared.push_back({api::PersistentVolumeClaim::kResource,
                        {{"apiVersion", "v1"},
                         {"kind", "PersistentVolumeClaim"},
                         {"metadata", Meta(ClaimName(application, i))},
                         {"spec", ClaimSpec(application)}}});
  }
  declared.push_back(DeclareDeployment(application));
  return declared;
}

api::Resource WorkloadResource(const Application& application) {
  return application.kind == WorkloadKind::kDeployment ? api::Deployment::kResource
                                                       : api::StatefulSet::kResource;
}

std::string ClaimName(const Application& application, std::int64_t index) {
  if (application.kind == WorkloadKind::kDeployment) {
    return fmt::format("{}-{}", application.name, index);
  }
  return fmt::format("data{}-{}-0", index, application.name);
}

}  // namespace stillpoint::sim::run
