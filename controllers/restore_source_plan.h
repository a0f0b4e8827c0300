// FindSources: which backup a restore takes, and which snapshot for which claim. Pure.
#pragma once

#include "controllers/restore_problem.h"
#include "controllers/restore_view.h"

#include <optional>
#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

// One claim to restore.
struct Source {
  std::string claim;
  std::string snapshot;
  std::string snapshot_uid;
  std::string restore_size;  // quantity; may be empty
  std::string new_name;      // from the spec; empty: derived
  api::ClaimSource shape;    // of the claim that was backed up
  std::string field;         // where it comes from: `spec.claims[0]`, `backup nightly: claim data`
  bool operator==(const Source&) const = default;
};

struct SourcePlan {
  std::optional<Problem> wait;    // a backup that has not ended yet
  std::vector<Problem> problems;  // terminal
  std::optional<api::PinnedBackup> pinned;
  std::optional<api::ApplicationStatus> application;  // of the backup
  std::vector<Source> sources;
  std::string note;  // what a person should know of the data; may be empty
};

// The rules: the backup that status.backup pins, else spec.backupRef, else the newest Completed one
// of spec.source.applicationRef at or before `asOf` (by completion, ties by name), else
// spec.claims. A backup must be Completed, and its snapshots must be the very objects that it
// recorded.
[[nodiscard]] SourcePlan FindSources(const View& view);

// Names of the snapshots that FindSources looks at in view.snapshots.
[[nodiscard]] std::vector<std::string> SnapshotsToRead(const View& view);

}  // namespace stillpoint::controllers::restore
