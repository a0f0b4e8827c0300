// The closed vocabulary: one word for the condition, the Event and the metric. Adding one here
// means adding it to docs/reference/events.md and raising it in a test.
#pragma once

namespace stillpoint::controllers::reason {

// VolumeBackup, Normal.
inline constexpr char kResolved[] = "Resolved";
inline constexpr char kQueued[] = "Queued";
inline constexpr char kFreezeStarted[] = "FreezeStarted";
inline constexpr char kFrozen[] = "Frozen";
inline constexpr char kCut[] = "Cut";
inline constexpr char kThawed[] = "Thawed";
inline constexpr char kSnapshotsReady[] = "SnapshotsReady";
inline constexpr char kCompleted[] = "Completed";
inline constexpr char kSucceeded[] = "Succeeded";
inline constexpr char kCancelled[] = "Cancelled";
// VolumeBackup, Warning.
inline constexpr char kTargetNotFound[] = "TargetNotFound";
inline constexpr char kNoRunningPods[] = "NoRunningPods";
inline constexpr char kClaimNotBound[] = "ClaimNotBound";
inline constexpr char kClaimTerminating[] = "ClaimTerminating";
inline constexpr char kNotCSI[] = "NotCSI";
inline constexpr char kSnapshotClassMissing[] = "SnapshotClassMissing";
inline constexpr char kSnapshotClassAmbiguous[] = "SnapshotClassAmbiguous";
inline constexpr char kSnapshotAPIAbsent[] = "SnapshotAPIAbsent";
inline constexpr char kForbidden[] = "Forbidden";
inline constexpr char kHookInvalid[] = "HookInvalid";
inline constexpr char kPostHookMissing[] = "PostHookMissing";
inline constexpr char kSessionLock[] = "SessionLockInOneShotHook";
inline constexpr char kNoHooks[] = "NoHooks";
inline constexpr char kHookFailed[] = "HookFailed";
inline constexpr char kHookTimedOut[] = "HookTimedOut";
inline constexpr char kHolderLost[] = "HolderLost";
inline constexpr char kPodReplaced[] = "PodReplaced";
inline constexpr char kFreezeExpired[] = "FreezeExpired";
inline constexpr char kThawRetrying[] = "ThawRetrying";
inline constexpr char kThawUnconfirmed[] = "ThawUnconfirmed";
inline constexpr char kThawMayComeLate[] = "ThawMayComeLate";
inline constexpr char kThawedAfterRestart[] = "ThawedAfterRestart";
inline constexpr char kSnapshotFailed[] = "SnapshotFailed";
inline constexpr char kSnapshotNotReady[] = "SnapshotNotReady";
inline constexpr char kSnapshotDeletedOutside[] = "SnapshotDeletedOutside";
inline constexpr char kInconsistent[] = "Inconsistent";
inline constexpr char kFailed[] = "Failed";

}  // namespace stillpoint::controllers::reason
