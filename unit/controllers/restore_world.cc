#include "unit/controllers/restore_world.h"

#include "api/snapshot.h"
#include "api/storage.h"
#include "controllers/restore_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace stillpoint::controllers {
namespace {

using api::PersistentVolume;
using api::PersistentVolumeClaim;
using boost::asio::awaitable;

constexpr char kData[] = "test/data";  // annotation of a volume: whose data it holds
constexpr char kProtection[] = "kubernetes.io/pvc-protection";
constexpr char kNs[] = "shop";
const std::map<std::string, std::string> kPodLabels{{"app", "db"}};

bool IsWrite(kube::Verb verb) {
  return verb != kube::Verb::kGet && verb != kube::Verb::kList;
}

api::Quantity Size(const char* text) {
  return *api::Quantity::Parse(text);
}

PersistentVolumeClaim MakeClaim(const std::string& name) {
  PersistentVolumeClaim claim;
  claim.metadata = {.name = name,
                    .ns = kNs,
                    .labels = {{"app", "db"}, {"argocd.argoproj.io/instance", "shop"}},
                    .annotations = {{"backups.example.com/schedule", "@daily"}},
                    .finalizers = {kProtection}};
  claim.spec = {.access_modes = {"ReadWriteOnce"},
                .storage_class_name = "fast",
                .volume_mode = "Filesystem",
                .volume_name = "pv-old",
                .resources = {.requests = {{"storage", Size("1Gi")}}}};
  claim.status.phase = "Bound";
  return claim;
}

api::VolumeBackup MakeBackup(WorkloadKind kind, const std::string& claim) {
  api::VolumeBackup backup;
  backup.metadata = {.name = "nightly", .ns = kNs};
  backup.status.phase = api::BackupPhase::kCompleted;
  backup.status.consistency = api::Consistency::kApplication;
  backup.status.application = {.kind = std::string(ToString(kind)), .name = "db", .uid = "w"};
  backup.status.completion_time = api::Time{std::chrono::sys_days(std::chrono::January / 1 / 2026)};
  backup.status.volumes = {{.claim = claim,
                            .claim_uid = "c-old",
                            .source = {.storage_class_name = "fast",
                                       .access_modes = {"ReadWriteOnce"},
                                       .volume_mode = "Filesystem",
                                       .size = "1Gi",
                                       .labels = {{"app", "db"}}},
                            .snapshot_name = "snap",
                            .snapshot_uid = "s-1",
                            .size = "1Gi"}};
  return backup;
}

}  // namespace

awaitable<api::Result<boost::json::value>> MortalClient::Do(kube::Request request) {
  const bool write = IsWrite(request.verb);
  if (write) ++writes_;
  const bool dies = write && writes_ == kill_at_;
  if (dies && when_ == When::kBefore) Kill();
  auto answer = co_await server_.Do(std::move(request));
  if (write) settle_();
  if (dies) Kill();
  co_return answer;
}

void MortalClient::Kill() const {
  if (on_kill) on_kill();
  throw Killed{};
}

RestoreWorld::RestoreWorld(WorkloadKind kind) : kind_(kind), old_volume_("pv-old") {
  if (kind == WorkloadKind::kStatefulSet) old_claim = "data-db-0";
  PersistentVolume volume;
  volume.metadata = {.name = old_volume_, .annotations = {{kData, "old"}}};
  const auto claim = server.Put(MakeClaim(old_claim));
  volume.spec.claim_ref = {.ns = kNs, .name = old_claim, .uid = claim.metadata.uid};
  volume.spec.persistent_volume_reclaim_policy = "Delete";
  server.Put(volume);
  server.Put(api::StorageClass{.metadata = {.name = "fast"}, .provisioner = "csi.test"});
  api::VolumeSnapshot snapshot;
  snapshot.metadata = {.name = "snap", .ns = kNs, .uid = "s-1"};
  snapshot.spec.source.persistent_volume_claim_name = old_claim;
  snapshot.status.ready_to_use = true;
  snapshot.status.restore_size = Size("1Gi");
  server.Put(snapshot);
  server.Put(MakeBackup(kind, old_claim));
  PutWorkload();
  Settle();
}

