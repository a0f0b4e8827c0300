// VolumeRestore: brings the data of one VolumeBackup back.
#pragma once

#include "api/meta.h"
#include "api/resource.h"
#include "api/volume_backup.h"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::api {

enum class RestoreStrategy {
  kRepoint,    // new claims; the pod template is patched to them
  kReplace,    // the same claim names, with the old volume kept under another claim
  kClaimsOnly  // new claims and nothing else
};
BOOST_DESCRIBE_ENUM(RestoreStrategy, kRepoint, kReplace, kClaimsOnly)

enum class OnFailure { kRollback, kLeave };
BOOST_DESCRIBE_ENUM(OnFailure, kRollback, kLeave)

// ---- spec -------------------------------------------------------------------------------------

// The newest Completed backup of an application, at or before an instant.
struct RestoreSource {
  std::string application_ref;
  std::optional<Time> as_of;
  bool latest = false;
  bool operator==(const RestoreSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(RestoreSource, (), (application_ref, as_of, latest))

// A claim and a VolumeSnapshot put together by hand.
struct RestoreClaim {
  std::string claim;
  std::string snapshot;
  std::string new_name;
  bool operator==(const RestoreClaim&) const = default;
};
BOOST_DESCRIBE_STRUCT(RestoreClaim, (), (claim, snapshot, new_name))

// A command in the restored pods, once they are ready.
struct RestoreHook {
  std::string name;
  std::optional<LabelSelector> pod_selector;
  std::string container;
  std::vector<std::string> command;
  std::string shell;
  std::optional<Duration> timeout;
  OnError on_error = OnError::kFail;
  bool operator==(const RestoreHook&) const = default;
};
BOOST_DESCRIBE_STRUCT(RestoreHook, (),
                      (name, pod_selector, container, command, shell, timeout, on_error))

struct VolumeRestoreSpec {
  std::string backup_ref;
  std::optional<RestoreSource> source;
  std::vector<RestoreClaim> claims;
  std::string application_ref;
  RestoreStrategy strategy = RestoreStrategy::kRepoint;
  OnFailure on_failure = OnFailure::kRollback;
  DeletionPolicy old_claims = DeletionPolicy::kRetain;
  Duration rollout_timeout{std::chrono::minutes(10)};
  std::string storage_class_name;
  std::vector<std::string> access_modes;
  std::string size;
  std::vector<RestoreHook> post_hooks;
  bool operator==(const VolumeRestoreSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeRestoreSpec, (),
                      (backup_ref, source, claims, application_ref, strategy, on_failure,
                       old_claims, rollout_timeout, storage_class_name, access_modes, size,
                       post_hooks))

// ---- status -----------------------------------------------------------------------------------

enum class RestorePhase {
  kPending,
  kResolving,
  kCreatingClaims,
  kStopping,
  kRepointing,
  kWaitingRollout,
  kRunningHooks,
  kCompleted,
  kRollingBack,
  kRolledBack,
  kFailed
};
BOOST_DESCRIBE_ENUM(RestorePhase, kPending, kResolving, kCreatingClaims, kStopping, kRepointing,
                    kWaitingRollout, kRunningHooks, kCompleted, kRollingBack, kRolledBack, kFailed)

// The backup that was picked, once and for good.
struct PinnedBackup {
  std::string name;
  std::string uid;
  bool operator==(const PinnedBackup&) const = default;
};
BOOST_DESCRIBE_STRUCT(PinnedBackup, (), (name, uid))

// One claim of the restore, and for Replace each step of the exchange of its volume.
struct RestoredClaim {
  std::string old;  // the claim's name before
  std::string old_uid;
  std::string new_;  // the restored claim's name; Replace: equals `old`
  std::string new_uid;
  std::string snapshot;
  std::string snapshot_uid;
  std::string size;    // quantity that the new claim asks for
  ClaimSource source;  // of the new claim
  bool bound = false;

  // Replace only. The old claim as it was, for a rollback to make it again.
  ClaimSource old_source;
  std::map<std::string, std::string> old_annotations;
  std::string kept;  // the claim that holds the old volume meanwhile
  std::string kept_uid;
  std::string old_volume;          // PersistentVolume of the old claim
  std::string old_reclaim_policy;  // what it was before we set Retain
  bool operator==(const RestoredClaim&) const = default;
};
BOOST_DESCRIBE_STRUCT(RestoredClaim, (),
                      (old, old_uid, new_, new_uid, snapshot, snapshot_uid, size, source, bound,
                       old_source, old_annotations, kept, kept_uid, old_volume, old_reclaim_policy))

// A volume of the pod template that points to another claim now.
struct TemplateVolume {
  std::string name;
  std::string claim_name;
  bool operator==(const TemplateVolume&) const = default;
};
BOOST_DESCRIBE_STRUCT(TemplateVolume, (), (name, claim_name))

// The workload's fields before the first change: what a rollback writes back.
struct WorkloadBefore {
  std::string kind;
  std::string name;
  std::string uid;
  std::int64_t generation = 0;
  std::optional<std::int64_t> replicas;
  std::vector<TemplateVolume> volumes;
  bool operator==(const WorkloadBefore&) const = default;
};
BOOST_DESCRIBE_STRUCT(WorkloadBefore, (), (kind, name, uid, generation, replicas, volumes))

struct VolumeRestoreStatus {
  RestorePhase phase = RestorePhase::kPending;
  std::string reason;
  std::string backup_name;   // the BACKUP column
  std::string target;        // "deployment/mysql"; the TARGET column
  std::string claims_bound;  // "2/3"; the CLAIMS column
  std::optional<PinnedBackup> backup;
  std::optional<WorkloadBefore> workload;
  std::vector<RestoredClaim> claims;
  std::vector<HookStatus> hooks;
  std::string failure_reason;  // why a rollback began: kept until the end
  std::string failure_message;
  std::optional<Time> rollout_deadline;
  std::optional<Time> start_time;
  std::optional<Time> completion_time;
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;
  bool operator==(const VolumeRestoreStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeRestoreStatus, (),
                      (phase, reason, backup_name, target, claims_bound, backup, workload, claims,
                       hooks, failure_reason, failure_message, rollout_deadline, start_time,
                       completion_time, observed_generation, conditions))

struct VolumeRestore {
  static constexpr Resource kResource{kGroup, kVersion, "VolumeRestore", "volumerestores"};

  ObjectMeta metadata;
  VolumeRestoreSpec spec;
  VolumeRestoreStatus status;
  bool operator==(const VolumeRestore&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeRestore, (), (metadata, spec, status))

}  // namespace stillpoint::api
