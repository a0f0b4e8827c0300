#include "controllers/repoint_plan.h"

#include "api/words.h"
#include "controllers/restore_reasons.h"
#include "controllers/restore_status.h"
#include "controllers/rollout_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::controllers::restore {
namespace {

const ClaimVolume* FindVolumeOf(const Workload& workload, const std::string& name) {
  const auto& volumes = workload.claim_volumes;
  const auto found = std::ranges::find(volumes, name, &ClaimVolume::name);
  return found == volumes.end() ? nullptr : &*found;
}

// The claim that a recorded volume shall point to after the repoint.
std::string NewNameOf(const api::VolumeRestoreStatus& status, const std::string& old) {
  const auto found = std::ranges::find(status.claims, old, &api::RestoredClaim::old);
  return found == status.claims.end() ? "" : found->new_;
}

// By the label, so that a claim made just before a crash goes too.
std::vector<Action> RemoveNewClaims(const View& view) {
  std::vector<Action> actions;
  for (const auto& claim : view.restore.status.claims) {
    const auto* made = FindClaim(view, claim.new_);
    if (made == nullptr || made->restore_uid != view.restore.metadata.uid || made->terminating) {
      continue;
    }
    actions.push_back(DeleteClaim{made->name, made->uid});
  }
  return actions;
}

// Whether the template was ever patched: its generation moves with the first patch.
bool WasRepointed(const View& view, const Workload& workload) {
  const auto& before = *view.restore.status.workload;
  return !before.volumes.empty() && workload.metadata.generation != before.generation;
}

}  // namespace

std::vector<api::TemplateVolume> VolumesToRepoint(const Workload& workload,
                                                  const std::vector<api::RestoredClaim>& claims) {
  std::vector<api::TemplateVolume> volumes;
  for (const auto& volume : workload.claim_volumes) {
    if (std::ranges::find(claims, volume.claim, &api::RestoredClaim::old) == claims.end()) continue;
    volumes.push_back({.name = volume.name, .claim_name = volume.claim});
  }
  return volumes;
}

std::vector<VolumeChange> ChangesLeft(const Workload& workload,
                                      const api::VolumeRestoreStatus& status, Direction direction) {
  std::vector<VolumeChange> changes;
  for (const auto& recorded : status.workload->volumes) {
    std::string from = recorded.claim_name;
    std::string to = NewNameOf(status, recorded.claim_name);
    if (direction == Direction::kBack) std::swap(from, to);
    const auto* volume = FindVolumeOf(workload, recorded.name);
    if (volume == nullptr || volume->claim != from || from == to) continue;
    changes.push_back({.volume = volume->name, .index = volume->index, .from = from, .to = to});
  }
  return changes;
}

std::vector<std::string> StrangeVolumes(const Workload& workload,
                                        const api::VolumeRestoreStatus& status) {
  std::vector<std::string> strange;
  for (const auto& recorded : status.workload->volumes) {
    const auto* volume = FindVolumeOf(workload, recorded.name);
    const bool known =
        volume != nullptr && (volume->claim == recorded.claim_name ||
                              volume->claim == NewNameOf(status, recorded.claim_name));
    if (!known) strange.push_back(recorded.name);
  }
  return strange;
}

Seen SeenAs(const Workload& workload) {
  return {.ref = RefOf(workload),
          .uid = workload.metadata.uid,
          .resource_version = workload.metadata.resource_version};
}

std::set<std::string> OldNames(const api::VolumeRestoreStatus& status) {
  std::set<std::string> names;
  for (const auto& claim : status.claims) names.insert(claim.old);
  return names;
}

std::set<std::string> NewNames(const api::VolumeRestoreStatus& status) {
  std::set<std::string> names;
  for (const auto& claim : status.claims) names.insert(claim.new_);
  return names;
}

Plan PlanRepointing(const View& view, api::Time now) {
  const auto& status = view.restore.status;
  if (const auto strange = StrangeVolumes(*view.workload, status); !strange.empty()) {
    return PlanFailure(
        view,
        {reason::kWorkloadChanged,
         fmt::format("somebody changed volume {} of {} meanwhile", strange.front(), status.target)},
        now);
  }
  auto changes = ChangesLeft(*view.workload, status, Direction::kForward);
  if (!changes.empty()) {
    return {.actions = {PatchVolumes{SeenAs(*view.workload), std::move(changes)}},
            .requeue_after = kPoll};
  }
  auto next = Refreshed(view);
  const std::string message =
      fmt::format("repointed {} of the template of {} to the restored claims",
                  api::Counted(status.workload->volumes.size(), "volume"), status.target);
  SetDone(next, "WorkloadUpdated", reason::kWorkloadRepointed, message, now);
  Enter(next, api::RestorePhase::kWaitingRollout, "waiting for the rollout", now);
  return Record(view, std::move(next),
                {{.reason = reason::kWorkloadRepointed, .message = message}});
}

Plan PlanRepointRollback(const View& view, api::Time now) {
  std::string note;
  if (const auto* workload = FindTarget(view)) {
    auto changes = ChangesLeft(*workload, view.restore.status, Direction::kBack);
    if (!changes.empty()) {
      return {.actions = {PatchVolumes{SeenAs(*workload), std::move(changes)}},
              .requeue_after = kPoll};
    }
    if (WasRepointed(view, *workload)) {
      const Rollout rollout = JudgeRollout(*workload, view.pods, NewNames(view.restore.status));
      if (rollout.state != Rollout::State::kComplete) {
        if (!IsExpired(view, now)) return Wait();
        // A rolling update keeps what is ready until the pods of before are, and they may never
        // have been. Whatever runs on the restored claims keeps them, and nothing is undone.
        const auto* user = FindUser(*workload, view.pods, NewNames(view.restore.status));
        if (user != nullptr) {
          return PlanRollbackFailed(
              view, fmt::format("pod {} still runs on the restored claims", user->name), now);
        }
        // It may never have been ready before either, which is often why it is restored.
        note = fmt::format("but not ready ({})", rollout.message);
      }
    }
  } else if (view.restore.status.workload) {
    note = "but the workload itself was deleted meanwhile";
  }
  auto removals = RemoveNewClaims(view);
  if (removals.empty()) return PlanRolledBack(view, note, now);
  return {.actions = std::move(removals), .requeue_after = kPoll};
}

}  // namespace stillpoint::controllers::restore