void RestoreWorld::PutWorkload() {
  const api::LabelSelector selector{.match_labels = kPodLabels};
  api::PodTemplate pod{.metadata = {.labels = kPodLabels},
                       .spec = {.containers = {{.name = "db"}}}};
  if (kind_ == WorkloadKind::kStatefulSet) {
    api::StatefulSet set;
    set.metadata = {.name = kName, .ns = kNs, .uid = "w"};
    set.spec.replicas = 1;
    set.spec.selector = selector;
    set.spec.template_ = pod;
    auto value = api::Encode(set);
    value.as_object()["spec"].as_object()["volumeClaimTemplates"] = {
        {{"metadata", {{"name", "data"}}}}};
    server.PutJson(api::StatefulSet::kResource, value);
    return;
  }
  pod.spec.volumes = {{.name = "tmp"},
                      {.name = "data", .persistent_volume_claim = {{.claim_name = old_claim}}}};
  api::Deployment deployment;
  deployment.metadata = {.name = kName, .ns = kNs, .uid = "w"};
  deployment.spec = {.replicas = 1, .selector = selector, .template_ = pod};
  server.Put(deployment);
}

void RestoreWorld::AddRestore(std::function<void(api::VolumeRestore&)> change) {
  server.Change<api::StorageClass>({"", "fast"}, [this](api::StorageClass& storage_class) {
    storage_class.volume_binding_mode = waits_for_consumer ? "WaitForFirstConsumer" : "Immediate";
  });
  api::VolumeRestore restore;
  restore.metadata = {.name = kRestore, .ns = kNs};
  restore.spec.backup_ref = "nightly";
  restore.spec.rollout_timeout = std::chrono::seconds(5);
  if (kind_ == WorkloadKind::kStatefulSet) {
    restore.spec.strategy = api::RestoreStrategy::kReplace;
  }
  if (change) change(restore);
  server.Put(restore);
}

// ---- everybody else -----------------------------------------------------------------------------

void RestoreWorld::Settle() {
  for (int round = 0; round < 100; ++round) {
    bool changed = ProtectClaims();
    changed = BindClaims() || changed;
    changed = ReleaseVolumes() || changed;
    changed = RunPods() || changed;
    changed = ReportRollout() || changed;
    old_volume_was_lost = old_volume_was_lost || !OldVolumeExists();
    if (!changed) return;
  }
  throw std::logic_error("the world never settles");
}

bool RestoreWorld::IsMounted(const std::string& claim) {
  return std::ranges::any_of(server.All<api::Pod>(kNs), [&](const api::Pod& pod) {
    return std::ranges::any_of(pod.spec.volumes, [&](const api::Volume& volume) {
      return volume.persistent_volume_claim && volume.persistent_volume_claim->claim_name == claim;
    });
  });
}

bool RestoreWorld::ProtectClaims() {
  bool changed = false;
  for (auto claim : server.All<PersistentVolumeClaim>(kNs)) {
    const bool deleting = claim.metadata.deletion_timestamp.has_value();
    if (!deleting && claim.metadata.finalizers.empty()) {
      claim.metadata.finalizers = {kProtection};
      server.Put(claim);
      changed = true;
    } else if (deleting && !IsMounted(claim.metadata.name)) {
      claim.metadata.deletion_timestamp.reset();
      claim.metadata.finalizers.clear();
      server.Put(claim);
      server.Remove<PersistentVolumeClaim>({kNs, claim.metadata.name});
      changed = true;
    }
  }
  return changed;
}

bool RestoreWorld::BindToReserved(PersistentVolumeClaim claim) {
  if (!server.Exists<PersistentVolume>({"", claim.spec.volume_name})) return false;
  auto volume = server.Get<PersistentVolume>({"", claim.spec.volume_name});
  const auto& reserved = volume.spec.claim_ref;
  const bool mine = reserved && reserved->name == claim.metadata.name &&
                    (reserved->uid.empty() || reserved->uid == claim.metadata.uid);
  if (!mine) return false;
  volume.spec.claim_ref->uid = claim.metadata.uid;
  server.Put(volume);
  claim.status.phase = "Bound";
  server.Put(claim);
  return true;
}

