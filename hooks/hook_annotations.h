// The annotations that carry hooks, on a pod (its template) or on its workload.
//
//   backups.example.com/pre-hook, /post-hook              a shell command, or a JSON argv
//   backups.example.com.pre-hook, .post-hook              the same, legacy: a dot before the name
//   ros.io/before-backup, ros.io/after-backup             the same, aliases
//   backups.example.com/hook-container, /hook-timeout, /hook-on-error
//
// The spelling that stands first here wins. An empty value means: no hook.
#pragma once

#include "api/error.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::hooks {

using Annotations = std::map<std::string, std::string>;

inline constexpr std::string_view kHookContainerKey = "backups.example.com/hook-container";
inline constexpr std::string_view kHookTimeoutKey = "backups.example.com/hook-timeout";
inline constexpr std::string_view kHookOnErrorKey = "backups.example.com/hook-on-error";
inline constexpr std::string_view kDefaultContainerKey = "kubectl.kubernetes.io/default-container";

struct AnnotatedHook {
  std::string key;  // the spelling that won
  std::string value;
  std::vector<std::string> conflicting;  // other spellings that are there and say something else
  bool operator==(const AnnotatedHook&) const = default;
};

// Empty: no spelling of it is there.
[[nodiscard]] std::optional<AnnotatedHook> FindPreHook(const Annotations& annotations);
[[nodiscard]] std::optional<AnnotatedHook> FindPostHook(const Annotations& annotations);

// The argv of a hook; empty when `value` is. A value that starts with `[` is a JSON list of
// strings, everything else a text for /bin/sh -c. Under a legacy dotted key, which never took JSON,
// a `[` that is not such a list is still a shell command: `[ -f /x ] && touch /y`.
// Errors: kInvalid, naming `key` and never showing `value`, which may hold a password.
[[nodiscard]] api::Result<std::vector<std::string>> ParseHookCommand(const std::string& key,
                                                                     const std::string& value);

}  // namespace stillpoint::hooks
