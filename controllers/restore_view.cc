#include "controllers/restore_view.h"

#include "api/conditions.h"
#include "controllers/restore_names.h"

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

std::string ValueOf(const std::map<std::string, std::string>& map, const char* key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : found->second;
}

std::string WaitingReason(const api::Pod& pod) {
  for (const auto& container : pod.status.container_statuses) {
    if (container.state.waiting) return container.state.waiting->reason;
  }
  return pod.status.phase == "Pending" ? "Pending" : "";
}

}  // namespace

ClaimView ViewOf(const api::PersistentVolumeClaim& claim) {
  const auto& spec = claim.spec;
  const auto request = spec.resources.requests.find("storage");
  return {.name = claim.metadata.name,
          .uid = claim.metadata.uid,
          .phase = claim.status.phase,
          .terminating = claim.metadata.deletion_timestamp.has_value(),
          .volume = spec.volume_name,
          .source = {.storage_class_name = spec.storage_class_name.value_or(""),
                     .access_modes = spec.access_modes,
                     .volume_mode = spec.volume_mode,
                     .size = request == spec.resources.requests.end() ? "" : request->second.text(),
                     .labels = claim.metadata.labels},
          .annotations = claim.metadata.annotations,
          .restore_uid = ValueOf(claim.metadata.labels, kRestoreUidLabel)};
}

VolumeView ViewOf(const api::PersistentVolume& volume) {
  VolumeView view{.name = volume.metadata.name,
                  .resource_version = volume.metadata.resource_version,
                  .reclaim_policy = volume.spec.persistent_volume_reclaim_policy};
  if (const auto& claim = volume.spec.claim_ref) {
    view.claim = claim->name;
    view.claim_uid = claim->uid;
  }
  return view;
}

SnapshotView ViewOf(const api::VolumeSnapshot& snapshot) {
  const auto& status = snapshot.status;
  return {.name = snapshot.metadata.name,
          .uid = snapshot.metadata.uid,
          .terminating = snapshot.metadata.deletion_timestamp.has_value(),
          .ready = status.ready_to_use.value_or(false),
          .restore_size = status.restore_size ? status.restore_size->text() : std::string(),
          .error = status.error ? status.error->message : std::string()};
}

PodView ViewOf(const api::Pod& pod) {
  PodView view{.name = pod.metadata.name,
               .uid = pod.metadata.uid,
               .labels = pod.metadata.labels,
               .finished = api::HasEnded(pod.status.phase),
               .terminating = pod.metadata.deletion_timestamp.has_value(),
               .default_container =
                   ValueOf(pod.metadata.annotations, "kubectl.kubernetes.io/default-container"),
               .waiting = WaitingReason(pod)};
  view.ready = !view.terminating && api::IsTrue(pod.status.conditions, "Ready");
  for (const auto& volume : pod.spec.volumes) {
    if (volume.persistent_volume_claim) {
      view.claims.push_back(volume.persistent_volume_claim->claim_name);
    }
  }
  for (const auto& container : pod.spec.containers) view.containers.push_back(container.name);
  return view;
}

}  // namespace stillpoint::controllers::restore
