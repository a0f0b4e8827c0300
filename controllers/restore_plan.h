// PlanRestore decides what to do next for one VolumeRestore. Pure: no I/O, no clock, no log.
//
//   Repoint      Pending > CreatingClaims > Repointing > WaitingRollout > RunningHooks > Completed
//   Replace      Pending > Stopping > CreatingClaims > WaitingRollout > RunningHooks > Completed
//   ClaimsOnly   Pending > CreatingClaims > Completed
//   on failure   any > RollingBack > RolledBack; or Failed, where there is nothing to undo, where
//                `onFailure: Leave` says so, or where undoing failed
//
// A pass either records or acts. What must survive a crash (names, UIDs, what the workload was) is
// recorded before the first act that needs it; every act may be done again.
//
// The finalizer stands from before the first change until nothing is owed. A restore that is
// deleted while it runs is rolled back first, whatever `onFailure` says.
#pragma once

#include "controllers/restore_action.h"
#include "controllers/restore_view.h"

#include <vector>

namespace stillpoint::controllers::restore {

// Never fails. An idle plan without requeue_after: nothing to do until the object changes.
[[nodiscard]] Plan PlanRestore(const View& view, api::Time now);

// How a post hook ended.
struct HookOutcome {
  api::HookStatus status;
  api::OnError on_error = api::OnError::kFail;
  bool succeeded = false;
  bool operator==(const HookOutcome&) const = default;
};

// What the outcome of RunPostHooks means: Completed, or a rollback.
[[nodiscard]] Plan PlanAfterHooks(const View& view, const std::vector<HookOutcome>& outcomes,
                                  api::Time now);

// What an error of an action means. An idle plan without requeue_after: nothing but another try.
[[nodiscard]] Plan PlanAfterError(const View& view, const api::Error& error, api::Time now);

// The cluster cannot be read: told on the object as long as nothing has begun.
[[nodiscard]] Plan PlanUnreadable(const View& view, const api::Error& error, api::Time now);

}  // namespace stillpoint::controllers::restore
