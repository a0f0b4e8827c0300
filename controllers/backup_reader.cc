#include "controllers/backup_reader.h"

#include "api/core.h"
#include "api/labels.h"
#include "api/snapshot.h"
#include "controllers/backup_names.h"
#include "controllers/workload_client.h"

#include <algorithm>
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
                 .terminating = pod.metadata.deletion_timestamp.has_value()};
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

bool MountsAny(const api::Pod& pod, const std::vector<std::string>& claims) {
  return std::ranges::any_of(pod.spec.volumes, [&](const api::Volume& volume) {
    return volume.persistent_volume_claim &&
           std::ranges::find(claims, volume.persistent_volume_claim->claim_name) != claims.end();
  });
}

struct Group {
  std::optional<api::ApplicationStatus> application;
  std::map<std::string, std::string> annotations;
  std::vector<api::Pod> pods;
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
              .annotations = workload->metadata.annotations};
  if (ref->kind == WorkloadKind::kPod) {
    auto pod = co_await kube::Get<api::Pod>(client, {ns, ref->name});
    if (!pod) co_return pod.error();
    group.pods.push_back(std::move(*pod));
    co_return group;
  }
  auto pods = co_await kube::List<api::Pod>(
      client, {.ns = ns, .label_selector = api::FormatSelector(*workload->selector)});
  if (!pods) co_return pods.error();
  group.pods = std::move(pods->items);
  co_return group;
}

// The pods of an application, of a selector, or those that mount the named claims.
awaitable<api::Result<Group>> ReadPods(kube::Client& client, api::VolumeBackup backup) {
  const std::string& ns = backup.metadata.ns;
  if (!backup.spec.application_ref.empty()) {
    co_return co_await ReadWorkloadGroup(client, ns, backup.spec.application_ref);
  }
  const std::string selector =
      backup.spec.selector ? api::FormatSelector(*backup.spec.selector) : std::string();
  auto pods = co_await kube::List<api::Pod>(client, {.ns = ns, .label_selector = selector});
  if (!pods) co_return pods.error();
  Group group{.pods = std::move(pods->items)};
  if (!backup.spec.selector) {
    std::erase_if(group.pods,
                  [&](const api::Pod& pod) { return !MountsAny(pod, backup.spec.claims); });
  }
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
  std::set<std::string> claims(backup.spec.claims.begin(), backup.spec.claims.end());
  for (const api::Pod& pod : group->pods) {
    facts.pods.push_back(FactsOf(pod));
    if (!backup.spec.claims.empty()) continue;
    claims.insert(facts.pods.back().claims.begin(), facts.pods.back().claims.end());
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
                                               std::vector<std::string> known_pods) {
  GroupRecheck recheck;
  auto group = co_await ReadPods(client, backup);
  if (!group) {
    if (!IsAnswer(group.error())) co_return group.error();
    recheck.error = std::move(group.error().message);
    co_return recheck;
  }
  for (const api::Pod& pod : group->pods) {
    const bool known = std::ranges::find(known_pods, pod.metadata.uid) != known_pods.end();
    // A pod that runs nothing yet has written nothing.
    if (!known && pod.status.phase == "Running") recheck.newcomers.push_back(pod.metadata.name);
    for (const api::ContainerStatus& status : pod.status.container_statuses) {
      if (!status.state.running) continue;
      recheck.containers[pod.metadata.uid][status.name] = status.container_id;
    }
  }
  co_return recheck;
}

}  // namespace stillpoint::controllers
