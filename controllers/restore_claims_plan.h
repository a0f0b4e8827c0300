// ShapeClaim: what a restored claim asks for, and MakeClaims: the objects themselves. Pure.
#pragma once

#include "controllers/restore_problem.h"
#include "controllers/restore_source_plan.h"
#include "controllers/restore_view.h"

#include <map>
#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

// A claim to create. Either from a snapshot or for a volume that exists.
struct NewClaim {
  std::string name;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string storage_class_name;
  std::vector<std::string> access_modes;
  std::string volume_mode;
  std::string size;      // quantity
  std::string snapshot;  // spec.dataSource; or
  std::string volume;    // spec.volumeName
  bool operator==(const NewClaim&) const = default;
};

struct Shape {
  std::vector<Problem> problems;
  std::string size;         // the largest of request, restoreSize and spec.size
  api::ClaimSource source;  // with the overrides of the spec, and labels that may be copied
};

// Class, modes and volume mode come from the claim that was backed up, overridden by the spec.
// A spec.size below the snapshot's restoreSize is refused: the driver would, much later.
[[nodiscard]] Shape ShapeClaim(const View& view, const Source& source);

// Labels of ours and those by which a GitOps tool recognises its objects (it would prune a copy
// that is not in its repository) stay behind.
[[nodiscard]] std::map<std::string, std::string> CopyableLabels(
    const std::map<std::string, std::string>& labels);

// Annotations without those that the volume machinery writes for one very claim.
[[nodiscard]] std::map<std::string, std::string> CopyableAnnotations(
    const std::map<std::string, std::string>& annotations);

// The claim from the snapshot, as `claim` records it.
[[nodiscard]] NewClaim MakeRestoredClaim(const api::VolumeRestore& restore,
                                         const api::RestoredClaim& claim);

// Replace: the claim that keeps the old volume.
[[nodiscard]] NewClaim MakeKeptClaim(const api::VolumeRestore& restore,
                                     const api::RestoredClaim& claim);

// Replace, rolling back: the old claim as it was, bound to its old volume.
[[nodiscard]] NewClaim MakeOldClaim(const api::RestoredClaim& claim);

// A claim is ready when it is Bound, or when it will bind once a pod uses it. A class whose binding
// mode cannot be read (no right to) is taken to wait for a pod.
[[nodiscard]] bool IsReady(const View& view, const ClaimView& claim);

}  // namespace stillpoint::controllers::restore
