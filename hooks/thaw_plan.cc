#include "hooks/thaw_plan.h"

#include "hooks/guard_bound.h"
#include "hooks/hold_script.h"

#include <algorithm>
#include <chrono>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry = 200ms;
constexpr milliseconds kLongestRetry = 10s;
constexpr milliseconds kUnconfirmedRetry = 1min;
constexpr auto kUnconfirmedAfter = 1h;
constexpr std::int64_t kUnconfirmedAttempts = 200;

// Between two thaws while the pre-hook may still run.
constexpr milliseconds kRepeat = 3s;
constexpr auto kUnguardedPatience = 60s;

// From `at` on the pre-hook freezes no more; or we no longer wait for it.
struct Quiet {
  api::Time at;
  api::FreezeState verdict;
};

// When the last process of a pre-hook that cannot outlive its stream for long is gone.
api::Time DeadAt(const api::FreezeTarget& target, const api::FreezeStatus& journal) {
  if (target.mode == api::HookMode::kCommand) {
    return journal.intended_at + LongestGuardedLife(target.timeout);
  }
  const auto bound = std::chrono::ceil<milliseconds>(journal.deadline - journal.intended_at);
  return journal.intended_at + LongestHeldLife(target.timeout, bound);
}

// No script of the pre-hook that is told to begin (begin_request.h) has been started later. 4 s: as
// in guard_bound.h.
api::Time LastStart(const api::FreezeTarget& target, const api::FreezeStatus& journal) {
  return journal.intended_at + ConnectTimeout(target.timeout) + 4s;
}

bool MayBeginLater(const api::FreezeTarget& target, const ThawMemory& memory) {
  return target.state == api::FreezeState::kIntended && !memory.pre_hook_began;
}

// Whether it may run somewhere, unseen, with a script that can be found.
bool RunsUnseen(const api::FreezeTarget& target, const ThawMemory& memory) {
  if (target.pre_command.empty() || memory.pre_hook_running || memory.pre_hook_ended_at) {
    return false;
  }
  if (target.mode == api::HookMode::kCommand) {
    return target.guarded && target.state == api::FreezeState::kIntended;
  }
  const auto& holder = memory.holder;
  return !holder || (!holder->running && !(holder->end && holder->end->ended));
}

Quiet QuietFrom(const api::FreezeTarget& target, const api::FreezeStatus& journal,
                const ThawMemory& memory) {
  using enum api::FreezeState;
  const bool held = target.mode == api::HookMode::kHeld;
  // First: a thaw that was sent while the pre-hook was on its way may have overtaken it, and then
  // it was in vain, though the freeze is confirmed since.
  if (memory.pre_hook_ended_at) return {*memory.pre_hook_ended_at, kThawed};
  if (target.pre_command.empty() || (!held && target.state == kFrozen)) {
    return {journal.intended_at, kThawed};
  }
  if (!held && !target.guarded) {
    return {journal.intended_at + target.timeout + kUnguardedPatience, kLost};
  }
  return {std::max(*memory.first_success_at + kRepeat, DeadAt(target, journal)), kThawed};
}

milliseconds Backoff(std::int64_t failures) {
  milliseconds delay = kFirstRetry;
  for (std::int64_t i = 1; i < failures && delay < kLongestRetry; ++i) delay *= 2;
  return std::min(delay, kLongestRetry);
}

ThawTrouble TroubleOf(const api::FreezeTarget& target, api::Time intended_at,
                      const ThawMemory& memory, api::Time now) {
  const std::int64_t attempts = std::max(memory.attempts, target.thaw_attempts);
  const bool hopeless = attempts >= kUnconfirmedAttempts || now >= intended_at + kUnconfirmedAfter;
  return hopeless ? ThawTrouble::kUnconfirmed : ThawTrouble::kRetrying;
}

// Never further away than one retry: the wall clock may have been set back.
ThawDecision ThawAt(api::Time due, api::Time last_ended_at, api::Time now, ThawTrouble trouble) {
  if (now >= due || now < last_ended_at) return {.thaw_now = true, .trouble = trouble};
  return {.wait_until = due, .trouble = trouble};
}

ThawDecision AfterFailure(const api::FreezeTarget& target, api::Time intended_at,
                          const ThawMemory& memory, api::Time now) {
  const ThawTrouble trouble = TroubleOf(target, intended_at, memory, now);
  const milliseconds delay =
      trouble == ThawTrouble::kUnconfirmed ? kUnconfirmedRetry : Backoff(memory.failures_in_a_row);
  return ThawAt(*memory.last_ended_at + delay, *memory.last_ended_at, now, trouble);
}

ThawDecision AfterSuccess(const api::FreezeTarget& target, const api::FreezeStatus& journal,
                          const ThawMemory& memory, api::Time now) {
  const Quiet quiet = QuietFrom(target, journal, memory);
  if (*memory.last_success_at >= quiet.at) return {.settled = quiet.verdict};
  const api::Time due = std::min(quiet.at, *memory.last_success_at + kRepeat);
  return ThawAt(due, *memory.last_ended_at, now, ThawTrouble::kNone);
}

