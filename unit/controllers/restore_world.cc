#include "unit/controllers/restore_world.h"

#include "api/apps.h"
#include "api/codec.h"
#include "api/storage.h"
#include "api/volume_backup.h"
#include "sim/cluster/fields.h"
#include "sim/run/cuts.h"
#include "sim/run/declare.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace stillpoint::controllers {
namespace {

namespace json = boost::json;
namespace run = sim::run;
using namespace std::chrono_literals;
using api::PersistentVolume;
using api::PersistentVolumeClaim;

constexpr char kBackup[] = "nightly";
constexpr char kRestore[] = "back";

// What a dead life has sent lands when the next one, which begins after 2 s, is at work.
const sim::NetworkKnobs kNetwork{.zombie = {2100ms, 3s}};

template <api::Object T>
T Read(const sim::StoredObject& object) {
  if (!object) throw std::logic_error(fmt::format("there is no such {}", T::kResource.kind));
  auto decoded = api::Decode<T>(*object);
  if (!decoded) throw std::logic_error(decoded.error().message);
  return std::move(*decoded);
}

}  // namespace

RestoreWorld::RestoreWorld(const RestoreWorldOptions& options)
    : application_{.name = "db",
                   .kind = options.kind,
                   .hook = run::HookForm::kNone,
                   .late_binding = options.late_binding},
      old_claim_(run::ClaimName(application_, 0)),
      network_(world_, server_, cluster_.runtime(), kNetwork),
      lives_(world_, network_, run::Knobs{}, {}) {
  BreakAsAsked(options);
  Install();
  lives_.Start();
  BackUp();
}

void RestoreWorld::BreakAsAsked(const RestoreWorldOptions& options) {
  if (options.restored_data_is_broken) {
    cluster_.runtime().on_start = [this](const sim::PodSandbox& pod, const std::string&) {
      return std::ranges::none_of(
          pod.volumes, [this](const auto& volume) { return DataOn(volume.second) == "backup"; });
    };
  }
  if (options.provisioning_fails) {
    cluster_.storage().on_create_volume = [](const sim::VolumeRequest& request, std::size_t) {
      sim::VolumeBehaviour behaviour;
      if (!request.snapshot_handle.empty()) {
        behaviour.error = api::Error{api::Code::kUnknown, "the array is out of order"};
      }
      return behaviour;
    };
  }
}

void RestoreWorld::Install() {
  for (auto& [resource, object] : run::DeclareCluster()) server_.objects().Put(resource, object);
  for (auto& [resource, object] : run::Declare(application_)) {
    server_.objects().Put(resource, object);
  }
  if (!Run([this] { return ApplicationIsReady(); }, 1min)) {
    throw std::logic_error("the application never came up");
  }
  LabelTheOldClaim();
  old_handle_ = sim::Text(*VolumeOf(old_claim_), {"spec", "csi", "volumeHandle"});
}

void RestoreWorld::LabelTheOldClaim() {
  server_.objects().Edit(
      PersistentVolumeClaim::kResource, {run::kNamespace, old_claim_}, [](json::object& claim) {
        sim::SetAnnotation(claim, "backups.example.com/schedule", "@daily");
        sim::Into(claim, {"metadata", "labels"})["argocd.argoproj.io/instance"] = "shop";
      });
}

void RestoreWorld::BackUp() {
  const auto& resource = api::VolumeBackup::kResource;
  Apply(resource, kBackup,
        {{"applicationRef",
          fmt::format("{}/{}", run::WorkloadResource(application_).plural, application_.name)}});
  const auto done = [&] {
    return sim::Text(*Find(resource, kBackup), {"status", "phase"}) == "Completed";
  };
  if (!Run(done, 1min)) throw std::logic_error("the backup never completed");
}

void RestoreWorld::Apply(const api::Resource& resource, std::string_view name, json::object spec) {
  const auto applied =
      server_.Answer({.verb = kube::Verb::kCreate,
                      .resource = resource,
                      .ns = run::kNamespace,
                      .body = {{"apiVersion", api::ApiVersion(resource)},
                               {"kind", resource.kind},
                               {"metadata", {{"name", name}, {"namespace", run::kNamespace}}},
                               {"spec", std::move(spec)}}},
                     "kubectl");
  if (!applied) throw std::logic_error(applied.error().message);
}

void RestoreWorld::Restore(json::object spec, const std::vector<sim::Fault>& faults) {
  world_.faults().Set(faults);
  world_.trace().RecordMoments();
  spec["backupRef"] = kBackup;
  spec["rolloutTimeout"] = "10s";
  Apply(api::VolumeRestore::kResource, kRestore, std::move(spec));
}

