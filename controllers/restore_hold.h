// Who may touch a workload: two restores, or a restore and a freeze, never work on one at once.
// Pure. The restore's half; a backup asks HoldsWorkload and ClaimsInUse before it freezes.
#pragma once

#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "controllers/workload_ref.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stillpoint::controllers {

// From the record of its plan to its end a restore (other than ClaimsOnly) holds its workload.
[[nodiscard]] bool HoldsWorkload(const api::VolumeRestore& restore);

// Names of the claims that a running restore makes, moves or may delete; empty once it has ended.
[[nodiscard]] std::set<std::string> ClaimsInUse(const api::VolumeRestore& restore);

namespace restore {

[[nodiscard]] bool IsFinal(api::RestorePhase phase);

// The workload that a restore is about: status once it is resolved, else spec.applicationRef, else
// that of spec.source, else the backup's own. Empty: none, or not readable.
[[nodiscard]] std::optional<WorkloadRef> TargetOf(const api::VolumeRestore& restore,
                                                  const std::vector<api::VolumeBackup>& backups);

// The restore that must end before `restore` may begin: one that holds the workload, else an older
// one that waits for it too (by creation, then name). Null: nobody.
//
// Two may have begun in the same instant, each before the other's record was visible. So it is
// asked again after the record and before the first change; then `restore` holds too, and the one
// without a finalizer yet, else the younger one, steps back.
[[nodiscard]] const api::VolumeRestore* MustEndFirst(
    const api::VolumeRestore& restore, const std::vector<api::VolumeRestore>& restores,
    const std::vector<api::VolumeBackup>& backups);

// A backup that has frozen the workload or pods that mount one of `claims`, or is about to.
// Null: nobody.
[[nodiscard]] const api::VolumeBackup* FrozenBy(const std::optional<WorkloadRef>& target,
                                                const std::set<std::string>& claims,
                                                const std::vector<api::VolumeBackup>& backups);

}  // namespace restore
}  // namespace stillpoint::controllers
