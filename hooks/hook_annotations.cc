#include "hooks/hook_annotations.h"

#include "api/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

}  // namespace

std::optional<AnnotatedHook> FindPreHook(const Annotations& annotations) {
  return Find(annotations, kPreHookKeys);
}

std::optional<AnnotatedHook> FindPostHook(const Annotations& annotations) {
  return Find(annotations, kPostHookKeys);
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