bool RestoreWorld::Provision(PersistentVolumeClaim claim) {
  const bool from_snapshot = claim.spec.data_source.has_value();
  if (waits_for_consumer && !IsMounted(claim.metadata.name)) return false;
  if (from_snapshot && provisioning_fails) return false;
  PersistentVolume volume;
  volume.metadata = {.name = fmt::format("pv-{}", ++last_volume_),
                     .annotations = {{kData, from_snapshot ? "backup" : "blank"}}};
  volume.spec.claim_ref = {.ns = kNs, .name = claim.metadata.name, .uid = claim.metadata.uid};
  volume.spec.persistent_volume_reclaim_policy = "Delete";
  server.Put(volume);
  claim.spec.volume_name = volume.metadata.name;
  claim.status.phase = "Bound";
  server.Put(claim);
  return true;
}

bool RestoreWorld::BindClaims() {
  bool changed = false;
  for (const auto& claim : server.All<PersistentVolumeClaim>(kNs)) {
    if (claim.status.phase == "Bound" || claim.metadata.deletion_timestamp) continue;
    const bool bound = claim.spec.volume_name.empty() ? Provision(claim) : BindToReserved(claim);
    changed = changed || bound;
  }
  return changed;
}

bool RestoreWorld::ReleaseVolumes() {
  bool changed = false;
  for (const auto& volume : server.All<PersistentVolume>()) {
    const auto& claim = volume.spec.claim_ref;
    if (!claim || claim->uid.empty()) continue;
    const auto claims = server.All<PersistentVolumeClaim>(kNs);
    const bool used = std::ranges::any_of(
        claims, [&](const auto& item) { return item.metadata.uid == claim->uid; });
    if (used || volume.spec.persistent_volume_reclaim_policy != "Delete") continue;
    server.Remove<PersistentVolume>({"", volume.metadata.name});
    changed = true;
  }
  return changed;
}

std::string RestoreWorld::ClaimOfPod() {
  return kind_ == WorkloadKind::kStatefulSet ? "data-db-0" : ClaimInTemplate();
}

bool RestoreWorld::WouldBeReady(const std::string& claim) {
  const std::string data = DataOf(claim);
  if (data == "old") return !old_data_is_broken;
  return data == "backup" && !restored_data_is_broken;
}

// One pod at most, called after the claim that it mounts: another claim, another pod.
bool RestoreWorld::RunPods() {
  bool changed = false;
  const std::string claim = ClaimOfPod();
  const std::string wanted = Replicas() > 0 ? "db-on-" + claim : "";
  for (const auto& pod : server.All<api::Pod>(kNs)) {
    if (pod.metadata.labels != kPodLabels || pod.metadata.name == wanted) continue;
    server.Remove<api::Pod>({kNs, pod.metadata.name});
    changed = true;
  }
  if (wanted.empty()) return changed;
  const bool statefulset = kind_ == WorkloadKind::kStatefulSet;
  if (statefulset && !server.Exists<PersistentVolumeClaim>({kNs, claim})) {
    PersistentVolumeClaim blank = MakeClaim(claim);  // by the claim template
    blank.spec.volume_name.clear();
    blank.status.phase = "Pending";
    server.Put(blank);
    changed = true;
  }
  const bool ready = WouldBeReady(claim);
  api::Pod pod;
  pod.metadata = {.name = wanted, .ns = kNs, .labels = kPodLabels};
  pod.spec.volumes = {{.name = "data", .persistent_volume_claim = {{.claim_name = claim}}}};
  pod.spec.containers = {{.name = "db"}};
  pod.status.phase = ready ? "Running" : "Pending";
  pod.status.conditions = {{.type = "Ready", .status = ready ? "True" : "False", .reason = "x"}};
  if (server.Exists<api::Pod>({kNs, wanted}) &&
      server.Get<api::Pod>({kNs, wanted}).status == pod.status) {
    return changed;
  }
  server.Put(pod);
  return true;
}

bool RestoreWorld::ReportRollout() {
  const auto& resource = ResourceOf(kind_);
  const auto before = server.GetJson(resource, {kNs, kName});
  if (!before) return false;
  const auto pods = server.All<api::Pod>(kNs);
  std::int64_t ready = 0;
  std::int64_t all = 0;
  for (const auto& pod : pods) {
    if (pod.metadata.labels != kPodLabels) continue;
    ++all;
    if (pod.status.phase == "Running") ++ready;
  }
  auto now = *before;
  now.as_object()["status"] = {{"observedGeneration", now.at("metadata").at("generation")},
                               {"replicas", all},
                               {"updatedReplicas", all},
                               {"availableReplicas", ready}};
  if (now == *before) return false;
  server.PutJson(resource, now);
  return true;
}

