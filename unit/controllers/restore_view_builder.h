// Views for tests of restore plans: a Deployment "db" on claim "data", and its Completed backup.
// Tests change one thing.
#pragma once

#include "api/quantity.h"
#include "controllers/restore_names.h"
#include "controllers/restore_view.h"

#include <chrono>
#include <string>

namespace stillpoint::controllers::restore {

inline constexpr api::Time kNow{std::chrono::sys_days(std::chrono::November / 21 / 2026)};
inline constexpr char kUid[] = "r-1";

inline api::VolumeStatus BackedUp(const std::string& claim) {
  return {.claim = claim,
          .claim_uid = claim + "-uid",
          .source = {.storage_class_name = "fast",
                     .access_modes = {"ReadWriteOnce"},
                     .volume_mode = "Filesystem",
                     .size = "1Gi",
                     .labels = {{"app", "db"}}},
          .snapshot_name = claim + "-snap",
          .snapshot_uid = claim + "-snap-uid",
          .size = "1Gi"};
}

inline api::VolumeBackup Backup(const std::string& name, api::Time completed = kNow) {
  api::VolumeBackup backup;
  backup.metadata = {.name = name, .ns = "shop", .uid = name + "-uid"};
  backup.status.phase = api::BackupPhase::kCompleted;
  backup.status.consistency = api::Consistency::kApplication;
  backup.status.application = {.kind = "Deployment", .name = "db", .uid = "w"};
  backup.status.completion_time = completed;
  backup.status.volumes = {BackedUp("data")};
  return backup;
}

inline ClaimView Claim(const std::string& name) {
  return {.name = name,
          .uid = name + "-uid",
          .phase = "Bound",
          .volume = "pv-" + name,
          .source = BackedUp(name).source};
}

inline Workload Deployment() {
  Workload workload{.kind = WorkloadKind::kDeployment};
  workload.metadata = {
      .name = "db", .ns = "shop", .uid = "w", .resource_version = "7", .generation = 3};
  workload.selector = api::LabelSelector{.match_labels = {{"app", "db"}}};
  workload.claim_volumes = {{.name = "data", .claim = "data", .index = 1}};
  workload.replicas = 1;
  workload.rollout = {
      .observed_generation = 3, .desired = 1, .replicas = 1, .updated = 1, .available = 1};
  return workload;
}

inline PodView Pod(const std::string& name, const std::string& claim) {
  return {.name = name,
          .uid = name + "-uid",
          .labels = {{"app", "db"}},
          .claims = {claim},
          .ready = true,
          .containers = {"db"}};
}

// A restore of backup "nightly" that has not begun.
inline View Fresh(api::RestoreStrategy strategy = api::RestoreStrategy::kRepoint) {
  View view;
  view.restore.metadata = {.name = "back", .ns = "shop", .uid = kUid, .generation = 1};
  view.restore.spec.backup_ref = "nightly";
  view.restore.spec.strategy = strategy;
  view.backups = {Backup("nightly")};
  view.workload = Deployment();
  view.claims = {{"data", Claim("data")}};
  view.pods = {Pod("db-1", "data")};
  view.snapshots = {
      {"data-snap",
       {.name = "data-snap", .uid = "data-snap-uid", .ready = true, .restore_size = "1Gi"}}};
  view.volumes = {{"pv-data",
                   {.name = "pv-data",
                    .resource_version = "9",
                    .reclaim_policy = "Delete",
                    .claim = "data",
                    .claim_uid = "data-uid"}}};
  view.classes = {{"fast", StorageClassView{}}};
  return view;
}

}  // namespace stillpoint::controllers::restore
