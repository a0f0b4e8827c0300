// The thaw, from its preparation to the last one: phases Cutting and Thawing, and a debt that is
// left.
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

// Not each of them, as each would be a write: the 2nd, the 4th, the 8th, and how many it took. What
// the controller before has sent and not told counts as one.
void BackupPlanner::RecordAttempts(std::size_t index) {
  api::FreezeTarget& target = next_.freeze->targets[index];
  const hooks::ThawMemory& thaw = view_.targets[index].thaw;
  const std::int64_t before_us = view_.own_freeze ? 0 : 1;
  const std::int64_t told =
      hooks::ThawOwed(target) ? RoundedDown(thaw.attempts) : thaw.attempts + before_us;
  if (told <= 1) return;
  // It may be run twice to be sure, without a failure.
  const bool failed = thaw.failures_in_a_row > 0 || thaw.first_success_at == thaw.last_success_at;
  if (thaw.attempts > 1 && target.thaw_attempts == 0 && failed) {
    const std::string last = thaw.last ? thaw.last->Sentence() : std::string("no answer");
    Event(true, reason::kThawRetrying, "Thaw",
          thaw.failures_in_a_row > 0
              ? fmt::format("{}: {}; it is tried again until it succeeds or the pod is gone",
                            Place(target), last)
              : fmt::format("{}: it took {} attempts", Place(target), thaw.attempts));
  }
  target.thaw_attempts = std::max(target.thaw_attempts, told);
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

bool BackupPlanner::ThawOverdue() const {
  return next_.freeze && now_ >= next_.freeze->deadline + kThawPatience;
}

void BackupPlanner::AfterThaw() {
  if (next_.freeze && !ThawOwed(next_) && next_.freeze_duration.empty()) {
    RecordFreezeDuration();
    const bool thawed = NeverThawed().size() < next_.freeze->targets.size();
    if (thawed) Event(false, reason::kThawed, "Thaw", StateOfApplication());
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
