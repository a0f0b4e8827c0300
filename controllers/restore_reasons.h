// The closed vocabulary of restores, added to that of reasons.h.
#pragma once

#include "controllers/reasons.h"

namespace stillpoint::controllers::reason {

// VolumeRestore, Normal.
inline constexpr char kBackupPinned[] = "BackupPinned";
inline constexpr char kClaimCreated[] = "ClaimCreated";
inline constexpr char kWorkloadStopped[] = "WorkloadStopped";
inline constexpr char kWorkloadRepointed[] = "WorkloadRepointed";
inline constexpr char kRolloutComplete[] = "RolloutComplete";
inline constexpr char kOldClaimsDeleted[] = "OldClaimsDeleted";
// VolumeRestore, Warning.
inline constexpr char kBackupNotUsable[] = "BackupNotUsable";
inline constexpr char kNeedsReplace[] = "NeedsReplace";
inline constexpr char kManagedByGitOps[] = "ManagedByGitOps";
inline constexpr char kManagedByHelm[] = "ManagedByHelm";
inline constexpr char kAnotherRestoreRunning[] = "AnotherRestoreRunning";
inline constexpr char kBackupRunning[] = "BackupRunning";
inline constexpr char kSizeTooSmall[] = "SizeTooSmall";
inline constexpr char kStorageClassMissing[] = "StorageClassMissing";
inline constexpr char kTargetNotSupported[] = "TargetNotSupported";
inline constexpr char kClaimNameTaken[] = "ClaimNameTaken";
inline constexpr char kClaimInUse[] = "ClaimInUse";
inline constexpr char kWorkloadChanged[] = "WorkloadChanged";
inline constexpr char kOldClaimsKept[] = "OldClaimsKept";
inline constexpr char kRolloutTimedOut[] = "RolloutTimedOut";
inline constexpr char kRollingBack[] = "RollingBack";
inline constexpr char kRolledBack[] = "RolledBack";
inline constexpr char kRollbackFailed[] = "RollbackFailed";

// Conditions only: what a restore is doing.
inline constexpr char kProgressing[] = "Progressing";

}  // namespace stillpoint::controllers::reason
