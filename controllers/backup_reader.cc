#include "controllers/backup_reader.h"

#include "api/core.h"
#include "api/labels.h"
#include "api/snapshot.h"
#include "controllers/backup_names.h"
#include "controllers/workload_client.h"

#include <algorithm>
#include <concepts>
#include <set>
#include <utility>

namespace stillpoint::controllers {

using boost::asio::awaitable;

namespace {

constexpr char kDefaultClassAnnotation[] = "snapshot.storage.kubernetes.io/is-default-class";

// Errors that say something about the application, and that no retry mends.
bool IsAnswer(const api::Error& error) {
  return error.code == api::Code::kNotFound || error.code == api::Code::kForbidden ||
         error.code == api::Code::kInvalid;
}

GroupPod FactsOf(const api::Pod& pod) {
  GroupPod facts{.hook = {.name = pod.metadata.name,
                          .uid = pod.metadata.uid,
                          .annotations = pod.metadata.annotations,
                          .labels = pod.metadata.labels},
                 .phase = pod.status.phase,
                 .goes_by = pod.metadata.deletion_timestamp};
  for (const api::Container& container : pod.spec.containers) {
    facts.hook.containers.push_back(container.name);
  }
  for (const api::Volume& volume : pod.spec.volumes) {
    if (volume.persistent_volume_claim) {
      facts.claims.push_back(volume.persistent_volume_claim->claim_name);
    }
    if (volume.ephemeral) facts.ephemeral_volumes.push_back(volume.name);
  }
  return facts;
}

bool Writes(const api::Container& container, const std::string& volume) {
  return std::ranges::any_of(container.volume_mounts,
                             [&](const api::VolumeMount& mount) {
                               return mount.name == volume && !mount.read_only;
                             }) ||
         std::ranges::find(container.volume_devices, volume, &api::VolumeDevice::name) !=
             container.volume_devices.end();
}

// The claims that a container of the pod may write to.
std::vector<std::string> WritableClaims(const api::Pod& pod) {
  std::vector<std::string> claims;
  for (const api::Volume& volume : pod.spec.volumes) {
    const auto& claim = volume.persistent_volume_claim;
    if (!claim || claim->read_only) continue;
    const auto writes = [&](const api::Container& c) { return Writes(c, volume.name); };
    if (std::ranges::any_of(pod.spec.containers, writes) ||
        std::ranges::any_of(pod.spec.init_containers, writes)) {
      claims.push_back(claim->claim_name);
    }
  }
  return claims;
}

bool MayWriteTo(const api::Pod& pod, const std::set<std::string>& claims) {
  return std::ranges::any_of(WritableClaims(pod),
                             [&](const std::string& claim) { return claims.contains(claim); });
}

// A pod whose first container has not begun has written nothing. One that was refused by its node
// has failed without any.
bool HasRun(const api::Pod& pod) {
  const auto begun = [](const api::ContainerStatus& status) {
    return status.state.running || status.state.terminated;
  };
  return (pod.status.phase != "Pending" && pod.status.phase != "Failed") ||
         std::ranges::any_of(pod.status.init_container_statuses, begun) ||
         std::ranges::any_of(pod.status.container_statuses, begun);
}

bool MountsAny(const api::Pod& pod, const std::vector<std::string>& claims) {
  return std::ranges::any_of(pod.spec.volumes, [&](const api::Volume& volume) {
    return volume.persistent_volume_claim &&
           std::ranges::find(claims, volume.persistent_volume_claim->claim_name) != claims.end();
  });
}

struct Group {
  std::optional<api::ApplicationStatus> application;
  std::map<std::string, std::string> annotations;
  std::int64_t generation = 0;
  std::vector<api::Pod> pods;
  std::vector<api::Pod> others;  // of the same namespace

