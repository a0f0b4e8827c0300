// What a backup is worth: the verdict, after the last thaw.
#include "controllers/backup_planner.h"
#include "controllers/reasons.h"
#include "hooks/guard.h"
#include "hooks/guard_bound.h"
#include "hooks/hold_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace stillpoint::controllers {

using namespace std::chrono_literals;

std::string Place(const api::FreezeTarget& target) {
  return fmt::format("{}/{}", target.pod, target.container);
}

std::optional<api::Time> MayThawUntil(const api::FreezeTarget& target) {
  // A closed connection sends what it still has for some 100 s: tcp_orphan_retries in
  // https://docs.kernel.org/networking/ip-sysctl.html
  constexpr auto kLongestOnTheWay = 2min;
  // Whoever has lost the lead may have seen so long before that the thaw is owed.
  constexpr auto kLook = 2s;
  if (target.post_command.empty() || target.thaw_attempts < 2) return std::nullopt;
  if (hooks::IsShellForm(target.post_command)) {
    if (!target.thawed_at) return std::nullopt;
    return *target.thawed_at + hooks::LongestGuardedLife(target.timeout) + kLook;
  }
  return target.thawed_at ? *target.thawed_at + kLongestOnTheWay : api::Time::max();
}

std::vector<std::string> PodsToThawLate(const api::VolumeBackupStatus& status, api::Time now) {
  std::vector<std::string> pods;
  if (!status.freeze) return pods;
  for (const api::FreezeTarget& target : status.freeze->targets) {
    const auto until = MayThawUntil(target);
    const bool soon = hooks::IsShellForm(target.post_command);
    if (until && soon && now < *until) pods.push_back(target.pod_uid);
  }
  return pods;
}

std::string StrayThaw(const api::VolumeBackup& backup, const api::VolumeBackup& other) {
  if (!backup.status.freeze || !other.status.freeze) return {};
  const api::FreezeStatus& freeze = *backup.status.freeze;
  for (const api::FreezeTarget& sent : other.status.freeze->targets) {
    const auto until = MayThawUntil(sent);
    if (!until || *until < freeze.intended_at) continue;
    const bool same = std::ranges::any_of(freeze.targets, [&](const api::FreezeTarget& own) {
      return own.pod_uid == sent.pod_uid && own.container == sent.container;
    });
    if (!same) continue;
    return fmt::format(
        "backup {} has sent its post-hook to {} {} times: one that came late may have "
        "ended the stillness",
        other.metadata.name, Place(sent), sent.thaw_attempts);
  }
  return {};
}

// Application only if every volume was cut while every pod was still, by what this process has
// itself seen. Anything less is Crash, with the reason.
void BackupPlanner::GiveVerdict() {
  const std::optional<Loss> broken = BrokenStillness();
  if (!broken) {
    next_.consistency = api::Consistency::kApplication;
    next_.consistency_reason = reason::kSucceeded;
    return;
  }
  const bool asked_for = broken->reason == reason::kSessionLock ||
                         broken->reason == reason::kHookFailed ||
                         broken->reason == reason::kNoHooks;
  if (!asked_for && spec_.on_inconsistent == api::OnInconsistent::kFail) {
    return Fail(broken->reason, broken->message);
  }
  next_.consistency = api::Consistency::kCrash;
  next_.consistency_reason = broken->reason;
  Event(true, reason::kInconsistent, "Verify",
        fmt::format("crash-consistent only: {}; {}", broken->message, StateOfApplication()));
}

std::optional<BackupPlanner::Loss> BackupPlanner::BrokenStillness() const {
  if (!view_.cut_before_thaw) return BegunInVain();
  for (std::size_t i = 0; i < next_.volumes.size(); ++i) {
    if (CutFromAnother(i)) return Loss{reason::kInconsistent, next_.volumes[i].error};
  }
  if (!view_.recheck->error.empty()) {
    return Loss{reason::kInconsistent,
                "the pods could not be looked at after the thaw: " + view_.recheck->error};
  }
  if (!view_.recheck->newcomers.empty()) {
    return Loss{
        reason::kPodReplaced,
        fmt::format("pod {} appeared during the freeze and was not brought to a still point",
                    view_.recheck->newcomers.front())};
  }
  if (view_.recheck->changed) {
    return Loss{reason::kPodReplaced,
                fmt::format("{} was changed during the freeze: pods of it may have begun and ended "
                            "meanwhile",
                            next_.target)};
  }
  for (std::size_t i = 0; i < view_.targets.size(); ++i) {
    if (next_.freeze->targets[i].pre_command.empty()) continue;
    if (auto broken = BrokenHook(i)) return broken;
  }
  if (!view_.stray_thaw.empty()) return Loss{reason::kInconsistent, view_.stray_thaw};
  if (!view_.writers.empty()) {
    return Loss{reason::kNoHooks, view_.writers.front()};
  }
  return std::nullopt;
}

