// From the journal to the last thaw: phases Freezing, Cutting, Thawing.
#include "api/duration.h"
#include "controllers/backup_planner.h"
#include "controllers/reasons.h"
#include "hooks/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

namespace stillpoint::controllers {

using namespace std::chrono_literals;

namespace {

// A driver that answers with an error while the application stands still gets this long to recover.
constexpr auto kSnapshotErrorGrace = 10s;

// A post-hook that fails for so long after the deadline no longer keeps the backup from its end;
// the thaw is still owed and goes on.
constexpr auto kThawPatience = 60s;

// Each one is a stream that is open while the application stands still.
constexpr std::size_t kMostPrepared = 100;

// To a power of two.
std::int64_t RoundedDown(std::int64_t count) {
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(count)));
}

}  // namespace

void BackupPlanner::Freeze() {
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

// As with the attempts, and once it has succeeded.
void BackupPlanner::RecordPostHook(std::size_t index) {
  const hooks::ThawMemory& thaw = view_.targets[index].thaw;
  if (!thaw.last) return;
  const bool first_success = thaw.first_success_at && thaw.first_success_at == thaw.last_success_at;
  if (RoundedDown(thaw.attempts) == thaw.attempts || first_success) {
    RecordHook(index, api::HookPhase::kPost, *thaw.last);
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
  if (view_.thaw_began) return std::nullopt;  // what comes now no longer harms the cuts
  if (!view_.may_freeze) {
    return Loss{reason::kThawedAfterRestart, "the controller was stopped during the freeze"};
  }
  if (now_ >= next_.freeze->deadline && !AllCut()) {
    return Loss{reason::kFreezeExpired,
                fmt::format("not every volume was cut within maxFreeze ({})",
                            api::FormatDuration(spec_.max_freeze))};
  }
  if (auto lost = LostHolder()) return lost;
  return SnapshotTrouble();
}

// Before anybody has asked it to release: told at once, and not when all is cut.
std::optional<BackupPlanner::Loss> BackupPlanner::LostHolder() const {
  for (std::size_t i = 0; i < view_.targets.size(); ++i) {
    const TargetView& known = view_.targets[i];
    const auto& holder = known.thaw.holder;
    const bool held = known.pre && known.pre->Succeeded() && holder && holder->end;
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
  const bool none_sent = std::ranges::none_of(
      view_.targets, [](const TargetView& t) { return t.pre || t.thaw.pre_hook_running; });
  if (none_sent && !view_.held_after_journal->empty()) return StepBack(*view_.held_after_journal);
  Act(StartPreHooks{std::move(due)});
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
  SetCondition("Cut", "True", reason::kCut, Counted(next_.volumes.size(), "volume"));
  Event(false, reason::kCut, "Cut", Counted(next_.volumes.size(), "volume"));
  if (!next_.freeze) return AfterThaw();
  SetPhase(api::BackupPhase::kThawing, reason::kCut);
  Thaw();
  if (!ThawOwed(next_)) AfterThaw();
}

// ---- the thaw ---------------------------------------------------------------------------------

// While the volumes are cut. Only post-hooks with a script can wait for their moment.
void BackupPlanner::PrepareThaws() {
  std::vector<std::size_t> targets;
  for (std::size_t i = 0; i < std::min(view_.targets.size(), kMostPrepared); ++i) {
    const TargetView& known = view_.targets[i];
    const api::FreezeTarget& target = next_.freeze->targets[i];
    const bool waits =
        target.mode == api::HookMode::kCommand && hooks::IsShellForm(target.post_command);
    if (waits && !known.thaw_prepared && target.state == api::FreezeState::kFrozen) {
      targets.push_back(i);
    }
  }
  if (!targets.empty()) Act(PrepareThaw{std::move(targets)});
}

void BackupPlanner::Thaw() {
  if (!next_.freeze) return;
  std::vector<std::size_t> due;
  std::vector<std::size_t> reaps;
  RecordThawProgress(&due, &reaps);
  if (!reaps.empty()) plan_.actions.insert(plan_.actions.begin(), StartReap{std::move(reaps)});
  // Hooks without one that thaws: nothing is to be run, but from now on nothing is believed still.
  const bool nothing_to_run = AllCut() && !view_.thaw_began && !ThawOwed(next_);
  if (due.empty() && !nothing_to_run) return;
  // Before any write: a thaw must not wait for the API server to take a status.
  plan_.actions.insert(plan_.actions.begin(), StartThaw{std::move(due), AllCut()});
}

// The container refused to run it, or its turn did not come before all was given up: it has frozen
// nothing and never will, so nothing is owed.
bool BackupPlanner::NeverBegan(std::size_t index) const {
  const TargetView& known = view_.targets[index];
  if (!known.pre) return view_.own_freeze && !known.thaw.pre_hook_running && !known.thaw.last;
  return known.pre->outcome == hooks::Outcome::kNotStarted && known.pre->ended;
}

void BackupPlanner::RecordThawProgress(std::vector<std::size_t>* due,
                                       std::vector<std::size_t>* reaps) {
  for (std::size_t i = 0; i < view_.targets.size(); ++i) {
    api::FreezeTarget& target = next_.freeze->targets[i];
    if (!hooks::ThawOwed(target)) continue;
    if (NeverBegan(i)) {
      target.state = api::FreezeState::kThawed;
      continue;
    }
    const hooks::ThawDecision decision =
        hooks::PlanThaw(target, *next_.freeze, view_.targets[i].thaw, now_);
    if (decision.reap_now) reaps->push_back(i);
    if (decision.settled) {
      target.state = *decision.settled;
      target.thawed_at = view_.targets[i].thaw_ended_at;
      if (target.state == api::FreezeState::kLost) {
        Event(true, reason::kThawUnconfirmed, "Thaw",
              fmt::format("{}: {}; check by hand that it is not frozen", Place(target),
                          target.mode == api::HookMode::kHeld
                              ? HolderLoss(i).message
                              : std::string("the end of the pre-hook was never seen")));
      }
    } else if (decision.thaw_now) {
      due->push_back(i);
    } else if (decision.wait_until) {
      WakeAt(*decision.wait_until);
    }
    RecordAttempts(i);
  }
}

// Not each of them, as each would be a write: the 2nd, the 4th, the 8th, and how many it took.
void BackupPlanner::RecordAttempts(std::size_t index) {
  api::FreezeTarget& target = next_.freeze->targets[index];
  const hooks::ThawMemory& thaw = view_.targets[index].thaw;
  if (thaw.attempts <= 1) return;
  if (target.thaw_attempts == 0) {
    Event(true, reason::kThawRetrying, "Thaw",
          fmt::format("{}: {}; it is tried again until it succeeds or the pod is gone",
                      Place(target), thaw.last ? thaw.last->Sentence() : std::string("no answer")));
  }
  const auto told = hooks::ThawOwed(target) ? RoundedDown(thaw.attempts) : thaw.attempts;
  target.thaw_attempts = std::max(target.thaw_attempts, told);
}

bool BackupPlanner::ThawOverdue() const {
  return next_.freeze && now_ >= next_.freeze->deadline + kThawPatience;
}

void BackupPlanner::AfterThaw() {
  if (next_.freeze && !ThawOwed(next_) && next_.freeze_duration.empty()) {
    RecordFreezeDuration();
    Event(false, reason::kThawed, "Thaw", StateOfApplication());
  }
  if (ThawOwed(next_)) {
    SetCondition("Stalled", "True", reason::kThawUnconfirmed, StateOfApplication());
    Event(true, reason::kThawUnconfirmed, "Thaw",
          StateOfApplication() + "; the thaw is tried again for as long as the pod exists");
  }
  if (Failing()) return CleanUp();
  if (!next_.consistency) {
    if (!view_.recheck) return DoFirst(RecheckGroup{Unheard()});
    GiveVerdict();
    if (Failing()) return CleanUp();
  }
  SetPhase(api::BackupPhase::kWaitingReady, next_.reason);
  next_.reason = next_.freeze ? reason::kThawed : reason::kCut;
  WaitReady();
}

void BackupPlanner::RecordFreezeDuration() {
  std::optional<api::Time> first;
  std::optional<api::Time> last;
  for (const api::FreezeTarget& target : next_.freeze->targets) {
    if (!target.thawed_at) continue;
    // A pre-hook that never confirmed may have frozen at any time since the intent.
    const api::Time begin = target.frozen_at.value_or(next_.freeze->intended_at);
    if (!first || begin < *first) first = begin;
    if (!last || *target.thawed_at > *last) last = *target.thawed_at;
  }
  if (!first) return;
  next_.freeze_duration =
      api::FormatDuration(std::chrono::duration_cast<api::Duration>(*last - *first));
}

}  // namespace stillpoint::controllers