void RestoreWorld::DeleteRestore() {
  const auto deleted = server_.Answer({.verb = kube::Verb::kDelete,
                                       .resource = api::VolumeRestore::kResource,
                                       .ns = run::kNamespace,
                                       .name = kRestore},
                                      "kubectl");
  if (!deleted) throw std::logic_error(deleted.error().message);
}

// ---- time ---------------------------------------------------------------------------------------

bool RestoreWorld::Run(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const api::Time end = world_.Now() + limit;
  while (!done()) {
    if (world_.Now() >= end || !world_.Step()) return false;
  }
  return true;
}

bool RestoreWorld::RunToEnd() {
  if (!Run([this] { return IsOver(); }, 1h)) return false;
  world_.RunFor(10s);
  return IsOver() && lives_.threw() == 0;
}

bool RestoreWorld::RunToEndDeletingWhenStruck() {
  if (!Run([this] { return FaultStruck(); }, 1h)) return false;
  DeleteRestore();
  return RunToEnd();
}

bool RestoreWorld::IsOver() const {
  const auto object = Find(api::VolumeRestore::kResource, kRestore);
  if (!object) return true;
  const auto* finalizers = sim::List(*object, {"metadata", "finalizers"});
  return run::IsFinalPhase(run::PhaseOf(*object)) && (finalizers == nullptr || finalizers->empty());
}

bool RestoreWorld::FaultStruck() {
  return std::ranges::any_of(world_.faults().struck(), [](std::uint64_t n) { return n > 0; });
}

// ---- what is the case ---------------------------------------------------------------------------

sim::StoredObject RestoreWorld::Find(const api::Resource& resource, std::string_view name) const {
  return server_.objects().Peek(resource,
                                {resource.namespaced ? run::kNamespace : "", std::string(name)});
}

bool RestoreWorld::ApplicationIsReady() const {
  const auto workload = Find(run::WorkloadResource(application_), application_.name);
  return sim::Int(*workload, {"status", "readyReplicas"}) == application_.replicas;
}

bool RestoreWorld::RestoreIsGone() const {
  return !Find(api::VolumeRestore::kResource, kRestore);
}

api::VolumeRestore RestoreWorld::restore() const {
  return Read<api::VolumeRestore>(Find(api::VolumeRestore::kResource, kRestore));
}

std::string RestoreWorld::ClaimInTemplate() const {
  const auto deployment = Read<api::Deployment>(Find(api::Deployment::kResource, "db"));
  return deployment.spec.template_.spec.volumes.at(0).persistent_volume_claim->claim_name;
}

std::int64_t RestoreWorld::Replicas() const {
  return sim::Int(*Find(run::WorkloadResource(application_), "db"), {"spec", "replicas"});
}

std::set<std::string> RestoreWorld::ClaimNames() const {
  std::set<std::string> names;
  server_.objects().ForEach(PersistentVolumeClaim::kResource, [&](const json::object& claim) {
    names.insert(sim::KeyOf(claim).name);
  });
  return names;
}

PersistentVolumeClaim RestoreWorld::Claim(const std::string& name) const {
  return Read<PersistentVolumeClaim>(Find(PersistentVolumeClaim::kResource, name));
}

sim::StoredObject RestoreWorld::VolumeOf(const std::string& claim) const {
  return Find(PersistentVolume::kResource, Claim(claim).spec.volume_name);
}

std::string RestoreWorld::DataOf(const std::string& claim) {
  const auto volume = VolumeOf(claim);
  return volume ? DataOn(std::string(sim::Text(*volume, {"spec", "csi", "volumeHandle"}))) : "";
}

std::string RestoreWorld::PolicyOf(const std::string& claim) const {
  return Read<PersistentVolume>(VolumeOf(claim)).spec.persistent_volume_reclaim_policy;
}

std::string RestoreWorld::DataOn(const std::string& handle) {
  if (handle == old_handle_) return "old";
  const auto& volumes = cluster_.truth().volumes;
  const auto volume = std::ranges::find(volumes, handle, &sim::VolumeTruth::handle);
  const bool restored = volume != volumes.end() && !volume->restored_from.empty();
  return restored && volume->origin == old_handle_ ? "backup" : "other";
}

bool RestoreWorld::OldVolumeExists() {
  const auto& volumes = cluster_.truth().volumes;
  return !std::ranges::find(volumes, old_handle_, &sim::VolumeTruth::handle)->gone;
}

std::set<std::string> RestoreWorld::DataInUse() {
  std::set<std::string> data;
  for (const sim::LifeTruth& life : cluster_.truth().lives) {
    if (life.ends) continue;
    for (const std::string& handle : life.volumes) data.insert(DataOn(handle));
  }
  return data;
}

}  // namespace stillpoint::controllers