BackupPlanner::Loss BackupPlanner::BegunInVain() const {
  return {reason::kFreezeExpired, "the thaw began before every volume was cut"};
}

BackupPlanner::Loss BackupPlanner::HolderLoss(std::size_t index) const {
  const api::FreezeTarget& target = next_.freeze->targets[index];
  const auto& holder = view_.targets[index].thaw.holder;
  const bool expired = holder && holder->end && holder->end->exit_code == hooks::kHoldExpired;
  return {expired ? reason::kFreezeExpired : reason::kHolderLost,
          fmt::format("held hook {} in {}: {}", target.hook, Place(target),
                      holder && holder->end ? holder->end->HeldSentence()
                                            : std::string("its end was not seen"))};
}

// The status of a pod is what its kubelet last said, and that may be long ago. That a container
// lived on until after the cut is known from itself: its post-hook has run, or its holder has
// answered. Where there is neither it is asked by a command that does nothing.
bool BackupPlanner::NeedsAnswer(std::size_t index) const {
  const api::FreezeTarget& target = next_.freeze->targets[index];
  const auto& pre = view_.targets[index].pre;
  return target.mode == api::HookMode::kCommand && target.post_command.empty() &&
         !target.pre_command.empty() && pre && pre->Succeeded();
}

std::vector<std::size_t> BackupPlanner::Unheard() const {
  std::vector<std::size_t> unheard;
  const bool in_vain = view_.thaw_began && !view_.cut_before_thaw;
  if (!next_.freeze || in_vain) return unheard;
  for (std::size_t i = 0; i < view_.targets.size(); ++i) {
    if (NeedsAnswer(i)) unheard.push_back(i);
  }
  return unheard;
}

bool BackupPlanner::HasAnswered(std::size_t index) const {
  const TargetView& known = view_.targets[index];
  if (known.thaw.last_success_at) return true;
  const auto asked = view_.recheck->answers.find(index);
  const hooks::HookResult* answer = known.thaw.last ? &*known.thaw.last : nullptr;
  if (asked != view_.recheck->answers.end()) answer = &asked->second;
  // Whatever it was: that the image has no such program is an answer too.
  return answer != nullptr && answer->ended && answer->container_id == known.pre->container_id;
}

std::optional<BackupPlanner::Loss> BackupPlanner::BrokenHook(std::size_t index) const {
  const api::FreezeTarget& target = next_.freeze->targets[index];
  const auto& pre = view_.targets[index].pre;
  if (!pre || !pre->Succeeded()) {
    return Loss{reason::kHookFailed,
                fmt::format("pre-hook {} in {}: {} (onError: Continue)", target.hook, Place(target),
                            pre ? pre->Sentence() : std::string("did not run"))};
  }
  const auto pod = view_.recheck->containers.find(target.pod_uid);
  const bool same_life = pod != view_.recheck->containers.end() &&
                         pod->second.contains(target.container) &&
                         pod->second.at(target.container) == pre->container_id;
  if (!same_life) {
    return Loss{reason::kPodReplaced,
                fmt::format("{} was restarted or replaced during the freeze", Place(target))};
  }
  if (target.session_lock) {
    return Loss{reason::kSessionLock,
                fmt::format("pre-hook {} in {} takes a lock that ended with its client, before the "
                            "volumes were cut",
                            target.hook, Place(target))};
  }
  if (target.mode == api::HookMode::kCommand) {
    if (HasAnswered(index)) return std::nullopt;
    return Loss{reason::kInconsistent,
                fmt::format("{} did not answer after the last cut, so that nobody knows whether it "
                            "stood still until then",
                            Place(target))};
  }
  // Asked after the last cut was seen, it has answered that it had held until then.
  const auto& holder = view_.targets[index].thaw.holder;
  if (holder && holder->asked && holder->end && holder->end->Succeeded()) return std::nullopt;
  Loss loss = HolderLoss(index);
  if (target.on_error == api::OnError::kContinue) loss.reason = reason::kHookFailed;
  return loss;
}

}  // namespace stillpoint::controllers