// Of a held hook; empty: what is left to do is up to the post-hook.
std::optional<ThawDecision> PlanRelease(const api::FreezeTarget& target,
                                        const api::FreezeStatus& journal, const ThawMemory& memory,
                                        api::Time now) {
  using enum api::FreezeState;
  const std::optional<HolderMemory>& holder = memory.holder;
  if (holder && holder->running) return ThawDecision{.thaw_now = !holder->asked};
  const HookResult* end = holder && holder->end ? &*holder->end : nullptr;
  if (end != nullptr && end->outcome == Outcome::kPodGone) return ThawDecision{.settled = kGone};
  if (end != nullptr && HasReleased(*end)) return ThawDecision{.settled = kThawed};
  if (!target.post_command.empty()) return std::nullopt;
  if (end != nullptr && end->ended) {
    const bool failed_to_release = target.state == kFrozen && holder->asked;
    return ThawDecision{.settled = failed_to_release ? kLost : kThawed};
  }
  if (memory.pre_hook_ended_at) return ThawDecision{.settled = kThawed};
  const api::Time dead = DeadAt(target, journal);
  if (now >= dead) return ThawDecision{.settled = kThawed};
  return ThawDecision{.wait_until = dead};
}

// When it is to be reaped next; empty: not, or one that runs will tell.
std::optional<api::Time> NextReap(const api::FreezeTarget& target, const api::FreezeStatus& journal,
                                  const ThawMemory& memory, api::Time now) {
  const ReapMemory& reap = memory.reap;
  if (reap.running || !RunsUnseen(target, memory) || now >= DeadAt(target, journal)) {
    return std::nullopt;
  }
  if (!reap.last_ended_at || now < *reap.last_ended_at) return now;
  if (reap.failures_in_a_row > 0) return *reap.last_ended_at + Backoff(reap.failures_in_a_row);
  return LastStart(target, journal);
}

ThawDecision PlanThawAlone(const api::FreezeTarget& target, const api::FreezeStatus& journal,
                           const ThawMemory& memory, api::Time now) {
  if (target.mode == api::HookMode::kHeld) {
    if (auto decision = PlanRelease(target, journal, memory, now)) return *decision;
  } else if (target.post_command.empty()) {
    return {.settled = api::FreezeState::kThawed};
  }
  if (memory.running) return {};
  if (!memory.last_ended_at) return {.thaw_now = true};
  if (memory.failures_in_a_row > 0) return AfterFailure(target, journal.intended_at, memory, now);
  return AfterSuccess(target, journal, memory, now);
}

}  // namespace

void RememberThaw(ThawMemory& memory, const HookResult& result, api::Time started_at,
                  api::Time ended_at) {
  ++memory.attempts;
  memory.running = false;
  memory.last = result;
  memory.last_started_at = started_at;
  memory.last_ended_at = ended_at;
  if (result.outcome == Outcome::kPodGone) memory.pod_gone = true;
  if (!result.Succeeded()) {
    ++memory.failures_in_a_row;
    return;
  }
  memory.failures_in_a_row = 0;
  if (!memory.first_success_at) memory.first_success_at = started_at;
  memory.last_success_at = started_at;
}

void RememberReap(ThawMemory& memory, const api::FreezeTarget& target,
                  const api::FreezeStatus& journal, const HookResult& result, api::Time started_at,
                  api::Time ended_at) {
  memory.reap.running = false;
  memory.reap.last_ended_at = ended_at;
  if (result.outcome == Outcome::kPodGone) memory.pod_gone = true;
  if (!result.Succeeded()) {
    ++memory.reap.failures_in_a_row;
    return;
  }
  memory.reap.failures_in_a_row = 0;
  const bool for_good = !MayBeginLater(target, memory) || started_at >= LastStart(target, journal);
  if (for_good) memory.pre_hook_ended_at = ended_at;
}

bool ThawOwed(const api::FreezeTarget& target) {
  using enum api::FreezeState;
  switch (target.state) {
    case kIntended:
    case kFrozen:
      return true;
    case kThawed:
    case kGone:
    case kLost:
      return false;
  }
  return false;
}

bool HasReleased(const HookResult& end) {
  if (!end.exit_code) return false;
  switch (*end.exit_code) {
    case kHoldReleased:
    case kHoldStreamEnded:
    case kHoldExpired:
    case kHoldEndedEarly:
    case kHoldNoTimer:
      return true;
    default:
      return false;
  }
}

ThawDecision PlanThaw(const api::FreezeTarget& target, const api::FreezeStatus& journal,
                      const ThawMemory& memory, api::Time now) {
  if (!ThawOwed(target)) return {};
  if (memory.pod_gone) return {.settled = api::FreezeState::kGone};
  ThawDecision decision = PlanThawAlone(target, journal, memory, now);
  if (decision.settled) return decision;
  const auto reap = NextReap(target, journal, memory, now);
  if (!reap) return decision;
  if (now >= *reap) {
    decision.reap_now = true;
  } else if (!decision.wait_until || *reap < *decision.wait_until) {
    decision.wait_until = *reap;
  }
  return decision;
}

}  // namespace stillpoint::hooks
