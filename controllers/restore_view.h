// View: what one pass of the restore controller sees. Plain facts, read past any cache, so that a
// plan never acts on a claim or a template that is no longer so.
#pragma once

#include "api/core.h"
#include "api/error.h"
#include "api/snapshot.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "controllers/workload.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

struct ClaimView {
  std::string name;
  std::string uid;
  std::string phase;  // Pending, Bound, Lost
  bool terminating = false;
  std::string volume;  // spec.volumeName
  api::ClaimSource source;
  std::map<std::string, std::string> annotations;
  std::string restore_uid;  // label: the restore that made it; empty: none did
  bool operator==(const ClaimView&) const = default;
};

struct VolumeView {
  std::string name;
  std::string resource_version;
  std::string reclaim_policy;
  std::string claim;  // spec.claimRef
  std::string claim_uid;
  bool operator==(const VolumeView&) const = default;
};

struct SnapshotView {
  std::string name;
  std::string uid;
  bool terminating = false;
  bool ready = false;
  std::string restore_size;  // quantity; empty: not known
  std::string error;
  bool operator==(const SnapshotView&) const = default;
};

struct PodView {
  std::string name;
  std::string uid;
  std::map<std::string, std::string> labels;
  std::vector<std::string> claims;
  bool finished =
      false;           // Succeeded or Failed: writes no more, but its claims wait for its deletion
  bool ready = false;  // condition Ready, and not being deleted
  bool terminating = false;
  std::string default_container;        // annotation kubectl.kubernetes.io/default-container
  std::vector<std::string> containers;  // of the spec, in order
  std::string waiting;                  // why a container does not run: CrashLoopBackOff, …
  bool operator==(const PodView&) const = default;
};

struct StorageClassView {
  bool waits_for_consumer = false;  // volumeBindingMode: WaitForFirstConsumer
  bool operator==(const StorageClassView&) const = default;
};

struct View {
  api::VolumeRestore restore;

  // All of the namespace.
  std::vector<api::VolumeBackup> backups;
  std::vector<api::VolumeRestore> restores;
  std::map<std::string, ClaimView> claims;
  std::vector<PodView> pods;

  // By name, those that matter here.
  std::map<std::string, SnapshotView> snapshots;
  std::map<std::string, VolumeView> volumes;

  // Empty: there is no such class. A class that is not in here at all could not be read, and how it
  // binds is not known.
  std::map<std::string, std::optional<StorageClassView>> classes;

  // The target. Empty: the restore has none (ClaimsOnly), or there is no such object.
  std::optional<Workload> workload;

  // Why a part could not be read (Forbidden, or the API is absent), with the kind in the message.
  std::optional<api::Error> snapshots_error;
  std::optional<api::Error> volumes_error;
};

[[nodiscard]] ClaimView ViewOf(const api::PersistentVolumeClaim& claim);
[[nodiscard]] VolumeView ViewOf(const api::PersistentVolume& volume);
[[nodiscard]] SnapshotView ViewOf(const api::VolumeSnapshot& snapshot);
[[nodiscard]] PodView ViewOf(const api::Pod& pod);

[[nodiscard]] inline bool Mounts(const PodView& pod, const std::string& claim) {
  return std::ranges::find(pod.claims, claim) != pod.claims.end();
}

// The old claims make room: their names are those of the new ones.
[[nodiscard]] inline bool IsReplace(const View& view) {
  return view.restore.spec.strategy == api::RestoreStrategy::kReplace;
}

// Null when there is none.
[[nodiscard]] inline const ClaimView* FindClaim(const View& view, const std::string& name) {
  const auto found = view.claims.find(name);
  return found == view.claims.end() ? nullptr : &found->second;
}
[[nodiscard]] inline const VolumeView* FindVolume(const View& view, const std::string& name) {
  const auto found = view.volumes.find(name);
  return found == view.volumes.end() ? nullptr : &found->second;
}
[[nodiscard]] inline const SnapshotView* FindSnapshot(const View& view, const std::string& name) {
  const auto found = view.snapshots.find(name);
  return found == view.snapshots.end() ? nullptr : &found->second;
}

// The workload that the restore has recorded; null when it is gone, or another by the same name.
[[nodiscard]] inline const Workload* FindTarget(const View& view) {
  const auto& recorded = view.restore.status.workload;
  if (!recorded || !view.workload || view.workload->metadata.uid != recorded->uid) return nullptr;
  return &*view.workload;
}

}  // namespace stillpoint::controllers::restore
