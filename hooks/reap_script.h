// The reap script: ends what is left of one pre-hook in its container, and tells when nothing of it
// is left.
//
// Of a pre-hook whose end nobody has seen (its stream was lost, its controller died) it is not
// known whether it still freezes, or will. Its own bounds answer that after a while
// (guard_bound.h); this answers it at once: it looks for the processes that carry the key of that
// hook.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::hooks {

// The key of a pre-hook: of this entry in the journal of the backup with this UID, and of no other.
// The guard and the hold script carry it in their arguments, and their hook in its environment.
[[nodiscard]] std::string HookKey(std::string_view backup_uid, std::size_t target);

// The argv that reaps the hook with `key`:
//   {shell, "-c", <the script>, shell, key, "reap"}
// Run it in the hook's container, without stdin.
//  - Exit code 0: at some time since it was started nothing of that hook was there.
//  - A held hook is released as by its own timer: its command gets its end-of-file, and its grace;
//    the holder's exit status will not say that it was asked to release.
//  - A guarded one is ended as by its guard.
//  - What is still there after that is killed; 1: and some of it did not die.
//  - 123: the container has no /proc, so that it cannot tell.
// Works with busybox, dash and bash. It sees what its user may see: the hook ran as the same.
[[nodiscard]] std::vector<std::string> ReapArgv(const std::string& shell, const std::string& key);

// Longer than the script takes, connecting included.
inline constexpr std::chrono::seconds kReapTimeout{15};

}  // namespace stillpoint::hooks
