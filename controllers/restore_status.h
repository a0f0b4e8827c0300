// The transitions of a restore's status: phase, conditions, columns and Events always change
// together and only here. Pure.
#pragma once

#include "controllers/restore_action.h"
#include "controllers/restore_problem.h"
#include "controllers/restore_view.h"

#include <chrono>
#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

// How long a pass waits for what no watch of ours would tell.
inline constexpr std::chrono::milliseconds kPoll{1000};

[[nodiscard]] bool HasFinalizer(const View& view);
[[nodiscard]] bool IsExpired(const View& view, api::Time now);

// A plan that only waits.
[[nodiscard]] Plan Wait();

// A plan that writes `next` if it differs from what is there; else one that waits.
[[nodiscard]] Plan Record(const View& view, api::VolumeRestoreStatus next,
                          std::vector<Notice> notices = {});

// A copy of the status with the columns and observedGeneration brought up to date.
[[nodiscard]] api::VolumeRestoreStatus Refreshed(const View& view);

// `phase` begins; `message` says what it waits for or does.
void Enter(api::VolumeRestoreStatus& status, api::RestorePhase phase, const std::string& message,
           api::Time now);

// Not yet: Pending with the reason.
[[nodiscard]] Plan PlanWaiting(const View& view, api::VolumeRestoreStatus next,
                               const Problem& problem, api::Time now);

void SetDone(api::VolumeRestoreStatus& status, const char* type, const char* reason,
             const std::string& message, api::Time now);

[[nodiscard]] Plan PlanCompleted(const View& view, api::VolumeRestoreStatus next,
                                 std::vector<Notice> notices, api::Time now);

// The restore cannot succeed. Nothing touched yet, or `onFailure: Leave` (a deletion rolls back all
// the same): Failed, at once. Else the rollback begins, with a deadline of its own.
[[nodiscard]] Plan PlanFailure(const View& view, const Problem& problem, api::Time now);

// `note` adds to the message what is not as before.
[[nodiscard]] Plan PlanRolledBack(const View& view, const std::string& note, api::Time now);
[[nodiscard]] Plan PlanRollbackFailed(const View& view, const std::string& what, api::Time now);

// A rollback that meets an error which may pass: told, and tried again.
[[nodiscard]] Plan PlanStalled(const View& view, const Problem& problem, api::Time now);

}  // namespace stillpoint::controllers::restore
