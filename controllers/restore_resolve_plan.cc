#include "controllers/restore_resolve_plan.h"

#include "api/labels.h"
#include "controllers/restore_claims_plan.h"
#include "controllers/restore_hold.h"
#include "controllers/restore_names.h"
#include "controllers/restore_reasons.h"
#include "controllers/restore_source_plan.h"
#include "controllers/restore_target_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace stillpoint::controllers::restore {
namespace {

using Strategy = api::RestoreStrategy;

void Append(std::vector<Problem>& to, std::vector<Problem> from) {
  std::ranges::move(from, std::back_inserter(to));
}

// What is said of the target before anything of it is known.
std::optional<Problem> CheckTargetIsThere(const View& view) {
  const auto& spec = view.restore.spec;
  if (!spec.application_ref.empty()) {
    const auto ref = ParseApplicationRef(spec.application_ref);
    if (!ref) {
      return Problem{reason::kTargetNotFound,
                     fmt::format("spec.applicationRef: {}", ref.error().message)};
    }
  }
  if (spec.strategy == Strategy::kClaimsOnly) return std::nullopt;
  const auto target = ResolveTarget(view);
  if (!target) {
    return Problem{reason::kTargetNotFound,
                   "spec.applicationRef: name the workload that shall use the restored claims, or "
                   "use `strategy: ClaimsOnly`"};
  }
  if (view.workload) return std::nullopt;
  return Problem{reason::kTargetNotFound, fmt::format("there is no {}", ToString(*target))};
}

void CheckNewName(const View& view, const Source& source, const std::string& name,
                  std::vector<Problem>& problems) {
  if (!api::IsDns1123Subdomain(name)) {
    problems.push_back(
        {reason::kClaimNameTaken,
         fmt::format("{}.newName: \"{}\" is no valid name of a claim", source.field, name)});
  }
  const auto* taken = FindClaim(view, name);
  if (taken == nullptr || taken->restore_uid == view.restore.metadata.uid) return;
  problems.push_back({reason::kClaimNameTaken,
                      fmt::format("{}: there is a claim {} already", source.field, name)});
}

// Replace: all that is needed to put the old volume aside, and back.
void RecordOld(const View& view, api::RestoredClaim& claim) {
  const auto& metadata = view.restore.metadata;
  const auto* old = FindClaim(view, claim.old);
  if (old == nullptr) return;
  claim.old_source = old->source;
  claim.old_annotations = old->annotations;
  claim.source.labels = old->source.labels;
  const auto* volume = FindVolume(view, old->volume);
  // Lost, or never bound: there is nothing to put aside. That is what some restores are for.
  const bool has_volume = volume != nullptr || view.volumes_error;
  if (old->volume.empty() || !has_volume) return;
  claim.old_volume = old->volume;
  claim.kept = KeptClaimName(claim.old, metadata.name, metadata.uid);
  if (volume != nullptr) claim.old_reclaim_policy = volume->reclaim_policy;
}

api::RestoredClaim ResolveClaim(const View& view, const Source& source,
                                std::vector<Problem>& problems) {
  const bool replace = IsReplace(view);
  Shape shape = ShapeClaim(view, source);
  Append(problems, std::move(shape.problems));
  api::RestoredClaim claim{.old = source.claim,
                           .snapshot = source.snapshot,
                           .snapshot_uid = source.snapshot_uid,
                           .size = shape.size,
                           .source = std::move(shape.source)};
  if (const auto* old = FindClaim(view, source.claim)) claim.old_uid = old->uid;
  if (!replace) {
    claim.new_ = source.new_name.empty() ? NewClaimName(source.claim, view.restore.metadata.uid)
                                         : source.new_name;
    CheckNewName(view, source, claim.new_, problems);
    return claim;
  }
  claim.new_ = source.claim;
  if (!source.new_name.empty() && source.new_name != source.claim) {
    problems.push_back(
        {reason::kTargetNotSupported,
         fmt::format("{}.newName: `strategy: Replace` keeps the claim's name", source.field)});
  }
  RecordOld(view, claim);
  if (view.workload) Append(problems, CheckExchange(view, *view.workload, claim));
  return claim;
}

void CheckDuplicates(const Resolution& resolution, std::vector<Problem>& problems) {
  std::set<std::string> old_names;
  std::set<std::string> new_names;
  for (const auto& claim : resolution.claims) {
    if (!old_names.insert(claim.old).second || !new_names.insert(claim.new_).second) {
      problems.push_back({reason::kClaimNameTaken,
                          fmt::format("spec.claims: claim {} (restored as {}) stands there twice",
                                      claim.old, claim.new_)});
    }
  }
}

// A backup of several workloads holds claims that this one does not mount: they stay out.
std::vector<Source> ChooseSources(const View& view, SourcePlan& plan) {
  if (view.restore.spec.strategy == Strategy::kClaimsOnly || !view.workload) return plan.sources;
  std::vector<Source> chosen;
  std::string left_out;
  for (const auto& source : plan.sources) {
    if (MountsClaim(*view.workload, source.claim)) {
      chosen.push_back(source);
    } else {
      left_out += (left_out.empty() ? "" : ", ") + source.claim;
    }
  }
  const std::string target = ToString(RefOf(*view.workload));
  if (chosen.empty() && plan.problems.empty()) {
    plan.problems.push_back(
        {reason::kTargetNotFound,
         fmt::format("{} mounts none of the claims to restore ({})", target, left_out)});
  } else if (!left_out.empty()) {
    plan.note += fmt::format("{}left out, as {} does not mount them: {}",
                             plan.note.empty() ? "" : "; ", target, left_out);
  }
  return chosen;
}

std::optional<Problem> FindRival(const View& view, const Resolution& resolution) {
  if (const auto* other = MustEndFirst(view.restore, view.restores, view.backups)) {
    return Problem{reason::kAnotherRestoreRunning,
                   fmt::format("VolumeRestore {} must end first: it restores {} too",
                               other->metadata.name, resolution.target)};
  }
  if (view.restore.spec.strategy == Strategy::kClaimsOnly) return std::nullopt;
  std::set<std::string> claims;
  for (const auto& claim : resolution.claims) claims.insert(claim.old);
  if (const auto* backup = FrozenBy(ResolveTarget(view), claims, view.backups)) {
    return Problem{reason::kBackupRunning, fmt::format("VolumeBackup {} must thaw {} first",
                                                       backup->metadata.name, resolution.target)};
  }
  return std::nullopt;
}

void CheckHooks(const api::VolumeRestore& restore, std::vector<Problem>& problems) {
  if (restore.spec.post_hooks.empty() || restore.spec.strategy != Strategy::kClaimsOnly) return;
  problems.push_back({reason::kHookInvalid,
                      "spec.postHooks: with `strategy: ClaimsOnly` there are no pods to run in"});
}

}  // namespace

