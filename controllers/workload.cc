#include "controllers/workload.h"

#include "api/codec.h"

#include <fmt/format.h>
#include <boost/describe/class.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace stillpoint::controllers {
namespace {

// ---- the objects, as far as we read them --------------------------------------------------------

struct RawClaimVolumeSource {
  std::string claim_name;
};
BOOST_DESCRIBE_STRUCT(RawClaimVolumeSource, (), (claim_name))

struct RawVolume {
  std::string name;
  std::optional<RawClaimVolumeSource> persistent_volume_claim;
};
BOOST_DESCRIBE_STRUCT(RawVolume, (), (name, persistent_volume_claim))

struct RawPodSpec {
  std::vector<RawVolume> volumes;
};
BOOST_DESCRIBE_STRUCT(RawPodSpec, (), (volumes))

struct RawTemplate {
  api::ObjectMeta metadata;
  RawPodSpec spec;
};
BOOST_DESCRIBE_STRUCT(RawTemplate, (), (metadata, spec))

struct RawClaimTemplate {
  api::ObjectMeta metadata;
};
BOOST_DESCRIBE_STRUCT(RawClaimTemplate, (), (metadata))

struct RawUpdateStrategy {
  std::string type;
};
BOOST_DESCRIBE_STRUCT(RawUpdateStrategy, (), (type))

struct RawRetentionPolicy {
  std::string when_scaled;
};
BOOST_DESCRIBE_STRUCT(RawRetentionPolicy, (), (when_scaled))

struct RawSpec {
  std::optional<std::int64_t> replicas;
  std::optional<api::LabelSelector> selector;
  RawTemplate template_;
  std::vector<RawClaimTemplate> volume_claim_templates;
  bool paused = false;
  RawUpdateStrategy update_strategy;
  RawRetentionPolicy persistent_volume_claim_retention_policy;
};
BOOST_DESCRIBE_STRUCT(RawSpec, (),
                      (replicas, selector, template_, volume_claim_templates, paused,
                       update_strategy, persistent_volume_claim_retention_policy))

struct RawCondition {
  std::string type;
  std::string status;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(RawCondition, (), (type, status, reason))

// Deployment, StatefulSet and ReplicaSet in the first block, DaemonSet in the second.
struct RawStatus {
  std::int64_t observed_generation = 0;
  std::int64_t replicas = 0;
  std::int64_t updated_replicas = 0;
  std::int64_t available_replicas = 0;
  std::string current_revision;
  std::string update_revision;
  std::vector<RawCondition> conditions;

  std::int64_t desired_number_scheduled = 0;
  std::int64_t current_number_scheduled = 0;
  std::int64_t updated_number_scheduled = 0;
  std::int64_t number_available = 0;
};
BOOST_DESCRIBE_STRUCT(RawStatus, (),
                      (observed_generation, replicas, updated_replicas, available_replicas,
                       current_revision, update_revision, conditions, desired_number_scheduled,
                       current_number_scheduled, updated_number_scheduled, number_available))

struct RawWorkload {
  api::ObjectMeta metadata;
  RawSpec spec;
  RawStatus status;
};
BOOST_DESCRIBE_STRUCT(RawWorkload, (), (metadata, spec, status))

struct RawPod {
  api::ObjectMeta metadata;
  RawPodSpec spec;
};
BOOST_DESCRIBE_STRUCT(RawPod, (), (metadata, spec))

// ---- decoding -----------------------------------------------------------------------------------

std::vector<ClaimVolume> ClaimVolumesOf(const std::vector<RawVolume>& volumes) {
  std::vector<ClaimVolume> claims;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    if (!volumes[i].persistent_volume_claim) continue;
    claims.push_back({.name = volumes[i].name,
                      .claim = volumes[i].persistent_volume_claim->claim_name,
                      .index = i});
  }
  return claims;
}

bool HasExceededProgressDeadline(const RawStatus& status) {
  return std::ranges::any_of(status.conditions, [](const RawCondition& condition) {
    return condition.type == "Progressing" && condition.status == "False" &&
           condition.reason == "ProgressDeadlineExceeded";
  });
}

RolloutState RolloutOf(WorkloadKind kind, const RawWorkload& raw) {
  const RawStatus& status = raw.status;
  if (kind == WorkloadKind::kDaemonSet) {
    return {.observed_generation = status.observed_generation,
            .desired = status.desired_number_scheduled,
            .replicas = status.current_number_scheduled,
            .updated = status.updated_number_scheduled,
            .available = status.number_available};
  }
  return {.observed_generation = status.observed_generation,
          .desired = raw.spec.replicas.value_or(1),
          .replicas = status.replicas,
          .updated = status.updated_replicas,
          .available = status.available_replicas,
          .current_revision = status.current_revision,
          .update_revision = status.update_revision,
          .progress_deadline_exceeded = HasExceededProgressDeadline(status)};
}

api::Result<Workload> DecodePod(const boost::json::object& object) {
  auto raw = api::Decode<RawPod>(object);
  if (!raw) return raw.error();
  Workload workload{.kind = WorkloadKind::kPod, .metadata = std::move(raw->metadata)};
  workload.template_labels = workload.metadata.labels;
  workload.template_annotations = workload.metadata.annotations;
  workload.claim_volumes = ClaimVolumesOf(raw->spec.volumes);
  return workload;
}

}  // namespace

WorkloadRef RefOf(const Workload& workload) {
  return {.kind = workload.kind, .name = workload.metadata.name};
}

bool MountsClaim(const Workload& workload, std::string_view claim) {
  if (std::ranges::find(workload.claim_volumes, claim, &ClaimVolume::claim) !=
      workload.claim_volumes.end()) {
    return true;
  }
  return std::ranges::any_of(workload.claim_templates, [&](const std::string& name) {
    const std::string prefix = fmt::format("{}-{}-", name, workload.metadata.name);
    if (!claim.starts_with(prefix) || claim.size() == prefix.size()) return false;
    return std::ranges::all_of(claim.substr(prefix.size()),
                               [](char c) { return c >= '0' && c <= '9'; });
  });
}

api::Result<Workload> DecodeWorkload(WorkloadKind kind, const boost::json::object& object) {
  if (kind == WorkloadKind::kPod) return DecodePod(object);
  auto raw = api::Decode<RawWorkload>(object);
  if (!raw) return raw.error();
  Workload workload{.kind = kind, .metadata = raw->metadata};
  workload.selector = raw->spec.selector;
  workload.template_labels = raw->spec.template_.metadata.labels;
  workload.template_annotations = raw->spec.template_.metadata.annotations;
  workload.claim_volumes = ClaimVolumesOf(raw->spec.template_.spec.volumes);
  for (const auto& claim : raw->spec.volume_claim_templates) {
    workload.claim_templates.push_back(claim.metadata.name);
  }
  if (kind != WorkloadKind::kDaemonSet) workload.replicas = raw->spec.replicas.value_or(1);
  workload.scaling_deletes_claims =
      raw->spec.persistent_volume_claim_retention_policy.when_scaled == "Delete";
  workload.paused = raw->spec.paused;
  workload.on_delete = raw->spec.update_strategy.type == "OnDelete";
  workload.rollout = RolloutOf(kind, *raw);
  return workload;
}

}  // namespace stillpoint::controllers
