#include "sim/cluster/selector.h"

#include "api/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {

constexpr std::array kFieldPaths{"metadata.name", "metadata.namespace", "spec.nodeName",
                                 "status.phase"};

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Splits at `separator`, but not inside parentheses.
std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : text) {
    depth += (c == '(') - (c == ')');
    if (c == separator && depth == 0) {
      parts.emplace_back(Trim(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!Trim(part).empty() || !parts.empty()) parts.emplace_back(Trim(part));
  return parts;
}

// "tier in (a,b)" at the operator.
api::LabelSelectorRequirement SetRequirement(const std::string& text, std::string_view word,
                                             std::string relation) {
  const auto at = text.find(word);
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  return {.key = std::string(Trim(std::string_view(text).substr(0, at))),
          .operator_ = std::move(relation),
          .values = Split(std::string_view(text).substr(open + 1, close - open - 1), ',')};
}

api::LabelSelectorRequirement Requirement(const std::string& text) {
  if (text.find(" notin ") != std::string::npos) return SetRequirement(text, " notin ", "NotIn");
  if (text.find(" in ") != std::string::npos) return SetRequirement(text, " in ", "In");
  if (text.starts_with('!'))
    return {.key = text.substr(1), .operator_ = "DoesNotExist", .values = {}};
  if (const auto at = text.find("!="); at != std::string::npos) {
    return {.key = text.substr(0, at), .operator_ = "NotIn", .values = {text.substr(at + 2)}};
  }
  if (const auto at = text.find('='); at != std::string::npos) {
    const auto value = text.find_first_not_of('=', at);
    return {.key = text.substr(0, at),
            .operator_ = "In",
            .values = {value == std::string::npos ? "" : text.substr(value)}};
  }
  return {.key = text, .operator_ = "Exists", .values = {}};
}

// Empty when there is no such text.
std::string_view TextAt(const json::object& object, std::span<const std::string> path) {
  const json::object* at = &object;
  for (const auto& step : path) {
    const auto* value = at->if_contains(step);
    if (!value) return "";
    if (value->is_string()) return value->get_string();
    if (!value->is_object()) return "";
    at = &value->get_object();
  }
  return "";
}

const json::object* LabelsOf(const json::object& object) {
  const auto* metadata = object.if_contains("metadata");
  const auto* labels =
      metadata && metadata->is_object() ? metadata->get_object().if_contains("labels") : nullptr;
  return labels ? labels->if_object() : nullptr;
}

bool Holds(const api::LabelSelectorRequirement& requirement, const json::object* labels) {
  const auto* value = labels ? labels->if_contains(requirement.key) : nullptr;
  if (requirement.operator_ == "Exists") return value != nullptr;
  if (requirement.operator_ == "DoesNotExist") return value == nullptr;
  const bool among = value && value->is_string() &&
                     std::ranges::find(requirement.values, std::string_view(value->get_string())) !=
                         requirement.values.end();
  return among == (requirement.operator_ == "In");
}

}  // namespace

api::Result<Selector> Selector::Parse(std::string ns, const std::string& labels,
                                      const std::string& fields) {
  Selector selector;
  selector.ns_ = std::move(ns);
  for (const auto& part : Split(labels, ',')) {
    if (part.find("===") != std::string::npos) {
      return api::Error{api::Code::kInvalid,
                        "unable to parse requirement: found '=', expected: identifier"};
    }
    selector.labels_.match_expressions.push_back(Requirement(part));
  }
  if (auto valid = api::CheckSelector(selector.labels_); !valid) return valid.error();
  for (const auto& part : Split(fields, ',')) {
    const auto at = part.find('=');
    const bool equal = at != std::string::npos && at > 0 && part[at - 1] != '!';
    const std::string path = part.substr(0, at == std::string::npos ? at : at - (equal ? 0 : 1));
    if (at == std::string::npos || std::ranges::find(kFieldPaths, path) == kFieldPaths.end()) {
      return api::Error{api::Code::kInvalid, fmt::format("field label not supported: {}", path)};
    }
    const auto value = part.find_first_not_of('=', at);
    selector.fields_.push_back({.path = Split(path, '.'),
                                .value = value == std::string::npos ? "" : part.substr(value),
                                .equal = equal});
  }
  return selector;
}

bool Selector::Matches(const json::object& object) const {
  static const std::vector<std::string> kNamespace{"metadata", "namespace"};
  if (!ns_.empty() && TextAt(object, kNamespace) != ns_) return false;
  const json::object* labels = LabelsOf(object);
  return std::ranges::all_of(labels_.match_expressions,
                             [&](const auto& requirement) { return Holds(requirement, labels); }) &&
         std::ranges::all_of(fields_, [&](const Field& field) {
           return (TextAt(object, field.path) == field.value) == field.equal;
         });
}

}  // namespace stillpoint::sim
