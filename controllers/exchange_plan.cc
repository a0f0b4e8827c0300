#include "controllers/replace_plan.h"
#include "controllers/restore_claims_plan.h"
#include "controllers/restore_reasons.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

// Whose claim stands under the old name.
enum class Holder {
  kNobody,
  kOriginal,  // the very claim that was there before
  kRestored,  // ours, from the snapshot
  kReturned,  // the old claim made again, on the old volume
  kStranger,
};

Holder HolderOf(const View& view, const api::RestoredClaim& claim) {
  const auto* at = FindClaim(view, claim.old);
  if (at == nullptr) return Holder::kNobody;
  if (!claim.old_uid.empty() && at->uid == claim.old_uid) return Holder::kOriginal;
  if (!claim.old_volume.empty() && at->volume == claim.old_volume) return Holder::kReturned;
  if (at->restore_uid == view.restore.metadata.uid) return Holder::kRestored;
  return Holder::kStranger;
}

// References: what they are to say is made from the claim of the step.
ExchangeStep Waiting(ExchangeStep&& step, std::string what) {
  step.waiting_for = std::move(what);
  return std::move(step);
}

ExchangeStep Stuck(ExchangeStep&& step, const char* reason, std::string message) {
  step.waiting_for = message;
  step.problem = Problem{reason, std::move(message)};
  return std::move(step);
}

// Reserves the old volume for `name` unless that is done.
void Reserve(const VolumeView& volume, const std::string& name, ExchangeStep& step) {
  if (volume.claim == name && volume.claim_uid.empty()) return;
  step.actions.push_back(ReserveVolume{volume.name, volume.resource_version, name});
}

// Makes sure that `kept` holds the old volume. REQUIRES: the old claim is gone.
void KeepOldVolume(const View& view, ExchangeStep& step) {
  const auto& claim = step.claim;
  if (claim.kept.empty()) return;
  const auto* kept = FindClaim(view, claim.kept);
  if (kept != nullptr) {
    if (kept->restore_uid != view.restore.metadata.uid) {
      step.problem = Problem{reason::kClaimNameTaken,
                             fmt::format("somebody made a claim {} meanwhile", claim.kept)};
    }
    step.claim.kept_uid = kept->uid;
    return;
  }
  const auto* volume = FindVolume(view, claim.old_volume);
  if (volume == nullptr) {
    step.problem = Problem{reason::kWorkloadChanged,
                           fmt::format("PersistentVolume {} of claim {} cannot be read any more",
                                       claim.old_volume, claim.old)};
    return;
  }
  Reserve(*volume, claim.kept, step);
  step.actions.push_back(CreateClaim{MakeKeptClaim(view.restore, claim)});
}

// The old claim goes, but only once its volume would outlive it, and nobody holds it: there is no
// way back for a claim that is being deleted, and it would stay so until the last pod is gone, of
// those too that have ended:
// https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
ExchangeStep RemoveOriginal(const View& view, ExchangeStep step) {
  const auto& claim = step.claim;
  if (FindClaim(view, claim.old)->terminating) {
    return Waiting(std::move(step), fmt::format("claim {} to go", claim.old));
  }
  const auto* volume = FindVolume(view, claim.old_volume);
  const bool safe =
      claim.old_volume.empty() || (volume != nullptr && volume->reclaim_policy == "Retain");
  if (!safe) {
    return Waiting(
        std::move(step),
        fmt::format("PersistentVolume {} to have the reclaim policy Retain", claim.old_volume));
  }
  const auto holder =
      std::ranges::find_if(view.pods, [&](const PodView& pod) { return Mounts(pod, claim.old); });
  if (holder != view.pods.end()) {
    return Waiting(std::move(step), fmt::format("pod {} to be deleted, which holds claim {}",
                                                holder->name, claim.old));
  }
  step.actions.push_back(DeleteClaim{claim.old, claim.old_uid});
  return step;
}

