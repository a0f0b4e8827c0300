// PlanEnd: what a restore still owes once its phase is final: reclaim policies as they were, and
// the old claims if `oldClaims: Delete` asks for it. Then its finalizer goes. Pure.
#pragma once

#include "controllers/restore_action.h"
#include "controllers/restore_view.h"

namespace stillpoint::controllers::restore {

[[nodiscard]] Plan PlanEnd(const View& view, api::Time now);

}  // namespace stillpoint::controllers::restore
