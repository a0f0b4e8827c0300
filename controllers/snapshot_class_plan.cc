#include "controllers/snapshot_class_plan.h"

#include "api/words.h"
#include "controllers/backup_names.h"
#include "controllers/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace stillpoint::controllers {
namespace {

std::optional<ClassChoice> NamedClass(const api::VolumeBackup& backup, const ResolveFacts& facts,
                                      const ClaimFacts& claim) {
  const bool from_spec = !backup.spec.volume_snapshot_class_name.empty();
  const std::string& name =
      from_spec ? backup.spec.volume_snapshot_class_name : claim.class_annotation;
  if (name.empty()) return std::nullopt;
  const std::string place =
      from_spec ? std::string("spec.volumeSnapshotClassName")
                : fmt::format("annotation {} of claim {}", kSnapshotClassAnnotation, claim.name);
  const auto found = std::ranges::find(facts.classes, name, &SnapshotClassFacts::name);
  if (found == facts.classes.end()) {
    return ClassChoice{
        {},
        ResolveProblem{reason::kSnapshotClassMissing, claim.name,
                       fmt::format("{}: there is no VolumeSnapshotClass \"{}\"", place, name)}};
  }
  if (found->driver != claim.driver) {
    return ClassChoice{
        {},
        ResolveProblem{reason::kSnapshotClassMissing, claim.name,
                       fmt::format("{}: VolumeSnapshotClass \"{}\" is for driver {}, but claim "
                                   "{} is on {}",
                                   place, name, found->driver, claim.name, claim.driver)}};
  }
  return ClassChoice{name, std::nullopt};
}

}  // namespace

ClassChoice ChooseClass(const api::VolumeBackup& backup, const ResolveFacts& facts,
                        const ClaimFacts& claim) {
  if (auto named = NamedClass(backup, facts, claim)) return *named;
  std::vector<std::string> of_driver;
  std::vector<std::string> defaults;
  for (const SnapshotClassFacts& c : facts.classes) {
    if (c.driver != claim.driver) continue;
    of_driver.push_back(c.name);
    if (c.is_default) defaults.push_back(c.name);
  }
  if (defaults.size() == 1) return {defaults.front(), std::nullopt};
  if (of_driver.size() == 1) return {of_driver.front(), std::nullopt};
  if (of_driver.empty()) {
    return {{},
            ResolveProblem{reason::kSnapshotClassMissing, claim.name,
                           fmt::format("driver {} of claim {} has no VolumeSnapshotClass: "
                                       "create one, or leave the claim out with spec.claims",
                                       claim.driver, claim.name)}};
  }
  return {
      {},
      ResolveProblem{reason::kSnapshotClassAmbiguous, claim.name,
                     fmt::format("driver {} of claim {} has {} VolumeSnapshotClasses ({}) "
                                 "and {} of them is the default: name one in "
                                 "spec.volumeSnapshotClassName",
                                 claim.driver, claim.name, of_driver.size(), api::Listed(of_driver),
                                 defaults.empty() ? "none" : "more than one")}};
}

}  // namespace stillpoint::controllers