  template <std::predicate<const api::Pod&> Belongs>
  void Take(std::vector<api::Pod> all, const Belongs& belongs) {
    for (api::Pod& pod : all) (belongs(pod) ? pods : others).push_back(std::move(pod));
  }
};

awaitable<api::Result<Group>> ReadWorkloadGroup(kube::Client& client, std::string ns,
                                                std::string application_ref) {
  const auto ref = ParseApplicationRef(application_ref);
  if (!ref) co_return ref.error();
  auto workload = co_await GetWorkload(client, ns, *ref);
  if (!workload) co_return workload.error();
  Group group{.application = api::ApplicationStatus{.kind = std::string(ToString(ref->kind)),
                                                    .name = ref->name,
                                                    .uid = workload->metadata.uid},
              .annotations = workload->metadata.annotations,
              .generation = workload->metadata.generation};
  auto pods = co_await kube::List<api::Pod>(client, {.ns = ns});
  if (!pods) co_return pods.error();
  group.Take(std::move(pods->items), [&](const api::Pod& pod) {
    if (ref->kind == WorkloadKind::kPod) return pod.metadata.name == ref->name;
    return api::Matches(*workload->selector, pod.metadata.labels);
  });
  co_return group;
}

// The pods of an application, of a selector, or those that mount the named claims. All of the
// namespace are listed: another may write to the same claims.
awaitable<api::Result<Group>> ReadPods(kube::Client& client, api::VolumeBackup backup) {
  const std::string& ns = backup.metadata.ns;
  if (!backup.spec.application_ref.empty()) {
    co_return co_await ReadWorkloadGroup(client, ns, backup.spec.application_ref);
  }
  auto pods = co_await kube::List<api::Pod>(client, {.ns = ns});
  if (!pods) co_return pods.error();
  Group group;
  group.Take(std::move(pods->items), [&](const api::Pod& pod) {
    return backup.spec.selector ? api::Matches(*backup.spec.selector, pod.metadata.labels)
                                : MountsAny(pod, backup.spec.claims);
  });
  co_return group;
}

void AddClaim(ClaimFacts* facts, const api::PersistentVolumeClaim& claim) {
  facts->found = true;
  facts->uid = claim.metadata.uid;
  facts->phase = claim.status.phase;
  facts->terminating = claim.metadata.deletion_timestamp.has_value();
  facts->source = {.storage_class_name = claim.spec.storage_class_name.value_or(""),
                   .access_modes = claim.spec.access_modes,
                   .volume_mode = claim.spec.volume_mode,
                   .labels = claim.metadata.labels};
  if (const auto size = claim.spec.resources.requests.find("storage");
      size != claim.spec.resources.requests.end()) {
    facts->source.size = size->second.text();
  }
  if (const auto name = claim.metadata.annotations.find(kSnapshotClassAnnotation);
      name != claim.metadata.annotations.end()) {
    facts->class_annotation = name->second;
  }
}

awaitable<api::Result<ClaimFacts>> ReadClaim(kube::Client& client, std::string ns,
                                             std::string name) {
  ClaimFacts facts{.name = name};
  auto claim = co_await kube::Get<api::PersistentVolumeClaim>(client, {ns, name});
  if (!claim) {
    if (claim.error().code == api::Code::kNotFound) co_return facts;
    co_return claim.error();
  }
  AddClaim(&facts, *claim);
  if (claim->spec.volume_name.empty()) co_return facts;
  auto volume = co_await kube::Get<api::PersistentVolume>(client, {"", claim->spec.volume_name});
  if (!volume) {
    if (volume.error().code == api::Code::kNotFound) co_return facts;
    co_return volume.error();
  }
  if (volume->spec.csi) {
    facts.driver = volume->spec.csi->driver;
    facts.volume_handle = volume->spec.csi->volume_handle;
  }
  co_return facts;
}

awaitable<api::Result<void>> ReadClasses(kube::Client& client, ResolveFacts* facts) {
  auto classes = co_await kube::List<api::VolumeSnapshotClass>(client, {});
  if (!classes) {
    if (!IsAnswer(classes.error())) co_return classes.error();
    facts->classes_error = std::move(classes.error());
    co_return api::Result<void>();
  }
  for (const api::VolumeSnapshotClass& c : classes->items) {
    const auto mark = c.metadata.annotations.find(kDefaultClassAnnotation);
    facts->classes.push_back(
        {.name = c.metadata.name,
         .driver = c.driver,
         .is_default = mark != c.metadata.annotations.end() && mark->second == "true"});
  }
  co_return api::Result<void>();
}

}  // namespace

awaitable<api::Result<ResolveFacts>> ReadResolveFacts(kube::Client& client,
                                                      api::VolumeBackup backup) {
  ResolveFacts facts;
  auto group = co_await ReadPods(client, backup);
  if (!group) {
    if (!IsAnswer(group.error())) co_return group.error();
    facts.workload_error = std::move(group.error());
    co_return facts;
  }
  facts.application = std::move(group->application);
  facts.workload_annotations = std::move(group->annotations);
  facts.generation = group->generation;
  std::set<std::string> claims(backup.spec.claims.begin(), backup.spec.claims.end());
  for (const api::Pod& pod : group->pods) {
    facts.pods.push_back(FactsOf(pod));
    if (!backup.spec.claims.empty()) continue;
    claims.insert(facts.pods.back().claims.begin(), facts.pods.back().claims.end());
  }
  for (const api::Pod& pod : group->others) {
    if (api::HasEnded(pod.status.phase)) continue;
    facts.others.push_back({.name = pod.metadata.name, .claims = WritableClaims(pod)});
  }
  for (const auto* pods : {&group->pods, &group->others}) {
    for (const api::Pod& pod : *pods) facts.seen.insert(pod.metadata.uid);
  }
  for (const std::string& name : claims) {
    auto claim = co_await ReadClaim(client, backup.metadata.ns, name);
    if (!claim) {
      if (!IsAnswer(claim.error())) co_return claim.error();
      facts.workload_error = std::move(claim.error());
      co_return facts;
    }
    facts.claims.push_back(std::move(*claim));
  }
  if (auto read = co_await ReadClasses(client, &facts); !read) co_return read.error();
  co_return facts;
}

awaitable<api::Result<GroupRecheck>> ReadGroup(kube::Client& client, api::VolumeBackup backup,
                                               ResolveFacts before) {
  GroupRecheck recheck;
  auto group = co_await ReadPods(client, backup);
  if (!group) {
    if (!IsAnswer(group.error())) co_return group.error();
    recheck.error = std::move(group.error().message);
    co_return recheck;
  }
  const auto is_new = [&](const api::Pod& pod) {
    return HasRun(pod) && !before.seen.contains(pod.metadata.uid);
  };
  for (const api::Pod& pod : group->pods) {
    if (is_new(pod)) recheck.newcomers.push_back(pod.metadata.name);
    for (const api::ContainerStatus& status : pod.status.container_statuses) {
      if (!status.state.running) continue;
      recheck.containers[pod.metadata.uid][status.name] = status.container_id;
    }
  }
  recheck.changed = group->generation != before.generation;
  std::set<std::string> claims;
  for (const api::VolumeStatus& volume : backup.status.volumes) claims.insert(volume.claim);
  for (const api::Pod& pod : group->others) {
    if (is_new(pod) && MayWriteTo(pod, claims)) recheck.newcomers.push_back(pod.metadata.name);
  }
  co_return recheck;
}

}  // namespace stillpoint::controllers
