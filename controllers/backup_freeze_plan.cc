// From the journal to the last cut: phases Freezing and Cutting, and what the execs have told.
#include "api/duration.h"
#include "api/words.h"
#include "controllers/backup_planner.h"
#include "controllers/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::controllers {

using namespace std::chrono_literals;

namespace {

// A driver that answers with an error while the application stands still gets this long to recover.
constexpr auto kSnapshotErrorGrace = 10s;

}  // namespace

void BackupPlanner::Freeze() {
  if (IsOutdated()) return StepBack("its journal came late, and the application is read again");
  RecordTargets();
  FindLoss();
  if (Failing() || view_.thaw_began || next_.phase == api::BackupPhase::kThawing) {
    Thaw();
    if (!ThawOwed(next_) || ThawOverdue()) AfterThaw();
    return;
  }
  AdvanceFreeze();
}

// ---- what the execs have told -----------------------------------------------------------------

void BackupPlanner::RecordTargets() {
  if (!next_.freeze) return;
  for (std::size_t i = 0; i < view_.targets.size(); ++i) {
    const TargetView& known = view_.targets[i];
    api::FreezeTarget& target = next_.freeze->targets[i];
    if (known.pre && !target.pre_command.empty()) RecordHook(i, api::HookPhase::kPre, *known.pre);
    const auto& holder = known.thaw.holder;
    if (holder && holder->end && known.pre && known.pre->Succeeded()) {
      hooks::HookResult end = *holder->end;
      if (!end.Succeeded() && end.error.empty()) end.error = end.HeldSentence();
      RecordHook(i, api::HookPhase::kPost, end);
    }
    RecordPostHook(i);
    if (target.state == api::FreezeState::kIntended && known.pre && known.pre->Succeeded()) {
      target.state = api::FreezeState::kFrozen;
      target.frozen_at = known.pre_ended_at;
    }
  }
}

void BackupPlanner::RecordHook(std::size_t index, api::HookPhase phase,
                               const hooks::HookResult& result) {
  const api::FreezeTarget& target = next_.freeze->targets[index];
  api::HookStatus entry{.pod = target.pod,
                        .pod_uid = target.pod_uid,
                        .container = target.container,
                        .hook = target.hook,
                        .phase = phase,
                        .exit_code = result.exit_code,
                        .duration = result.duration,
                        .output_tail = result.output_tail,
                        .error = result.error};
  const auto same = std::ranges::find_if(next_.hooks, [&](const api::HookStatus& h) {
    return h.pod_uid == entry.pod_uid && h.container == entry.container && h.hook == entry.hook &&
           h.phase == entry.phase;
  });
  if (same == next_.hooks.end()) {
    next_.hooks.push_back(std::move(entry));
  } else {
    *same = std::move(entry);
  }
}

// ---- is the freeze still worth something? -----------------------------------------------------

// A loss is decided once. It ends the backup, or with onInconsistent: Keep only its verdict.
void BackupPlanner::FindLoss() {
  if (Failing()) return;
  if (WantsCancel()) return Fail(reason::kCancelled, "cancelled by the user");
  if (next_.consistency) return;
  const std::optional<Loss> loss = CurrentLoss();
  if (!loss) return;
  if (spec_.on_inconsistent == api::OnInconsistent::kFail) return Fail(loss->reason, loss->message);
  next_.consistency = api::Consistency::kCrash;
  next_.consistency_reason = loss->reason;
  SetPhase(api::BackupPhase::kThawing, loss->reason);
  SetCondition("Frozen", "False", loss->reason, loss->message);
  Event(true, reason::kInconsistent, "Freeze",
        loss->message + "; kept as crash-consistent (onInconsistent: Keep)");
}

std::optional<BackupPlanner::Loss> BackupPlanner::CurrentLoss() const {
  if (!next_.freeze) return std::nullopt;  // nothing stands still: readyTimeout decides
  if (!view_.own_freeze) {
    return Loss{reason::kThawedAfterRestart,
                "the controller was replaced during the freeze; the application was thawed first"};
  }
  if (auto failed = FailedPreHook()) return failed;
  if (view_.cut_before_thaw) return std::nullopt;  // what comes now no longer harms the cuts
  if (!view_.may_freeze) {
    return Loss{reason::kThawedAfterRestart, "the controller was stopped during the freeze"};
  }
  if (now_ >= next_.freeze->deadline && !AllCut()) {
    return Loss{reason::kFreezeExpired,
                fmt::format("not every volume was cut within maxFreeze ({})",
                            api::FormatDuration(spec_.max_freeze))};
  }
  if (auto lost = LostHolder()) return lost;
  if (auto trouble = SnapshotTrouble()) return trouble;
  // It has begun because of a loss, and the write that said so was refused.
  if (view_.thaw_began) return BegunInVain();
  return std::nullopt;
}

// Before anybody has asked it to release: told at once, and not when all is cut.
std::optional<BackupPlanner::Loss> BackupPlanner::LostHolder() const {
  for (std::size_t i = 0; i < view_.targets.size(); ++i) {
    const TargetView& known = view_.targets[i];
    const auto& holder = known.thaw.holder;
    const bool held =
        known.pre && known.pre->Succeeded() && holder && holder->end && !holder->asked;
    if (held && next_.freeze->targets[i].on_error == api::OnError::kFail) return HolderLoss(i);
  }
  return std::nullopt;
}

