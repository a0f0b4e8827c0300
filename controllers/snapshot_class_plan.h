// ChooseClass: which VolumeSnapshotClass cuts a claim. Pure.
#pragma once

#include "api/volume_backup.h"
#include "controllers/backup_resolve_plan.h"

#include <optional>
#include <string>

namespace stillpoint::controllers {

struct ClassChoice {
  std::string name;
  std::optional<ResolveProblem> problem;  // set: there is none that could be taken
};

// By precedence: spec, the claim's annotation, the driver's default, its only one.
[[nodiscard]] ClassChoice ChooseClass(const api::VolumeBackup& backup, const ResolveFacts& facts,
                                      const ClaimFacts& claim);

}  // namespace stillpoint::controllers
