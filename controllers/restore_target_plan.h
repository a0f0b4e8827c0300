// CheckTarget: may this strategy be used on this workload, and what would be in its way. Pure.
#pragma once

#include "controllers/restore_problem.h"
#include "controllers/restore_view.h"

#include <vector>

namespace stillpoint::controllers::restore {

// The kind against the strategy, and states of the workload in which it could not work.
[[nodiscard]] std::vector<Problem> CheckTarget(const api::VolumeRestore& restore,
                                               const Workload& workload);

// Repoint on a workload whose manifest another tool writes: warnings.
[[nodiscard]] std::vector<Problem> WarnOfManagers(const api::VolumeRestore& restore,
                                                  const Workload& workload,
                                                  const std::vector<api::RestoredClaim>& claims);

// Replace: the exchange of the volume of one claim must be possible, and nobody else may use it.
[[nodiscard]] std::vector<Problem> CheckExchange(const View& view, const Workload& workload,
                                                 const api::RestoredClaim& claim);

// Whether `pod` belongs to `workload`.
[[nodiscard]] bool IsPodOf(const Workload& workload, const PodView& pod);

}  // namespace stillpoint::controllers::restore
