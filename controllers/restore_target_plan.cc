#include "controllers/restore_target_plan.h"

#include "api/labels.h"
#include "controllers/managers_plan.h"
#include "controllers/restore_reasons.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

using Kind = WorkloadKind;
using Strategy = api::RestoreStrategy;

Problem NotSupported(std::string message) {
  return {.reason = reason::kTargetNotSupported, .message = std::move(message)};
}

std::optional<Problem> CheckRepoint(const Workload& workload) {
  const std::string target = ToString(RefOf(workload));
  if (workload.kind == Kind::kStatefulSet) {
    return Problem{reason::kNeedsReplace,
                   fmt::format("{} cannot be repointed: the names of a StatefulSet's claims are "
                               "fixed; use `strategy: Replace`",
                               target)};
  }
  if (workload.paused) {
    return NotSupported(fmt::format(
        "{} is paused: a changed template would not be rolled out; resume it, or use `strategy: "
        "Replace`",
        target));
  }
  if (workload.on_delete) {
    return NotSupported(fmt::format(
        "{} has the update strategy OnDelete: its pods would stay on the old claims", target));
  }
  return std::nullopt;
}

std::optional<Problem> CheckReplace(const Workload& workload) {
  const std::string target = ToString(RefOf(workload));
  if (workload.kind == Kind::kDaemonSet) {
    return NotSupported(fmt::format(
        "{} cannot be stopped by scaling, which `strategy: Replace` needs; use `strategy: Repoint`",
        target));
  }
  if (workload.scaling_deletes_claims) {
    return NotSupported(fmt::format(
        "{} deletes its claims when it is scaled down "
        "(spec.persistentVolumeClaimRetentionPolicy.whenScaled: Delete); set it to Retain",
        target));
  }
  return std::nullopt;
}

// A pod that will not go when the workload is stopped, and holds the claim until it does.
std::optional<Problem> CheckUsers(const View& view, const Workload& workload,
                                  const std::string& claim) {
  const auto found = std::ranges::find_if(view.pods, [&](const PodView& pod) {
    return Mounts(pod, claim) && (pod.finished || !IsPodOf(workload, pod));
  });
  if (found == view.pods.end()) return std::nullopt;
  if (found->finished) {
    return Problem{reason::kClaimInUse,
                   fmt::format("pod {} has ended and holds claim {} until it is deleted: delete "
                               "it first, or use `strategy: Repoint`",
                               found->name, claim)};
  }
  return Problem{reason::kClaimInUse,
                 fmt::format("pod {} mounts claim {} and is not of {}: stop it first, or use "
                             "`strategy: Repoint`",
                             found->name, claim, ToString(RefOf(workload)))};
}

std::optional<Problem> CheckOldVolume(const View& view, const api::RestoredClaim& claim) {
  if (claim.old_volume.empty()) return std::nullopt;
  const auto* volume = FindVolume(view, claim.old_volume);
  if (volume == nullptr) {
    if (!view.volumes_error) return std::nullopt;
    return Problem{reason::kForbidden,
                   fmt::format("cannot read PersistentVolume {} of claim {}, which `strategy: "
                               "Replace` keeps under another claim: {}",
                               claim.old_volume, claim.old, view.volumes_error->message)};
  }
  if (volume->claim_uid != claim.old_uid) {
    return Problem{reason::kClaimNotBound,
                   fmt::format("PersistentVolume {} is not bound to claim {} any more",
                               claim.old_volume, claim.old)};
  }
  return std::nullopt;
}

}  // namespace

bool IsPodOf(const Workload& workload, const PodView& pod) {
  if (!workload.selector) return pod.name == workload.metadata.name;
  return api::Matches(*workload.selector, pod.labels);
}

std::vector<Problem> CheckTarget(const api::VolumeRestore& restore, const Workload& workload) {
  const Strategy strategy = restore.spec.strategy;
  if (strategy == Strategy::kClaimsOnly) return {};
  const std::string target = ToString(RefOf(workload));
  if (workload.metadata.deletion_timestamp) {
    return {{reason::kTargetNotFound, fmt::format("{} is being deleted", target)}};
  }
  if (workload.kind == Kind::kReplicaSet || workload.kind == Kind::kPod) {
    return {NotSupported(fmt::format(
        "{} cannot be given other claims: only `strategy: ClaimsOnly` is possible", target))};
  }
  auto problem = strategy == Strategy::kRepoint ? CheckRepoint(workload) : CheckReplace(workload);
  if (!problem) return {};
  return {std::move(*problem)};
}

std::vector<Problem> WarnOfManagers(const api::VolumeRestore& restore, const Workload& workload,
                                    const std::vector<api::RestoredClaim>& claims) {
  if (restore.spec.strategy != Strategy::kRepoint) return {};
  std::string fields;
  for (const auto& volume : workload.claim_volumes) {
    if (std::ranges::find(claims, volume.claim, &api::RestoredClaim::old) == claims.end()) continue;
    fields += (fields.empty() ? "" : ", ") + TemplateField(volume.name);
  }
  std::vector<Problem> warnings;
  for (const auto& manager : FindManagers(workload)) {
    warnings.push_back(
        {.reason = manager.reason,
         .message = fmt::format("{} is managed by {}, which would set it back to its manifest: "
                                "change {} there too; `strategy: Replace` avoids it",
                                ToString(RefOf(workload)), manager.tool, fields)});
  }
  return warnings;
}

std::vector<Problem> CheckExchange(const View& view, const Workload& workload,
                                   const api::RestoredClaim& claim) {
  std::vector<Problem> problems;
  const auto* old = FindClaim(view, claim.old);
  if (old != nullptr && old->terminating) {
    problems.push_back(
        {reason::kClaimTerminating, fmt::format("claim {} is being deleted already", claim.old)});
  }
  if (auto problem = CheckOldVolume(view, claim)) problems.push_back(std::move(*problem));
  const auto* kept = FindClaim(view, claim.kept);
  if (kept != nullptr && kept->restore_uid != view.restore.metadata.uid) {
    problems.push_back({reason::kClaimNameTaken,
                        fmt::format("there is a claim {} already, the name under which the old "
                                    "volume of {} would be kept",
                                    claim.kept, claim.old)});
  }
  if (auto problem = CheckUsers(view, workload, claim.old)) problems.push_back(std::move(*problem));
  return problems;
}

}  // namespace stillpoint::controllers::restore