// Back: what is left once the old claim is on its volume again.
ExchangeStep Tidy(const View& view, ExchangeStep step) {
  const auto& claim = step.claim;
  step.in_place = true;
  const auto* kept = FindClaim(view, claim.kept);
  if (kept != nullptr && kept->restore_uid == view.restore.metadata.uid && !kept->terminating) {
    step.actions.push_back(DeleteClaim{kept->name, kept->uid});
  }
  const auto* volume = FindVolume(view, claim.old_volume);
  if (volume != nullptr && !claim.old_reclaim_policy.empty() &&
      volume->reclaim_policy != claim.old_reclaim_policy) {
    step.actions.push_back(
        SetReclaimPolicy{volume->name, volume->resource_version, claim.old_reclaim_policy});
  }
  step.done = step.actions.empty();
  return step;
}

// Back: nobody holds the old name.
ExchangeStep ReturnOld(const View& view, ExchangeStep step) {
  const auto& claim = step.claim;
  if (const auto* kept = FindClaim(view, claim.kept); kept != nullptr) {
    if (kept->terminating) {
      return Waiting(std::move(step), fmt::format("claim {} to go", claim.kept));
    }
    step.actions.push_back(DeleteClaim{kept->name, kept->uid});
    return step;
  }
  if (!claim.old_volume.empty()) {
    const auto* volume = FindVolume(view, claim.old_volume);
    if (volume == nullptr) {
      return Stuck(std::move(step), reason::kWorkloadChanged,
                   fmt::format("PersistentVolume {} of claim {} cannot be read", claim.old_volume,
                               claim.old));
    }
    Reserve(*volume, claim.old, step);
  }
  step.actions.push_back(CreateClaim{MakeOldClaim(claim)});
  return step;
}

}  // namespace

ExchangeStep ExchangeForward(const View& view, const api::RestoredClaim& claim) {
  ExchangeStep step{.claim = claim};
  const Holder holder = HolderOf(view, claim);
  if (holder == Holder::kOriginal) return RemoveOriginal(view, std::move(step));
  if (holder == Holder::kStranger || holder == Holder::kReturned) {
    return Stuck(std::move(step), reason::kClaimNameTaken,
                 fmt::format("somebody made a claim {} meanwhile", claim.old));
  }
  KeepOldVolume(view, step);
  if (step.problem) return step;
  if (holder == Holder::kNobody) {
    step.actions.push_back(CreateClaim{MakeRestoredClaim(view.restore, claim)});
    return step;
  }
  const auto& restored = *FindClaim(view, claim.new_);
  step.claim.new_uid = restored.uid;
  step.claim.bound = restored.phase == "Bound";
  step.done = step.actions.empty() && !restored.terminating && IsReady(view, restored);
  step.waiting_for = fmt::format("claim {} to be Bound", claim.new_);
  return step;
}

ExchangeStep ExchangeBack(const View& view, const api::RestoredClaim& claim) {
  ExchangeStep step{.claim = claim};
  const auto* at = FindClaim(view, claim.old);
  switch (HolderOf(view, claim)) {
    case Holder::kOriginal:
      // A deletion cannot be taken back: the claim goes, then it is made again.
      if (at->terminating) {
        return Waiting(std::move(step), fmt::format("claim {} to go", claim.old));
      }
      return Tidy(view, std::move(step));
    case Holder::kReturned:
      if (at->phase != "Bound" || at->terminating) {
        return Waiting(std::move(step), fmt::format("claim {} to be Bound", claim.old));
      }
      return Tidy(view, std::move(step));
    case Holder::kRestored:
      if (at->terminating) {
        return Waiting(std::move(step), fmt::format("claim {} to go", claim.old));
      }
      step.actions.push_back(DeleteClaim{at->name, at->uid});
      return step;
    case Holder::kStranger:
      // A claim without a volume has nothing that would make it known again.
      if (claim.old_volume.empty()) return Tidy(view, std::move(step));
      return Stuck(std::move(step), reason::kClaimNameTaken,
                   fmt::format("somebody made a claim {} meanwhile", claim.old));
    case Holder::kNobody:
      if (claim.old_uid.empty()) return Tidy(view, std::move(step));
      return ReturnOld(view, std::move(step));
  }
  return step;
}

}  // namespace stillpoint::controllers::restore