// ---- what is the case ---------------------------------------------------------------------------

api::VolumeRestore RestoreWorld::restore() {
  return server.Get<api::VolumeRestore>({kNs, kRestore});
}

std::string RestoreWorld::ClaimInTemplate() {
  const auto deployment = server.Get<api::Deployment>({kNs, kName});
  return deployment.spec.template_.spec.volumes.at(1).persistent_volume_claim->claim_name;
}

std::int64_t RestoreWorld::Replicas() {
  const auto workload = server.GetJson(ResourceOf(kind_), {kNs, kName});
  return workload ? workload->at("spec").at("replicas").to_number<std::int64_t>() : 0;
}

std::string RestoreWorld::DataOf(const std::string& claim) {
  if (!server.Exists<PersistentVolumeClaim>({kNs, claim})) return "";
  const auto object = server.Get<PersistentVolumeClaim>({kNs, claim});
  if (object.status.phase != "Bound") return "";
  return server.Get<PersistentVolume>({"", object.spec.volume_name}).metadata.annotations.at(kData);
}

std::string RestoreWorld::PolicyOf(const std::string& claim) {
  const auto object = server.Get<PersistentVolumeClaim>({kNs, claim});
  return server.Get<PersistentVolume>({"", object.spec.volume_name})
      .spec.persistent_volume_reclaim_policy;
}

std::set<std::string> RestoreWorld::ClaimNames() {
  std::set<std::string> names;
  for (const auto& claim : server.All<PersistentVolumeClaim>(kNs)) {
    names.insert(claim.metadata.name);
  }
  return names;
}

bool RestoreWorld::OldVolumeExists() {
  return server.Exists<PersistentVolume>({"", old_volume_});
}

std::set<std::string> RestoreWorld::DataInUse() {
  std::set<std::string> data;
  for (const auto& pod : server.All<api::Pod>(kNs)) {
    if (pod.metadata.labels != kPodLabels) continue;
    data.insert(DataOf(pod.spec.volumes.at(0).persistent_volume_claim->claim_name));
  }
  return data;
}

std::vector<std::string> RestoreWorld::Reasons() const {
  std::vector<std::string> reasons;
  for (const auto& notice : notices) reasons.push_back(notice.reason);
  return reasons;
}

// ---- the controller -----------------------------------------------------------------------------

awaitable<restore::HookOutcome> RestoreWorld::RunHook(std::string /*ns*/, restore::PostHook hook) {
  restore::HookOutcome outcome{.succeeded = true};
  if (!hook_outcomes.empty()) {
    outcome = hook_outcomes.front();
    hook_outcomes.erase(hook_outcomes.begin());
  }
  outcome.on_error = hook.on_error;
  outcome.status.pod = hook.pod;
  hooks_run.push_back(std::move(hook));
  co_return outcome;
}

RestoreReconciler RestoreWorld::MakeReconciler() {
  return RestoreReconciler(
      {.client = client,
       .clock = clock,
       .run_hook = [this](
                       std::string ns,
                       restore::PostHook hook) { return RunHook(std::move(ns), std::move(hook)); },
       .notify = [this](const api::VolumeRestore&,
                        const restore::Notice& notice) { notices.push_back(notice); },
       .log = [](const api::VolumeRestore&, const restore::Action&) {},
       .may_act = [] { return true; }});
}

bool RestoreWorld::RunToEnd() {
  for (int pass = 0; pass < 3000; ++pass) {
    auto reconciler = MakeReconciler();
    std::chrono::milliseconds wait{1000};
    try {
      const auto result = clock.Run(reconciler.Reconcile({kNs, kRestore}));
      if (result && !result->after) return true;
      if (result) wait = *result->after;
    } catch (const Killed&) {
      continue;
    }
    clock.Advance(wait);
    Settle();
  }
  return false;
}

}  // namespace stillpoint::controllers
