// Repoint: new claims beside the old ones, and the pod template patched from one to the other.
// Pure.
#pragma once

#include "controllers/restore_action.h"
#include "controllers/restore_view.h"

#include <set>
#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

// The volumes of the template that a repoint of `claims` would change, as they are now.
[[nodiscard]] std::vector<api::TemplateVolume> VolumesToRepoint(
    const Workload& workload, const std::vector<api::RestoredClaim>& claims);

enum class Direction { kForward, kBack };

// What is left to patch of the recorded volumes, in that direction. A volume that somebody has
// pointed to a third claim meanwhile is left alone.
[[nodiscard]] std::vector<VolumeChange> ChangesLeft(const Workload& workload,
                                                    const api::VolumeRestoreStatus& status,
                                                    Direction direction);

// Recorded volumes that are gone from the template or point to neither the old nor the new claim.
[[nodiscard]] std::vector<std::string> StrangeVolumes(const Workload& workload,
                                                      const api::VolumeRestoreStatus& status);

[[nodiscard]] Seen SeenAs(const Workload& workload);

[[nodiscard]] std::set<std::string> OldNames(const api::VolumeRestoreStatus& status);
[[nodiscard]] std::set<std::string> NewNames(const api::VolumeRestoreStatus& status);

// The patch, forward. REQUIRES: FindTarget(view).
[[nodiscard]] Plan PlanRepointing(const View& view, api::Time now);

// The patch back, its rollout, and the end of the new claims. Also the rollback of ClaimsOnly.
[[nodiscard]] Plan PlanRepointRollback(const View& view, api::Time now);

}  // namespace stillpoint::controllers::restore
