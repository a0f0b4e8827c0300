// Workloads: the fields of the apps group that say which pods they run and whether a rollout is
// over. Source of truth: k8s.io/api/apps/v1.
#pragma once

#include "api/core.h"
#include "api/meta.h"
#include "api/resource.h"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::api {

inline constexpr std::string_view kAppsGroup = "apps";

// ---- Deployment -------------------------------------------------------------------------------

struct DeploymentSpec {
  std::optional<std::int64_t> replicas;  // absent: 1
  LabelSelector selector;
  PodTemplate template_;
  bool paused = false;  // a paused Deployment rolls nothing out
  bool operator==(const DeploymentSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(DeploymentSpec, (), (replicas, selector, template_, paused))

struct DeploymentStatus {
  std::int64_t observed_generation = 0;
  std::int64_t replicas = 0;
  std::int64_t updated_replicas = 0;
  std::int64_t ready_replicas = 0;
  std::int64_t available_replicas = 0;
  std::int64_t unavailable_replicas = 0;
  std::vector<Condition> conditions;
  bool operator==(const DeploymentStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(DeploymentStatus, (),
                      (observed_generation, replicas, updated_replicas, ready_replicas,
                       available_replicas, unavailable_replicas, conditions))

struct Deployment {
  static constexpr Resource kResource{kAppsGroup, "v1", "Deployment", "deployments"};

  ObjectMeta metadata;
  DeploymentSpec spec;
  DeploymentStatus status;
  bool operator==(const Deployment&) const = default;
};
BOOST_DESCRIBE_STRUCT(Deployment, (), (metadata, spec, status))

// ---- ReplicaSet -------------------------------------------------------------------------------

struct ReplicaSetSpec {
  std::optional<std::int64_t> replicas;  // absent: 1
  LabelSelector selector;
  PodTemplate template_;
  bool operator==(const ReplicaSetSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(ReplicaSetSpec, (), (replicas, selector, template_))

struct ReplicaSetStatus {
  std::int64_t observed_generation = 0;
  std::int64_t replicas = 0;
  std::int64_t ready_replicas = 0;
  std::int64_t available_replicas = 0;
  std::vector<Condition> conditions;
  bool operator==(const ReplicaSetStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(ReplicaSetStatus, (),
                      (observed_generation, replicas, ready_replicas, available_replicas,
                       conditions))

struct ReplicaSet {
  static constexpr Resource kResource{kAppsGroup, "v1", "ReplicaSet", "replicasets"};

  ObjectMeta metadata;
  ReplicaSetSpec spec;
  ReplicaSetStatus status;
  bool operator==(const ReplicaSet&) const = default;
};
BOOST_DESCRIBE_STRUCT(ReplicaSet, (), (metadata, spec, status))

// ---- StatefulSet ------------------------------------------------------------------------------

// Of a claim template only its name matters: its claims are called `<template>-<pod>`.
struct VolumeClaimTemplate {
  ObjectMeta metadata;
  bool operator==(const VolumeClaimTemplate&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeClaimTemplate, (), (metadata))

// `when_scaled: Delete` deletes the claims of a StatefulSet that is stopped for a restore.
struct ClaimRetentionPolicy {
  std::string when_deleted;  // Retain, Delete
  std::string when_scaled;
  bool operator==(const ClaimRetentionPolicy&) const = default;
};
BOOST_DESCRIBE_STRUCT(ClaimRetentionPolicy, (), (when_deleted, when_scaled))

struct StatefulSetSpec {
  std::optional<std::int64_t> replicas;  // absent: 1
  LabelSelector selector;
  PodTemplate template_;
  std::vector<VolumeClaimTemplate> volume_claim_templates;
  std::optional<ClaimRetentionPolicy> persistent_volume_claim_retention_policy;
  bool operator==(const StatefulSetSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(StatefulSetSpec, (),
                      (replicas, selector, template_, volume_claim_templates,
                       persistent_volume_claim_retention_policy))

struct StatefulSetStatus {
  std::int64_t observed_generation = 0;
  std::int64_t replicas = 0;
  std::int64_t current_replicas = 0;
  std::int64_t updated_replicas = 0;
  std::int64_t ready_replicas = 0;
  std::int64_t available_replicas = 0;
  std::string current_revision;
  std::string update_revision;
  std::vector<Condition> conditions;
  bool operator==(const StatefulSetStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(StatefulSetStatus, (),
                      (observed_generation, replicas, current_replicas, updated_replicas,
                       ready_replicas, available_replicas, current_revision, update_revision,
                       conditions))

struct StatefulSet {
  static constexpr Resource kResource{kAppsGroup, "v1", "StatefulSet", "statefulsets"};

  ObjectMeta metadata;
  StatefulSetSpec spec;
  StatefulSetStatus status;
  bool operator==(const StatefulSet&) const = default;
};
BOOST_DESCRIBE_STRUCT(StatefulSet, (), (metadata, spec, status))

// ---- DaemonSet --------------------------------------------------------------------------------

struct DaemonSetSpec {
  LabelSelector selector;
  PodTemplate template_;
  bool operator==(const DaemonSetSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(DaemonSetSpec, (), (selector, template_))

struct DaemonSetStatus {
  std::int64_t observed_generation = 0;
  std::int64_t desired_number_scheduled = 0;
  std::int64_t current_number_scheduled = 0;
  std::int64_t updated_number_scheduled = 0;
  std::int64_t number_ready = 0;
  std::int64_t number_available = 0;
  std::int64_t number_unavailable = 0;
  std::vector<Condition> conditions;
  bool operator==(const DaemonSetStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(DaemonSetStatus, (),
                      (observed_generation, desired_number_scheduled, current_number_scheduled,
                       updated_number_scheduled, number_ready, number_available, number_unavailable,
                       conditions))

struct DaemonSet {
  static constexpr Resource kResource{kAppsGroup, "v1", "DaemonSet", "daemonsets"};

  ObjectMeta metadata;
  DaemonSetSpec spec;
  DaemonSetStatus status;
  bool operator==(const DaemonSet&) const = default;
};
BOOST_DESCRIBE_STRUCT(DaemonSet, (), (metadata, spec, status))

}  // namespace stillpoint::api
