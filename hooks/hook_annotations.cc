#include "hooks/hook_annotations.h"

#include "api/codec.h"
#include "api/duration.h"
#include "api/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace stillpoint::hooks {
namespace {

constexpr std::string_view kLegacyPrefix = "backups.example.com.";

using Spellings = std::array<std::string_view, 3>;
constexpr Spellings kPreHookKeys{"backups.example.com/pre-hook", "backups.example.com.pre-hook",
                                 "ros.io/before-backup"};
constexpr Spellings kPostHookKeys{"backups.example.com/post-hook", "backups.example.com.post-hook",
                                  "ros.io/after-backup"};

std::optional<AnnotatedHook> Find(const Annotations& annotations, const Spellings& spellings) {
  std::optional<AnnotatedHook> found;
  for (const std::string_view key : spellings) {
    const auto annotation = annotations.find(std::string(key));
    if (annotation == annotations.end()) continue;
    if (!found) {
      found = AnnotatedHook{annotation->first, annotation->second, {}};
    } else if (annotation->second != found->value) {
      found->conflicting.push_back(annotation->first);
    }
  }
  return found;
}

std::vector<std::string> ShellForm(const std::string& text) {
  return {"/bin/sh", "-c", text};
}

bool HasNul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

bool IgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string Value(const Annotations& annotations, std::string_view key) {
  const auto found = annotations.find(std::string(key));
  return found == annotations.end() ? std::string() : found->second;
}

// Each of these reads one annotation that is there.
api::Result<void> ReadTimeout(const std::string& text, HookSettings* settings) {
  const auto parsed = api::ParseDuration(text);
  if (!parsed) return parsed.error();
  if (*parsed <= api::Duration::zero()) {
    return api::Error{api::Code::kInvalid, "must be longer than 0s"};
  }
  settings->timeout = *parsed;
  return api::Result<void>();
}

api::Result<void> ReadOnError(const std::string& text, HookSettings* settings) {
  const bool go_on = IgnoringCase(text, "Continue");
  if (!go_on && !IgnoringCase(text, "Fail")) {
    return api::Error{api::Code::kInvalid,
                      fmt::format("{} is neither Fail nor Continue", api::Quote(text))};
  }
  settings->on_error = go_on ? api::OnError::kContinue : api::OnError::kFail;
  return api::Result<void>();
}

api::Result<void> ReadWeight(const std::string& text, HookSettings* settings) {
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, settings->weight);
  if (error == std::errc() && last == end) return api::Result<void>();
  return api::Error{api::Code::kInvalid, fmt::format("{} is not a whole number", api::Quote(text))};
}

}  // namespace

std::optional<AnnotatedHook> FindPreHook(const Annotations& annotations) {
  return Find(annotations, kPreHookKeys);
}

std::optional<AnnotatedHook> FindPostHook(const Annotations& annotations) {
  return Find(annotations, kPostHookKeys);
}

std::vector<std::string> UnknownHookKeys(const Annotations& annotations) {
  constexpr std::array kKeys{kHoldHookKey,      kQuiesceKey,     kQuiescePathKey, kHookWeightKey,
                             kHookContainerKey, kHookTimeoutKey, kHookOnErrorKey};
  std::vector<std::string> unknown;
  for (const auto& [key, value] : annotations) {
    const std::string_view k = key;
    const bool ours = k.starts_with("backups.example.com/") || k.starts_with(kLegacyPrefix);
    const bool meant = k.find("hook") != k.npos || k.find("quiesce") != k.npos;
    const auto is_key = [&](const auto& keys) { return std::ranges::find(keys, k) != keys.end(); };
    if (!ours || !meant || is_key(kKeys) || is_key(kPreHookKeys) || is_key(kPostHookKeys)) continue;
    unknown.push_back(key);
  }
  return unknown;
}

bool NamesHooks(const Annotations& annotations) {
  return FindPreHook(annotations) || FindPostHook(annotations) ||
         annotations.contains(std::string(kHoldHookKey)) ||
         annotations.contains(std::string(kQuiesceKey));
}

HookSettings ReadHookSettings(const Annotations& annotations) {
  HookSettings settings{.container = Value(annotations, kHookContainerKey)};
  const auto read = [&](std::string_view key, auto parse) {
    const std::string text = Value(annotations, key);
    if (text.empty()) return;
    const api::Result<void> done = parse(text, &settings);
    if (!done) {
      settings.problems.emplace_back(key, fmt::format("{}: {}", key, done.error().message));
    }
  };
  read(kHookTimeoutKey, ReadTimeout);
  read(kHookOnErrorKey, ReadOnError);
  read(kHookWeightKey, ReadWeight);
  return settings;
}

api::Result<std::vector<std::string>> ParseHookCommand(const std::string& key,
                                                       const std::string& value) {
  if (value.find_first_not_of(" \t\r\n") == std::string::npos) return std::vector<std::string>{};
  if (!value.starts_with('[')) return ShellForm(value);
  const auto argv = api::DecodeText<std::vector<std::string>>(value);
  if (argv && !argv->empty() && !argv->front().empty() && std::ranges::none_of(*argv, HasNul)) {
    return *argv;
  }
  if (key.starts_with(kLegacyPrefix)) return ShellForm(value);
  return api::Error{api::Code::kInvalid,
                    fmt::format("{}: starts with [ but is not a JSON list of strings, for example "
                                R"(["fsfreeze", "-f", "/data"]; for the shell's own [ write test)",
                                key)};
}

}  // namespace stillpoint::hooks
