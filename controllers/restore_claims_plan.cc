#include "controllers/restore_claims_plan.h"

#include "api/quantity.h"
#include "controllers/restore_names.h"
#include "controllers/restore_reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace stillpoint::controllers::restore {
namespace {

// By these, tools know what they have applied, and delete what is in no manifest any more.
constexpr std::array<std::string_view, 6> kLabelsLeftBehind{
    "backups.example.com/",    "argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/", "kapp.k14s.io/",       "objectset.rio.cattle.io/"};

// The label that Argo CD goes by is a setting of it, app.kubernetes.io/instance by default:
// https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources
constexpr char kArgoSyncOptions[] = "argocd.argoproj.io/sync-options";
constexpr char kArgoNoPrune[] = "Prune=false";

constexpr std::array<std::string_view, 4> kAnnotationsOfTheVolume{
    "pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/",
    "backups.example.com/kept-from"};

template <std::size_t N>
bool StartsWithAny(std::string_view key, const std::array<std::string_view, N>& prefixes) {
  return std::ranges::any_of(prefixes, [&](auto prefix) { return key.starts_with(prefix); });
}

// An unreadable quantity is a problem of the object that carries it.
api::Quantity ParseSize(const std::string& text, const std::string& where,
                        std::vector<Problem>& problems) {
  if (text.empty()) return {};
  auto size = api::Quantity::Parse(text);
  if (size) return *size;
  problems.push_back({.reason = reason::kSizeTooSmall,
                      .message = fmt::format("{}: {}", where, size.error().message)});
  return {};
}

std::string ChooseSize(const View& view, const Source& source, std::vector<Problem>& problems) {
  const auto wished = ParseSize(view.restore.spec.size, "spec.size", problems);
  const auto request = ParseSize(source.shape.size, source.field, problems);
  const auto restore_size = ParseSize(source.restore_size, source.field, problems);
  if (!wished.empty() && wished < restore_size) {
    problems.push_back({.reason = reason::kSizeTooSmall,
                        .message = fmt::format("spec.size: {} is less than the {} that snapshot {} "
                                               "of claim {} needs",
                                               wished.text(), restore_size.text(), source.snapshot,
                                               source.claim)});
  }
  // Of two equal ones the text that a person wrote: the request before the snapshot's bytes.
  const auto size = api::Max(api::Max(wished, request), restore_size);
  if (size.bytes() == 0) {
    problems.push_back({.reason = reason::kSizeTooSmall,
                        .message = fmt::format("{}: neither the claim nor the snapshot tells a "
                                               "size: set spec.size",
                                               source.field)});
  }
  return size.text();
}

void CheckClass(const View& view, const Source& source, const std::string& name,
                std::vector<Problem>& problems) {
  if (name.empty()) {
    problems.push_back({.reason = reason::kStorageClassMissing,
                        .message = fmt::format("{}: the claim had no storage class: set "
                                               "spec.storageClassName",
                                               source.field)});
    return;
  }
  const auto found = view.classes.find(name);
  if (found == view.classes.end() || found->second) return;
  problems.push_back({.reason = reason::kStorageClassMissing,
                      .message = fmt::format("{}: there is no StorageClass {}: set "
                                             "spec.storageClassName to one of the same driver",
                                             source.field, name)});
}

NewClaim MakeClaim(std::string name, const api::ClaimSource& source, std::string size) {
  return {.name = std::move(name),
          .labels = source.labels,
          .storage_class_name = source.storage_class_name,
          .access_modes = source.access_modes,
          .volume_mode = source.volume_mode,
          .size = std::move(size)};
}

}  // namespace

Shape ShapeClaim(const View& view, const Source& source) {
  const auto& spec = view.restore.spec;
  Shape shape{.source = source.shape};
  if (!spec.storage_class_name.empty()) {
    shape.source.storage_class_name = spec.storage_class_name;
  }
  if (!spec.access_modes.empty()) shape.source.access_modes = spec.access_modes;
  if (shape.source.access_modes.empty()) shape.source.access_modes = {"ReadWriteOnce"};
  shape.size = ChooseSize(view, source, shape.problems);
  shape.source.size = shape.size;
  CheckClass(view, source, shape.source.storage_class_name, shape.problems);
  if (!IsReplace(view)) {
    shape.source.labels = CopyableLabels(shape.source.labels);
  }
  return shape;
}

std::map<std::string, std::string> CopyableLabels(
    const std::map<std::string, std::string>& labels) {
  std::map<std::string, std::string> copy = labels;
  std::erase_if(copy,
                [](const auto& label) { return StartsWithAny(label.first, kLabelsLeftBehind); });
  return copy;
}

std::map<std::string, std::string> CopyableAnnotations(
    const std::map<std::string, std::string>& annotations) {
  std::map<std::string, std::string> copy = annotations;
  std::erase_if(copy, [](const auto& annotation) {
    return StartsWithAny(annotation.first, kAnnotationsOfTheVolume);
  });
  return copy;
}

NewClaim MakeRestoredClaim(const api::VolumeRestore& restore, const api::RestoredClaim& claim) {
  NewClaim made = MakeClaim(claim.new_, claim.source, claim.size);
  const bool in_place = restore.spec.strategy == api::RestoreStrategy::kReplace;
  for (const auto& [key, value] : OwnLabels(restore.metadata)) {
    // Under the old name the claim stays whose it was: Helm looks at managed-by.
    if (in_place && key == "app.kubernetes.io/managed-by" && made.labels.contains(key)) continue;
    made.labels[key] = value;
  }
  if (in_place) {
    made.annotations = CopyableAnnotations(claim.old_annotations);
  } else {
    made.annotations[kArgoSyncOptions] = kArgoNoPrune;
  }
  made.annotations[kRestoredFromAnnotation] = claim.snapshot;
  made.snapshot = claim.snapshot;
  return made;
}

NewClaim MakeKeptClaim(const api::VolumeRestore& restore, const api::RestoredClaim& claim) {
  NewClaim made = MakeClaim(claim.kept, claim.old_source, claim.old_source.size);
  made.labels = CopyableLabels(claim.old_source.labels);
  for (const auto& [key, value] : OwnLabels(restore.metadata)) made.labels[key] = value;
  made.annotations[kKeptFromAnnotation] = claim.old;
  made.annotations[kArgoSyncOptions] = kArgoNoPrune;
  made.volume = claim.old_volume;
  return made;
}

NewClaim MakeOldClaim(const api::RestoredClaim& claim) {
  NewClaim made = MakeClaim(claim.old, claim.old_source, claim.old_source.size);
  made.annotations = CopyableAnnotations(claim.old_annotations);
  made.volume = claim.old_volume;
  return made;
}

bool IsReady(const View& view, const ClaimView& claim) {
  if (claim.phase == "Bound") return true;
  const auto found = view.classes.find(claim.source.storage_class_name);
  if (found == view.classes.end()) return true;
  return found->second && found->second->waits_for_consumer;
}

}  // namespace stillpoint::controllers::restore
