// The phases of a restore that do not depend on its strategy, or only a little. Pure.
#pragma once

#include "controllers/restore_action.h"
#include "controllers/restore_view.h"

namespace stillpoint::controllers::restore {

// What of a workload a rollback needs, without its volumes.
[[nodiscard]] api::WorkloadBefore Remember(const Workload& workload);

// Repoint and ClaimsOnly: the new claims, until each is ready.
[[nodiscard]] Plan PlanCreatingClaims(const View& view, api::Time now);

// Until every pod runs on the restored claims. REQUIRES: FindTarget(view).
[[nodiscard]] Plan PlanWaitingRollout(const View& view, api::Time now);

}  // namespace stillpoint::controllers::restore
