#include "controllers/restore_hold.h"

#include "controllers/restore_names.h"

#include <algorithm>
#include <tuple>

namespace stillpoint::controllers {
namespace {

using api::RestorePhase;

bool HasBegun(const api::VolumeRestore& restore) {
  const RestorePhase phase = restore.status.phase;
  return phase != RestorePhase::kPending && phase != RestorePhase::kResolving &&
         !restore::IsFinal(phase);
}

bool HasFinalizer(const api::VolumeRestore& restore) {
  const auto& finalizers = restore.metadata.finalizers;
  return std::ranges::find(finalizers, restore::kFinalizer) != finalizers.end();
}

// Smaller goes first.
auto Precedence(const api::VolumeRestore& restore) {
  const auto& metadata = restore.metadata;
  return std::tuple(metadata.creation_timestamp.value_or(api::Time::max()), metadata.name);
}

bool GoesFirst(const api::VolumeRestore& other, const api::VolumeRestore& self) {
  if (HoldsWorkload(other) != HoldsWorkload(self)) return HoldsWorkload(other);
  if (HasFinalizer(other) != HasFinalizer(self)) return HasFinalizer(other);
  return Precedence(other) < Precedence(self);
}

std::optional<WorkloadRef> Parsed(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto ref = ParseApplicationRef(text);
  if (!ref) return std::nullopt;
  return *ref;
}

std::optional<WorkloadRef> ApplicationOf(const api::VolumeBackup& backup) {
  if (const auto& application = backup.status.application;
      application && !application->kind.empty()) {
    const auto kind = ParseWorkloadKind(application->kind);
    if (kind) return WorkloadRef{.kind = *kind, .name = application->name};
  }
  return Parsed(backup.spec.application_ref);
}

// A thaw is owed from the moment that a freeze was intended.
bool OwesThaw(const api::VolumeBackup& backup) {
  if (!backup.status.freeze) return false;
  return std::ranges::any_of(backup.status.freeze->targets, [](const api::FreezeTarget& target) {
    return target.state == api::FreezeState::kIntended || target.state == api::FreezeState::kFrozen;
  });
}

bool IsFreezing(const api::VolumeBackup& backup) {
  const api::BackupPhase phase = backup.status.phase;
  return phase == api::BackupPhase::kFreezing || phase == api::BackupPhase::kCutting ||
         phase == api::BackupPhase::kThawing || OwesThaw(backup);
}

}  // namespace

bool HoldsWorkload(const api::VolumeRestore& restore) {
  return restore.spec.strategy != api::RestoreStrategy::kClaimsOnly && HasBegun(restore);
}

std::set<std::string> ClaimsInUse(const api::VolumeRestore& restore) {
  std::set<std::string> names;
  if (!HasBegun(restore)) return names;
  const bool touches_old = HoldsWorkload(restore);
  for (const auto& claim : restore.status.claims) {
    names.insert(claim.new_);
    if (touches_old) names.insert({claim.old, claim.kept});
  }
  names.erase("");
  return names;
}

namespace restore {

bool IsFinal(RestorePhase phase) {
  return phase == RestorePhase::kCompleted || phase == RestorePhase::kRolledBack ||
         phase == RestorePhase::kFailed;
}

std::optional<WorkloadRef> TargetOf(const api::VolumeRestore& restore,
                                    const std::vector<api::VolumeBackup>& backups) {
  if (restore.status.target.contains('/')) return Parsed(restore.status.target);
  if (auto ref = Parsed(restore.spec.application_ref)) return ref;
  if (restore.spec.source) return Parsed(restore.spec.source->application_ref);
  const auto backup = std::ranges::find(backups, restore.spec.backup_ref,
                                        [](const auto& item) { return item.metadata.name; });
  if (backup == backups.end()) return std::nullopt;
  return ApplicationOf(*backup);
}

const api::VolumeRestore* MustEndFirst(const api::VolumeRestore& restore,
                                       const std::vector<api::VolumeRestore>& restores,
                                       const std::vector<api::VolumeBackup>& backups) {
  const auto target = TargetOf(restore, backups);
  if (!target || restore.spec.strategy == api::RestoreStrategy::kClaimsOnly) return nullptr;
  const api::VolumeRestore* first = nullptr;
  for (const auto& other : restores) {
    const bool waits = other.spec.strategy != api::RestoreStrategy::kClaimsOnly &&
                       !IsFinal(other.status.phase) && !other.metadata.deletion_timestamp;
    if (other.metadata.uid == restore.metadata.uid || !(waits || HoldsWorkload(other)) ||
        TargetOf(other, backups) != target) {
      continue;
    }
    if (!GoesFirst(other, restore)) continue;
    if (first == nullptr || GoesFirst(other, *first)) first = &other;
  }
  return first;
}

const api::VolumeBackup* FrozenBy(const std::optional<WorkloadRef>& target,
                                  const std::set<std::string>& claims,
                                  const std::vector<api::VolumeBackup>& backups) {
  const auto concerns = [&](const api::VolumeBackup& backup) {
    if (target && ApplicationOf(backup) == target) return true;
    return std::ranges::any_of(backup.status.volumes, [&](const api::VolumeStatus& volume) {
      return claims.contains(volume.claim);
    });
  };
  const auto found = std::ranges::find_if(
      backups, [&](const auto& backup) { return IsFreezing(backup) && concerns(backup); });
  return found == backups.end() ? nullptr : &*found;
}

}  // namespace restore
}  // namespace stillpoint::controllers
