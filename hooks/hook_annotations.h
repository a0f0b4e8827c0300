// The annotations that carry hooks, on a pod (its template) or on its workload.
//
//   backups.example.com/pre-hook, /post-hook              a shell command, or a JSON argv
//   backups.example.com.pre-hook, .post-hook              the same, legacy: a dot before the name
//   ros.io/before-backup, ros.io/after-backup             the same, aliases
//   backups.example.com/hold-hook                         a held hook: the same two forms
//   backups.example.com/quiesce, /quiesce-path            a profile, and what it freezes
//   backups.example.com/hook-container, /hook-timeout, /hook-on-error, /hook-weight
//
// The spelling that stands first here wins. An empty value means: no hook.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "api/volume_backup.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::hooks {

using Annotations = std::map<std::string, std::string>;

inline constexpr std::string_view kHoldHookKey = "backups.example.com/hold-hook";
inline constexpr std::string_view kQuiesceKey = "backups.example.com/quiesce";
inline constexpr std::string_view kQuiescePathKey = "backups.example.com/quiesce-path";
inline constexpr std::string_view kHookWeightKey = "backups.example.com/hook-weight";
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

// Whether any hook or profile is named, if only by an empty value.
[[nodiscard]] bool NamesHooks(const Annotations& annotations);

// Keys that look like these and are none: misspelt ones, which would do nothing without a word.
[[nodiscard]] std::vector<std::string> UnknownHookKeys(const Annotations& annotations);

// What the annotations say about how to run a hook.
struct HookSettings {
  std::string container;
  std::optional<api::Duration> timeout;
  api::OnError on_error = api::OnError::kFail;
  std::int64_t weight = 0;
  std::vector<std::pair<std::string, std::string>> problems;  // key, sentence
};
[[nodiscard]] HookSettings ReadHookSettings(const Annotations& annotations);

// The argv of a hook; empty when `value` is. A value that starts with `[` is a JSON list of
// strings, everything else a text for /bin/sh -c. Under a legacy dotted key, which never took JSON,
// a `[` that is not such a list is still a shell command: `[ -f /x ] && touch /y`.
// Errors: kInvalid, naming `key` and never showing `value`, which may hold a password.
[[nodiscard]] api::Result<std::vector<std::string>> ParseHookCommand(const std::string& key,
                                                                     const std::string& value);

}  // namespace stillpoint::hooks
