// PlanResolve: from what the cluster shows of an application to what a backup will freeze and cut.
// Everything that can be wrong is found here, before anything is frozen. Pure.
#pragma once

#include "api/error.h"
#include "api/volume_backup.h"
#include "hooks/hook_plan.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stillpoint::controllers {

// A claim and the volume behind it.
struct ClaimFacts {
  std::string name;
  bool found = false;
  std::string uid;
  std::string phase;  // Bound, Pending, Lost
  bool terminating = false;
  api::ClaimSource source;
  std::string class_annotation;  // backups.example.com/snapshot-class on the claim
  std::string driver;            // empty: the volume is not CSI, or could not be read
  std::string volume_handle;
};

// A pod of the group. `hook` is what the hook plan needs to know of it.
struct GroupPod {
  hooks::PodFacts hook;
  std::string phase;                 // Running, Pending, Succeeded, Failed
  std::optional<api::Time> goes_by;  // it is being deleted, and has until then to end by itself
  std::vector<std::string> claims;
  std::vector<std::string> ephemeral_volumes;  // generic ephemeral ones: not backed up
};

// A pod outside of the group, and the claims that it may write to.
struct OtherPod {
  std::string name;
  std::vector<std::string> claims;
};

struct SnapshotClassFacts {
  std::string name;
  std::string driver;
  bool is_default = false;
};

// What was read of the cluster, once, shortly before the freeze.
struct ResolveFacts {
  // Why the workload could not be read at all; the rest is then empty.
  std::optional<api::Error> workload_error;
  std::optional<api::ApplicationStatus> application;
  std::map<std::string, std::string> workload_annotations;
  std::vector<GroupPod> pods;
  std::vector<OtherPod> others;
  std::set<std::string> seen;               // UIDs of all pods of the namespace
  std::int64_t generation = 0;              // of the workload's spec; 0: there is none
  std::vector<ClaimFacts> claims;           // of the pods, and those that spec.claims names
  std::optional<api::Error> classes_error;  // the snapshot API is absent or forbidden
  std::vector<SnapshotClassFacts> classes;
};

// One thing that forbids the backup. `claim` is empty when it is not about one claim.
struct ResolveProblem {
  std::string reason;
  std::string claim;
  std::string message;
  bool operator==(const ResolveProblem&) const = default;
};

struct ResolveWarning {
  std::string reason;
  std::string message;
  bool operator==(const ResolveWarning&) const = default;
};

// What will soon be over by itself, and is waited for until then.
struct Ending {
  std::string message;
  api::Time until;
};

struct Resolution {
  std::vector<ResolveProblem> problems;  // not empty: the backup fails and nothing was touched
  std::vector<ResolveWarning> warnings;
  std::vector<api::VolumeStatus> volumes;
  std::vector<api::FreezeTarget> targets;
  std::vector<std::string> pod_uids;  // every pod of the group, hooked or not
  std::vector<std::string> writers;   // a sentence on each pod that may write while it is cut
  std::optional<Ending> ending;       // of the group's pods
  std::string note;                   // what is left out, in words; may be empty
};

[[nodiscard]] Resolution PlanResolve(const api::VolumeBackup& backup, const ResolveFacts& facts);

// "deployment/mysql", "selector", "claims": the TARGET column.
[[nodiscard]] std::string TargetText(const api::VolumeBackupSpec& spec);

}  // namespace stillpoint::controllers
