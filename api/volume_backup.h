// VolumeBackup: one backup of one application, asked for by a person or a schedule.
#pragma once

#include "api/meta.h"
#include "api/resource.h"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::api {

inline constexpr std::string_view kGroup = "backups.example.com";
inline constexpr std::string_view kVersion = "v1alpha1";

enum class OnError { kFail, kContinue };
BOOST_DESCRIBE_ENUM(OnError, kFail, kContinue)

// How a hook keeps the application still between its two halves.
enum class HookMode {
  kCommand,  // by what the command leaves behind when it has ended
  kHeld      // by running: its stdin is the switch, see hooks/hold_script.h
};
BOOST_DESCRIBE_ENUM(HookMode, kCommand, kHeld)

// The built-in profiles: hooks/profile.h. Here, as the schema names them.
inline constexpr std::array<std::string_view, 4> kQuiesceProfiles{"fsfreeze", "mariadb", "mysql",
                                                                  "sqlite"};

enum class OnInconsistent { kFail, kKeep };
BOOST_DESCRIBE_ENUM(OnInconsistent, kFail, kKeep)

enum class DeletionPolicy { kRetain, kDelete };
BOOST_DESCRIBE_ENUM(DeletionPolicy, kRetain, kDelete)

// ---- spec -------------------------------------------------------------------------------------