std::optional<WorkloadRef> ResolveTarget(const View& view) {
  if (auto target = TargetOf(view.restore, view.backups)) return target;
  const auto& pinned = view.restore.status.backup;
  if (!pinned) return std::nullopt;
  api::VolumeRestore by_pin = view.restore;
  by_pin.spec.backup_ref = pinned->name;
  return TargetOf(by_pin, view.backups);
}

Resolution Resolve(const View& view) {
  SourcePlan sources = FindSources(view);
  Resolution resolution{.wait = std::move(sources.wait), .pinned = sources.pinned};
  const auto target = ResolveTarget(view);
  resolution.target = target ? ToString(*target) : "claims";
  if (resolution.wait) return resolution;  // what the backup will hold is not known yet
  auto& problems = resolution.problems;
  if (auto problem = CheckTargetIsThere(view)) problems.push_back(std::move(*problem));
  if (view.workload) Append(problems, CheckTarget(view.restore, *view.workload));
  CheckHooks(view.restore, problems);
  const auto chosen = ChooseSources(view, sources);
  // First what is wrong with the backup: the rest may only follow from it.
  problems.insert(problems.begin(), sources.problems.begin(), sources.problems.end());
  for (const auto& source : chosen) {
    resolution.claims.push_back(ResolveClaim(view, source, problems));
  }
  CheckDuplicates(resolution, problems);
  resolution.note = std::move(sources.note);
  if (view.workload) {
    resolution.warnings = WarnOfManagers(view.restore, *view.workload, resolution.claims);
  }
  if (problems.empty()) resolution.wait = FindRival(view, resolution);
  return resolution;
}

}  // namespace stillpoint::controllers::restore
