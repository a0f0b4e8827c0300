// Profiles: still points that come with Stillpoint. A profile is a held hook (hold_script.h) whose
// command knows one kind of application.
//
// To add one: a file in hooks/profiles/, its name in api::kQuiesceProfiles and its line in
// profile.cc, a test beside the others, a section in docs/hooks.md.
//
// What a profile's command must keep to, besides the contract of a held hook:
//  - What holds the still point must itself vouch for it at the end: exit code 0 only if the very
//    session that took the lock is still there when the input has ended.
//  - It never waits longer than `timeout` for what others hold.
//  - Passwords come from the container's own environment or files, and are never on an argv.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <span>
#include <string>
#include <string_view>

namespace stillpoint::hooks {

struct ProfileInput {
  std::string path;         // REQUIRES: not empty for a profile that takes one
  api::Duration timeout{};  // for the freeze
};

// Texts for /bin/sh -c.
struct ProfileCommands {
  std::string hold;
  std::string thaw;  // for a holder that died and left the still point behind; else empty
};

struct Profile {
  std::string_view name;
  std::string_view path;  // what the path is, in words; empty: it takes none
  ProfileCommands (*make)(const ProfileInput& input);
};

// In the order of api::kQuiesceProfiles.
[[nodiscard]] std::span<const Profile> Profiles();

// Null when there is none of that name.
[[nodiscard]] const Profile* FindProfile(std::string_view name);

// At least a second, and one less than `timeout`: what a profile may wait for a lock, so that the
// refusal is its own, with a reason, and not a time-out.
[[nodiscard]] std::chrono::seconds LockPatience(api::Duration timeout);

}  // namespace stillpoint::hooks
