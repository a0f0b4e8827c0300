// PlanThaw decides what is due for one entry of the freeze journal. Pure.
//
//   Intended -> Frozen -> Thawed | Gone | Lost
//
// A thaw is owed from the moment that a freeze was intended, and looks at nothing but the journal
// and what this process remembers of its own execs: after a restart it remembers nothing and thaws
// at once. A thaw counts only when the pre-hook can freeze no more after it:
//  - The pre-hook's end is known (it confirmed, or its exit was seen): one thaw after that.
//  - Guarded, end unknown: its guard ends it. Thaws are repeated until one has succeeded after the
//    last moment at which it can have run, and at least 3 s after the first.
//  - Unguarded, end unknown: thaws are repeated until its end is known, or until 60 s after its
//    time-out; then the entry is Lost, as it may still freeze later and a person must look.
// Where the end of a pre-hook with a script is unknown, it is reaped, beside the thaws
// (reap_script.h): that tells at once that nothing of it runs any more. Until the journal says
// Frozen, or its exec is known to have begun, it may begin later: then that counts once it can no
// longer begin.
// A held hook is thawed by its release:
//  - It runs under this process: it is asked to release, and its end will tell.
//  - It has released by its own word: Thawed.
//  - It has ended without that word: with a post-hook, that is run as above. Without one the entry
//    is Thawed, as what it holds ends with it; but Lost when it was ended because it did not
//    release, or failed to.
//  - Its end is unknown (a lost stream, a restart): it got its end-of-file, it is reaped, and its
//    own timer bounds it. So it is Thawed when one of the two has ended it, and with a post-hook
//    not before that has succeeded.
// A thaw that fails is retried for as long as the pod exists, whatever on_error says: backing off
// from 200 ms to 10 s, and each minute once it is kUnconfirmed.
#pragma once

#include "api/volume_backup.h"
#include "hooks/hook_result.h"

#include <cstdint>
#include <optional>

namespace stillpoint::hooks {

// The exec of a held hook, as this process knows it.
struct HolderMemory {
  bool running = false;           // its stream is open, and its end will be told
  bool asked = false;             // to release
  std::optional<HookResult> end;  // of Freeze(), if that failed, or of AwaitEnd()
  bool operator==(const HolderMemory&) const = default;
};

// How looking for what is left of the pre-hook went.
struct ReapMemory {
  bool running = false;
  std::int64_t failures_in_a_row = 0;
  std::optional<api::Time> last_ended_at;
  bool operator==(const ReapMemory&) const = default;
};

// What this process knows beyond the journal. Empty after a restart.
struct ThawMemory {
  std::int64_t attempts = 0;           // thaws that have come to an end
  std::int64_t failures_in_a_row = 0;  // of them, since the last success
  std::optional<HookResult> last;
  std::optional<api::Time> last_started_at;
  std::optional<api::Time> last_ended_at;
  std::optional<api::Time> first_success_at;  // when it was started
  std::optional<api::Time> last_success_at;   // when it was started

  bool running = false;  // a thaw is on its way: nothing is due before it has ended
  bool pod_gone = false;

  std::optional<HolderMemory> holder;  // of a held hook that this process has started

  bool pre_hook_running = false;  // under this process, which will be told its end
  bool pre_hook_began = false;    // its exec is known to have begun, and does so only once
  ReapMemory reap;

  // Since when the pre-hook's command is known to run no more.
  std::optional<api::Time> pre_hook_ended_at;

  bool operator==(const ThawMemory&) const = default;
};

// Notes the end of a thaw in `memory`.
void RememberThaw(ThawMemory& memory, const HookResult& result, api::Time started_at,
                  api::Time ended_at);

enum class ThawTrouble {
  kNone,
  kRetrying,    // the last thaw has failed: ThawRetrying
  kUnconfirmed  // for an hour, or 200 times: ThawUnconfirmed
};

// Notes the end of a reap in `memory`: whether the pre-hook has ended.
void RememberReap(ThawMemory& memory, const api::FreezeTarget& target,
                  const api::FreezeStatus& journal, const HookResult& result, api::Time started_at,
                  api::Time ended_at);

// At most one of settled, thaw_now and wait_until is set, but that both may wait; none: nothing is
// due, or a running thaw will tell.
struct ThawDecision {
  std::optional<api::FreezeState> settled;  // write this into the journal
  bool thaw_now = false;                    // run the post-hook, or ask the holder to release
  bool reap_now = false;                    // run the reap script, beside it
  std::optional<api::Time> wait_until;      // then ask again
  ThawTrouble trouble = ThawTrouble::kNone;

  bool operator==(const ThawDecision&) const = default;
};

// Whether this entry still needs to be settled.
[[nodiscard]] bool ThawOwed(const api::FreezeTarget& target);

// Whether the end of a held hook is its own word that the application goes on.
[[nodiscard]] bool HasReleased(const HookResult& end);

// `journal` is the one that `target` stands in: its times matter. Never fails.
[[nodiscard]] ThawDecision PlanThaw(const api::FreezeTarget& target,
                                    const api::FreezeStatus& journal, const ThawMemory& memory,
                                    api::Time now);

}  // namespace stillpoint::hooks
