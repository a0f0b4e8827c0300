// Workload: whatever runs an application's pods (a Deployment, StatefulSet, DaemonSet, ReplicaSet
// or a bare Pod), reduced to what backup and restore look at.
//
// Source of truth: k8s.io/api/apps/v1 and core/v1. Pure; workload_client.h reads it from the API.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "controllers/workload_ref.h"

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::controllers {

// A volume of the pod template that mounts a claim.
struct ClaimVolume {
  std::string name;
  std::string claim;
  std::size_t index = 0;  // in spec.template.spec.volumes, for a JSON patch
  bool operator==(const ClaimVolume&) const = default;
};

// status, with the fields of the kinds under one name. A Pod has none.
struct RolloutState {
  std::int64_t observed_generation = 0;
  std::int64_t desired = 0;                 // DaemonSet: desiredNumberScheduled; else spec.replicas
  std::int64_t replicas = 0;                // pods of any revision
  std::int64_t updated = 0;                 // pods of the newest revision
  std::int64_t available = 0;               // pods of any revision that are available
  std::string current_revision;             // StatefulSet
  std::string update_revision;              // StatefulSet
  bool progress_deadline_exceeded = false;  // Deployment: condition Progressing
  bool operator==(const RolloutState&) const = default;
};

struct Workload {
  WorkloadKind kind = WorkloadKind::kDeployment;
  api::ObjectMeta metadata;

  // Of its pods. Absent for a Pod, which is found by its own name.
  std::optional<api::LabelSelector> selector;

  // A Pod is its own template.
  std::map<std::string, std::string> template_labels;
  std::map<std::string, std::string> template_annotations;
  std::vector<ClaimVolume> claim_volumes;

  // StatefulSet: names of volumeClaimTemplates; a claim is called `<template>-<name>-<ordinal>`.
  std::vector<std::string> claim_templates;

  // StatefulSet, persistentVolumeClaimRetentionPolicy.whenScaled: scaling down deletes claims.
  bool scaling_deletes_claims = false;

  std::optional<std::int64_t> replicas;  // spec; absent for DaemonSet and Pod
  bool paused = false;                   // Deployment: a change of the template rolls nothing out
  bool on_delete = false;                // updateStrategy OnDelete: likewise, pod by pod
  RolloutState rollout;

  bool operator==(const Workload&) const = default;
};

[[nodiscard]] WorkloadRef RefOf(const Workload& workload);

// Whether pods of `workload` mount `claim`: by the template's volumes, or by a claim template.
[[nodiscard]] bool MountsClaim(const Workload& workload, std::string_view claim);

// Errors: kInvalid, naming the path.
[[nodiscard]] api::Result<Workload> DecodeWorkload(WorkloadKind kind,
                                                   const boost::json::object& object);

}  // namespace stillpoint::controllers
