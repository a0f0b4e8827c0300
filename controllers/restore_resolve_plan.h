// Resolve: everything that a restore will do, found out before anything is touched, and everything
// that forbids it, each with its word and a sentence that names the field. Pure.
#pragma once

#include "controllers/restore_problem.h"
#include "controllers/restore_view.h"

#include <optional>
#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

struct Resolution {
  std::optional<Problem> wait;    // not yet: another restore, a frozen application
  std::vector<Problem> problems;  // terminal; nothing was touched
  std::vector<Problem> warnings;  // it goes on
  std::optional<api::PinnedBackup> pinned;
  std::string target;  // "deployment/mysql"; "claims" when there is no workload
  std::vector<api::RestoredClaim> claims;
  std::string note;  // for the condition Resolved
};

[[nodiscard]] Resolution Resolve(const View& view);

// The workload that the restore is about; empty for one that has none.
[[nodiscard]] std::optional<WorkloadRef> ResolveTarget(const View& view);

}  // namespace stillpoint::controllers::restore
