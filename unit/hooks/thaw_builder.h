// Entries of the freeze journal and what is remembered of their hooks, for the tests of PlanThaw.
#pragma once

#include "hooks/thaw_plan.h"

#include <chrono>
#include <optional>
#include <ostream>
#include <string>

namespace stillpoint::hooks {

inline void PrintTo(const ThawDecision& d, std::ostream* os) {
  *os << (d.settled ? "settled " + std::to_string(static_cast<int>(*d.settled)) : "")
      << (d.thaw_now ? "thaw now" : "") << (d.reap_now ? " reap now" : "")
      << (d.wait_until ? "wait " + std::to_string(d.wait_until->time_since_epoch().count()) : "")
      << " trouble " << static_cast<int>(d.trouble);
}

inline constexpr api::Time kIntent{std::chrono::seconds(1'900'000'000)};
inline const api::FreezeStatus kJournal{.intended_at = kIntent,
                                        .deadline = kIntent + std::chrono::seconds(30)};

inline api::FreezeTarget Target(api::FreezeState state = api::FreezeState::kIntended) {
  api::FreezeTarget target;
  target.guarded = true;
  target.pre_command = {"/bin/sh", "-c", "freeze"};
  target.post_command = {"/bin/sh", "-c", "thaw"};
  target.timeout = std::chrono::seconds(20);
  target.state = state;
  return target;
}

inline HookResult Ended(Outcome outcome) {
  HookResult result;
  result.outcome = outcome;
  return result;
}

// A thaw from `start` to 100 ms later.
inline void Thaw(ThawMemory& memory, api::Time start, Outcome outcome = Outcome::kSucceeded) {
  RememberThaw(memory, Ended(outcome), start, start + std::chrono::milliseconds(100));
}

// While a reap is under way, which has nothing to tell yet.
inline ThawDecision Plan(const api::FreezeTarget& target, ThawMemory memory, api::Time now) {
  memory.reap.running = true;
  return PlanThaw(target, kJournal, memory, now);
}

inline ThawDecision Settled(api::FreezeState state) {
  return {.settled = state};
}

inline const ThawDecision kThawNow{.thaw_now = true};

// ---- the same of a held hook ------------------------------------------------------------------

inline api::FreezeTarget HeldTarget(api::FreezeState state = api::FreezeState::kFrozen) {
  api::FreezeTarget target = Target(state);
  target.mode = api::HookMode::kHeld;
  target.guarded = false;
  target.post_command.clear();
  return target;
}

inline ThawMemory Holder(HolderMemory holder, std::optional<int> exit_code = {}) {
  if (exit_code) {
    holder.end = Ended(*exit_code == 0 ? Outcome::kSucceeded : Outcome::kFailed);
    holder.end->exit_code = *exit_code;
    holder.end->ended = true;
  }
  ThawMemory memory{.holder = holder};
  if (exit_code) memory.pre_hook_ended_at = kIntent + std::chrono::seconds(1);
  return memory;
}

}  // namespace stillpoint::hooks