// A pre- and a post-hook for the pods that `pod_selector` picks (all when absent).
struct HookSpec {
  std::string name;
  std::optional<LabelSelector> pod_selector;
  std::string container;                  // empty: default-container annotation, else the first
  std::vector<std::string> command;       // argv; or
  std::string shell;                      // for /bin/sh -c
  std::vector<std::string> post_command;  // argv; or
  std::string post_shell;
  std::optional<Duration> timeout;
  OnError on_error = OnError::kFail;
  HookMode mode = HookMode::kCommand;
  std::int64_t weight = 0;  // lower ones freeze first
  bool operator==(const HookSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(HookSpec, (),
                      (name, pod_selector, container, command, shell, post_command, post_shell,
                       timeout, on_error, mode, weight))

struct VolumeBackupSpec {
  std::string application_ref;
  std::optional<LabelSelector> selector;
  std::vector<std::string> claims;
  std::vector<HookSpec> hooks;
  std::string quiesce;       // instead of hooks: the name of a profile, for every pod
  std::string quiesce_path;  // what the profile freezes, for those that need to be told
  Duration max_freeze{std::chrono::seconds(30)};
  std::string volume_snapshot_class_name;
  OnInconsistent on_inconsistent = OnInconsistent::kFail;
  Duration ready_timeout{std::chrono::minutes(10)};
  DeletionPolicy deletion_policy = DeletionPolicy::kRetain;
  std::optional<Duration> ttl;
  bool cancel = false;
  bool operator==(const VolumeBackupSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeBackupSpec, (),
                      (application_ref, selector, claims, hooks, quiesce, quiesce_path, max_freeze,
                       volume_snapshot_class_name, on_inconsistent, ready_timeout, deletion_policy,
                       ttl, cancel))

// ---- status -----------------------------------------------------------------------------------

enum class BackupPhase {
  kPending,
  kFreezing,
  kCutting,
  kThawing,
  kWaitingReady,
  kCompleted,
  kPartiallyFailed,
  kFailed,
  kCancelled
};
BOOST_DESCRIBE_ENUM(BackupPhase, kPending, kFreezing, kCutting, kThawing, kWaitingReady, kCompleted,
                    kPartiallyFailed, kFailed, kCancelled)

// What the snapshots are worth.
enum class Consistency {
  kApplication,  // every volume was cut while every pod was still
  kCrash         // as after a power cut, each volume at its own instant
};
BOOST_DESCRIBE_ENUM(Consistency, kApplication, kCrash)

// The workload that was resolved. Empty kind: by selector or by claims.
struct ApplicationStatus {
  std::string kind;
  std::string name;
  std::string uid;
  bool operator==(const ApplicationStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(ApplicationStatus, (), (kind, name, uid))

// The life of one entry of the freeze journal:
//   Intended -> Frozen -> Thawed | Gone | Lost
// A thaw is owed in Intended and Frozen: a freeze that was only intended may still arrive.
enum class FreezeState {
  kIntended,  // written before the pre-hook is sent
  kFrozen,    // the pre-hook has confirmed
  kThawed,    // the post-hook has confirmed
  kGone,      // the pod with this UID no longer exists
  kLost       // not confirmed, and given up after every retry: a person must look
};
BOOST_DESCRIBE_ENUM(FreezeState, kIntended, kFrozen, kThawed, kGone, kLost)

// One container to freeze and to thaw. Holds all that the thaw needs, as the pod's template, the
// workload and the spec may be gone or changed by then.
struct FreezeTarget {
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::string hook;  // its name in spec.hooks, or the annotation key
  HookMode mode = HookMode::kCommand;
  std::int64_t weight = 0;
  bool guarded = false;                   // the command ends when its stream drops
  bool session_lock = false;              // takes a lock that ends with its client: no still point
  std::vector<std::string> pre_command;   // argv, as sent
  std::vector<std::string> post_command;  // argv, as sent; empty: nothing thaws this target, or
                                          // the end of its holder does
  Duration timeout{};
  OnError on_error = OnError::kFail;
  FreezeState state = FreezeState::kIntended;
  std::optional<Time> frozen_at;
  std::optional<Time> thawed_at;
  std::int64_t thaw_attempts = 0;
  bool operator==(const FreezeTarget&) const = default;
};
BOOST_DESCRIBE_STRUCT(FreezeTarget, (),
                      (pod, pod_uid, container, hook, mode, weight, guarded, session_lock,
                       pre_command, post_command, timeout, on_error, state, frozen_at, thawed_at,
                       thaw_attempts))

// The freeze journal.
struct FreezeStatus {
  Time intended_at{};
  Time deadline{};     // intended_at + maxFreeze: thawed by then, come what may
  std::string holder;  // identity of the controller that wrote it; another one only thaws
  std::vector<FreezeTarget> targets;
  bool operator==(const FreezeStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(FreezeStatus, (), (intended_at, deadline, holder, targets))

enum class HookPhase { kPre, kPost };
BOOST_DESCRIBE_ENUM(HookPhase, kPre, kPost)

// How one run of one hook ended.
struct HookStatus {
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::string hook;
  HookPhase phase = HookPhase::kPre;
  std::optional<std::int64_t> exit_code;  // absent: it never reported one; see `error`
  std::optional<Duration> duration;
  std::string output_tail;
  std::string error;
  bool operator==(const HookStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(HookStatus, (),
                      (pod, pod_uid, container, hook, phase, exit_code, duration, output_tail,
                       error))

// What a restore needs of a claim that may be gone by then.
struct ClaimSource {
  std::string storage_class_name;
  std::vector<std::string> access_modes;
  std::string volume_mode;
  std::string size;  // quantity: spec.resources.requests.storage
  std::map<std::string, std::string> labels;
  bool operator==(const ClaimSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(ClaimSource, (),
                      (storage_class_name, access_modes, volume_mode, size, labels))

struct VolumeStatus {
  std::string claim;
  std::string claim_uid;
  ClaimSource source;
  std::string class_;  // VolumeSnapshotClass
  std::string driver;
  std::string volume_handle;  // of the claim's volume: a snapshot of any other one is not ours
  std::string snapshot_name;
  std::string snapshot_uid;
  std::string content_name;
  std::string snapshot_handle;
  std::string size;  // quantity: restoreSize
  std::optional<Time> created_at;
  std::optional<Time> cut_at;  // when the cut was seen
  std::optional<Time> ready_at;
  std::string error;
  bool operator==(const VolumeStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeStatus, (),
                      (claim, claim_uid, source, class_, driver, volume_handle, snapshot_name,
                       snapshot_uid, content_name, snapshot_handle, size, created_at, cut_at,
                       ready_at, error))

struct VolumeBackupStatus {
  BackupPhase phase = BackupPhase::kPending;
  std::string reason;  // one word of the closed vocabulary; the REASON column
  std::optional<Consistency> consistency;
  std::string consistency_reason;
  std::string target;  // "deployment/mysql", "selector", "claims"; the TARGET column
  std::optional<ApplicationStatus> application;
  std::optional<FreezeStatus> freeze;
  std::vector<HookStatus> hooks;
  std::vector<VolumeStatus> volumes;
  std::string freeze_duration;  // "182ms"; the FROZEN column
  std::string volumes_ready;    // "3/3"; the VOLUMES column
  std::optional<Time> start_time;
  std::optional<Time> completion_time;
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;
  bool operator==(const VolumeBackupStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeBackupStatus, (),
                      (phase, reason, consistency, consistency_reason, target, application, freeze,
                       hooks, volumes, freeze_duration, volumes_ready, start_time, completion_time,
                       observed_generation, conditions))

struct VolumeBackup {
  static constexpr Resource kResource{kGroup, kVersion, "VolumeBackup", "volumebackups"};

  ObjectMeta metadata;
  VolumeBackupSpec spec;
  VolumeBackupStatus status;
  bool operator==(const VolumeBackup&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeBackup, (), (metadata, spec, status))

}  // namespace stillpoint::api