std::optional<BackupPlanner::Loss> BackupPlanner::FailedPreHook() const {
  for (std::size_t i = 0; i < view_.targets.size(); ++i) {
    const auto& pre = view_.targets[i].pre;
    const api::FreezeTarget& target = next_.freeze->targets[i];
    if (!pre || pre->Succeeded() || target.on_error == api::OnError::kContinue) continue;
    const bool late = pre->outcome == hooks::Outcome::kTimedOut;
    return Loss{late ? reason::kHookTimedOut : reason::kHookFailed,
                fmt::format("pre-hook {} in {}: {}", target.hook, Place(target), pre->Sentence())};
  }
  return std::nullopt;
}

// Errors of a snapshot are often transient: they count only after a grace.
std::optional<BackupPlanner::Loss> BackupPlanner::SnapshotTrouble() const {
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    const SnapshotView& snapshot = view_.snapshots[i];
    if (!snapshot.failing_since || next_.volumes[i].cut_at) continue;
    if (now_ < *snapshot.failing_since + kSnapshotErrorGrace) continue;
    return Loss{reason::kSnapshotFailed, fmt::format("the snapshot of claim {} fails: {}",
                                                     next_.volumes[i].claim, snapshot.error)};
  }
  return std::nullopt;
}

// ---- forward ----------------------------------------------------------------------------------

bool BackupPlanner::PreHooksDone() const {
  return std::ranges::all_of(view_.targets, [](const TargetView& t) { return t.pre.has_value(); });
}

// Of the lowest weight that is not done, those that nobody has sent yet.
std::vector<std::size_t> BackupPlanner::DuePreHooks() const {
  const auto known = [&](std::size_t i) {
    return i < view_.targets.size() ? view_.targets[i] : TargetView{};
  };
  std::optional<std::int64_t> weight;
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < next_.freeze->targets.size(); ++i) {
    const std::int64_t own = next_.freeze->targets[i].weight;
    if (known(i).pre || (weight && own > *weight)) continue;
    // Settled already: nothing would thaw it any more. The deadline ends this backup.
    if (!hooks::ThawOwed(next_.freeze->targets[i])) continue;
    if (!weight || own < *weight) due.clear();
    weight = own;
    if (!known(i).thaw.pre_hook_running) due.push_back(i);
  }
  return due;
}

// Those that are due; before the first ones, once it is known that no restore is in the way.
void BackupPlanner::SendPreHooks() {
  std::vector<std::size_t> due = DuePreHooks();
  if (due.empty()) return;
  if (!view_.held_after_journal) return Act(AskRestores{});
  if (NoneSent() && !view_.held_after_journal->empty()) return StepBack(*view_.held_after_journal);
  Act(StartPreHooks{std::move(due)});
}

bool BackupPlanner::NoneSent() const {
  return std::ranges::none_of(view_.targets,
                              [](const TargetView& t) { return t.pre || t.thaw.pre_hook_running; });
}

// A journal can lie in the network until nobody waits for its answer any more, and land when the
// application was read again: it names other pods than those that we now know of.
bool BackupPlanner::IsOutdated() const {
  return view_.own_freeze && view_.read_since && view_.may_freeze && GoesForward() && !Failing() &&
         !view_.thaw_began && NoneSent();
}

// To where we were before the journal: no hook was sent, so no thaw is owed.
void BackupPlanner::StepBack(const std::string& why) {
  next_.freeze.reset();
  next_.volumes.clear();
  next_.volumes_ready.clear();
  next_.start_time.reset();
  SetCondition("Frozen", "False", reason::kQueued, why);
  WaitForTurn(why);
  CommitStatus();
  Act(ReservePods{});
}

void BackupPlanner::AdvanceFreeze() {
  if (next_.freeze) {
    WakeAt(next_.freeze->deadline);
    if (!PreHooksDone()) return SendPreHooks();
    if (next_.phase == api::BackupPhase::kFreezing) {
      SetPhase(api::BackupPhase::kCutting, reason::kFrozen);
      SetCondition("Frozen", "True", reason::kFrozen,
                   fmt::format("{} of {} pre-hooks confirmed",
                               std::ranges::count_if(
                                   view_.targets,
                                   [](const TargetView& t) { return t.pre && t.pre->Succeeded(); }),
                               view_.targets.size()));
      Event(false, reason::kFrozen, "Freeze", "the application stands still, cutting its volumes");
    }
  }
  if (!AllCut()) {
    // Without a freeze the clean-up may come in this very pass: nothing is created then.
    if (next_.freeze || now_ < ReadyDeadline()) CreateMissingSnapshots();
    if (next_.freeze) PrepareThaws();
    ReadLateContents();
    return next_.freeze ? void() : JudgeUnready();
  }
  SetCondition("Cut", "True", reason::kCut, api::Counted(next_.volumes.size(), "volume"));
  Event(false, reason::kCut, "Cut", api::Counted(next_.volumes.size(), "volume"));
  if (!next_.freeze) return AfterThaw();
  SetPhase(api::BackupPhase::kThawing, reason::kCut);
  Thaw();
  if (!ThawOwed(next_)) AfterThaw();
}

}  // namespace stillpoint::controllers
