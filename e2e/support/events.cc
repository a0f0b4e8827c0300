#include "e2e/support/events.h"

#include "e2e/support/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace stillpoint::e2e {
namespace {

using Words = std::set<std::string>;

const Words kBackupNormal{"Resolved",  "Queued",          "FreezeStarted",  "Frozen",
                          "Cut",       "Thawed",          "SnapshotsReady", "Completed",
                          "Cancelled", "SnapshotsDeleted"};
const Words kBackupWarning{"TargetNotFound",
                           "NoRunningPods",
                           "ClaimNotBound",
                           "ClaimTerminating",
                           "NotCSI",
                           "SnapshotClassMissing",
                           "SnapshotClassAmbiguous",
                           "SnapshotAPIAbsent",
                           "Forbidden",
                           "HookInvalid",
                           "HookConflict",
                           "PostHookMissing",
                           "SessionLockInOneShotHook",
                           "HookFailed",
                           "HookTimedOut",
                           "OutputTruncated",
                           "PodReplaced",
                           "HolderLost",
                           "FreezeExpired",
                           "ThawRetrying",
                           "ThawUnconfirmed",
                           "ThawedAfterRestart",
                           "SnapshotFailed",
                           "SnapshotNotReady",
                           "SnapshotDeletedOutside",
                           "Inconsistent",
                           "Failed"};
const Words kRestoreNormal{"BackupPinned",      "ClaimCreated",    "WorkloadStopped",
                           "WorkloadRepointed", "RolloutComplete", "OldClaimsDeleted",
                           "Completed"};
// Its own, and those of a backup for what both can find wrong.
const Words kRestoreWarning{"BackupNotUsable",
                            "NeedsReplace",
                            "ManagedByGitOps",
                            "ManagedByHelm",
                            "AnotherRestoreRunning",
                            "BackupRunning",
                            "SizeTooSmall",
                            "StorageClassMissing",
                            "TargetNotSupported",
                            "ClaimNameTaken",
                            "ClaimInUse",
                            "WorkloadChanged",
                            "OldClaimsKept",
                            "RolloutTimedOut",
                            "RollingBack",
                            "RolledBack",
                            "RollbackFailed",
                            "TargetNotFound",
                            "ClaimNotBound",
                            "ClaimTerminating",
                            "SnapshotAPIAbsent",
                            "Forbidden",
                            "HookInvalid",
                            "HookFailed",
                            "Cancelled",
                            "Failed"};

}  // namespace

std::vector<Event> EventsOf(const Kubectl& kubectl) {
  std::vector<Event> events;
  std::vector<boost::json::value> items = List(kubectl.Get("events.v1.events.k8s.io"), "/items");
  std::ranges::sort(items, {},
                    [](const boost::json::value& item) { return Text(item, "/eventTime"); });
  for (const boost::json::value& item : items) {
    events.push_back({.kind = Text(item, "/regarding/kind"),
                      .name = Text(item, "/regarding/name"),
                      .type = Text(item, "/type"),
                      .reason = Text(item, "/reason"),
                      .note = Text(item, "/note")});
  }
  return events;
}

bool InVocabulary(const Event& event) {
  const bool warning = event.type == "Warning";
  if (event.kind == "VolumeBackup") {
    return (warning ? kBackupWarning : kBackupNormal).contains(event.reason);
  }
  if (event.kind == "VolumeRestore") {
    return (warning ? kRestoreWarning : kRestoreNormal).contains(event.reason);
  }
  return true;
}

std::string ToString(const Event& event) {
  return fmt::format("{} {}/{}: {}: {}", event.type, event.kind, event.name, event.reason,
                     event.note);
}

}  // namespace stillpoint::e2e
