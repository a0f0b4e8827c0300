#include "api/labels.h"

#include "api/quote.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace stillpoint::api {
namespace {

bool IsLowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool IsAlphanumeric(char c) {
  return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z');
}

// The second part of a label key, and a label value that is not empty.
bool IsQualifiedName(std::string_view name) {
  return !name.empty() && name.size() <= 63 && IsAlphanumeric(name.front()) &&
         IsAlphanumeric(name.back()) && std::ranges::all_of(name, [](char c) {
           return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

bool Holds(const LabelSelectorRequirement& requirement, const Labels& labels) {
  const auto label = labels.find(requirement.key);
  const bool exists = label != labels.end();
  const auto& op = requirement.operator_;
  if (op == "Exists") return exists;
  if (op == "DoesNotExist") return !exists;
  const bool among =
      exists && std::ranges::find(requirement.values, label->second) != requirement.values.end();
  if (op == "In") return among;
  return op == "NotIn" && !among;  // a label that is not there is not among the values
}

// What stands between the dots of a name.
bool IsNamePart(std::string_view part) {
  return !part.empty() && IsLowerOrDigit(part.front()) && IsLowerOrDigit(part.back()) &&
         std::ranges::all_of(part, [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

bool TakesValues(std::string_view op) {
  return op == "In" || op == "NotIn";
}

std::string Format(const LabelSelectorRequirement& requirement) {
  const auto& [key, op, values] = requirement;
  if (op == "Exists") return key;
  if (op == "DoesNotExist") return "!" + key;
  const std::string_view word = op == "In" ? "in" : "notin";
  return fmt::format("{} {} ({})", key, word, fmt::join(values, ","));
}

Error Invalid(std::string path, std::string message) {
  return {Code::kInvalid, std::move(path) + ": " + std::move(message)};
}

Result<void> CheckKey(const std::string& path, const std::string& key) {
  if (IsLabelKey(key)) return {};
  return Invalid(path, Quote(key) + " is not a label key, for example app.kubernetes.io/name");
}

Result<void> CheckValue(const std::string& path, const std::string& value) {
  if (IsLabelValue(value)) return {};
  return Invalid(path, Quote(value) + " is not a label value: at most 63 letters, digits, -, _, .");
}

Result<void> CheckRequirement(const std::string& path, const LabelSelectorRequirement& r) {
  if (auto key = CheckKey(path + ".key", r.key); !key) return key;
  const bool takes_values = TakesValues(r.operator_);
  if (!takes_values && r.operator_ != "Exists" && r.operator_ != "DoesNotExist") {
    return Invalid(path + ".operator",
                   Quote(r.operator_) + " is not one of In, NotIn, Exists, DoesNotExist");
  }
  if (takes_values == r.values.empty()) {
    return Invalid(path + ".values", takes_values ? r.operator_ + " needs at least one value"
                                                  : r.operator_ + " takes no values");
  }
  for (std::size_t i = 0; i < r.values.size(); ++i) {
    auto value = CheckValue(fmt::format("{}.values[{}]", path, i), r.values[i]);
    if (!value) return value;
  }
  return {};
}

}  // namespace

bool Matches(const LabelSelector& selector, const Labels& labels) {
  const auto is_set = [&labels](const auto& wanted) {
    const auto label = labels.find(wanted.first);
    return label != labels.end() && label->second == wanted.second;
  };
  return std::ranges::all_of(selector.match_labels, is_set) &&
         std::ranges::all_of(selector.match_expressions,
                             [&labels](const auto& r) { return Holds(r, labels); });
}

std::string FormatSelector(const LabelSelector& selector) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : selector.match_labels) parts.push_back(key + "=" + value);
  for (const auto& requirement : selector.match_expressions) parts.push_back(Format(requirement));
  return fmt::format("{}", fmt::join(parts, ","));
}

Result<void> CheckSelector(const LabelSelector& selector) {
  for (const auto& [key, value] : selector.match_labels) {
    if (auto ok = CheckKey("matchLabels", key); !ok) return ok;
    if (auto ok = CheckValue("matchLabels[" + Quote(key) + "]", value); !ok) return ok;
  }
  for (std::size_t i = 0; i < selector.match_expressions.size(); ++i) {
    const auto path = fmt::format("matchExpressions[{}]", i);
    if (auto ok = CheckRequirement(path, selector.match_expressions[i]); !ok) return ok;
  }
  return {};
}

bool IsLabelKey(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return IsQualifiedName(key);
  return IsDns1123Subdomain(key.substr(0, slash)) && IsQualifiedName(key.substr(slash + 1));
}

bool IsLabelValue(std::string_view value) {
  return value.empty() || IsQualifiedName(value);
}

bool IsDns1123Label(std::string_view name) {
  return name.size() <= 63 && IsNamePart(name);
}

bool IsDns1123Subdomain(std::string_view name) {
  if (name.size() > 253) return false;
  while (true) {
    const auto dot = name.find('.');
    if (!IsNamePart(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace stillpoint::api
