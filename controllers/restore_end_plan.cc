#include "controllers/restore_end_plan.h"

#include "controllers/restore_reasons.h"
#include "controllers/restore_status.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

// The claim that holds the old data of `claim` now: name and UID, empty when there is none.
struct OldData {
  std::string name;
  std::string uid;
};

OldData OldDataOf(const View& view, const api::RestoredClaim& claim) {
  if (IsReplace(view)) {
    return {.name = claim.kept, .uid = claim.kept_uid};
  }
  return {.name = claim.old, .uid = claim.old_uid};
}

const PodView* FindUser(const View& view, const std::string& claim) {
  const auto found = std::ranges::find_if(
      view.pods, [&](const PodView& pod) { return !pod.finished && Mounts(pod, claim); });
  return found == view.pods.end() ? nullptr : &*found;
}

// Why the old claim must stay although its deletion was asked for; empty: it may go.
std::string WhyKept(const View& view, const api::RestoredClaim& claim, const OldData& old) {
  const auto* restored = FindClaim(view, claim.new_);
  if (restored == nullptr || restored->uid != claim.new_uid || restored->phase != "Bound") {
    return fmt::format("claim {} is kept: the restored claim {} is not Bound yet", old.name,
                       claim.new_);
  }
  if (const auto* pod = FindUser(view, old.name)) {
    return fmt::format("claim {} is kept: pod {} mounts it", old.name, pod->name);
  }
  return "";
}

// The old volume of a Replace, safe with the claim that keeps it, gets its policy back.
void ReturnPolicy(const View& view, const api::RestoredClaim& claim, Plan& plan) {
  const auto* kept = FindClaim(view, claim.kept);
  const auto* volume = FindVolume(view, claim.old_volume);
  const bool safe = kept != nullptr && volume != nullptr && kept->uid == claim.kept_uid &&
                    kept->phase == "Bound" && volume->claim_uid == kept->uid;
  if (!safe || claim.old_reclaim_policy.empty() ||
      volume->reclaim_policy == claim.old_reclaim_policy) {
    return;
  }
  plan.actions.push_back(
      SetReclaimPolicy{volume->name, volume->resource_version, claim.old_reclaim_policy});
}

void RemoveOld(const View& view, const api::RestoredClaim& claim, Plan& plan) {
  const OldData old = OldDataOf(view, claim);
  const auto* there = FindClaim(view, old.name);
  if (old.uid.empty() || there == nullptr || there->uid != old.uid) return;
  if (const std::string why = WhyKept(view, claim, old); !why.empty()) {
    plan.notices.push_back({Notice::Type::kWarning, reason::kOldClaimsKept, why});
    return;
  }
  plan.actions.push_back(DeleteClaim{old.name, old.uid});
  plan.notices.push_back({.reason = reason::kOldClaimsDeleted,
                          .message = fmt::format("claim {} is deleted", old.name)});
}

bool IsKeptUnbound(const View& view, const api::RestoredClaim& claim) {
  const auto* kept = FindClaim(view, claim.kept);
  return kept != nullptr && kept->uid == claim.kept_uid && !kept->terminating &&
         kept->phase != "Bound";
}

}  // namespace

Plan PlanEnd(const View& view, api::Time now) {
  if (!HasFinalizer(view)) return {};
  Plan plan;
  const auto& restore = view.restore;
  if (restore.status.phase == api::RestorePhase::kCompleted &&
      restore.spec.strategy != api::RestoreStrategy::kClaimsOnly) {
    const auto& claims = restore.status.claims;
    const bool binding =
        std::ranges::any_of(claims, [&](const auto& claim) { return IsKeptUnbound(view, claim); });
    if (binding && !IsExpired(view, now)) return Wait();
    for (const auto& claim : claims) {
      ReturnPolicy(view, claim, plan);
      if (restore.spec.old_claims == api::DeletionPolicy::kDelete) RemoveOld(view, claim, plan);
    }
  }
  plan.actions.push_back(RemoveFinalizer{});
  return plan;
}

}  // namespace stillpoint::controllers::restore
