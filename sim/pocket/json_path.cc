#include "sim/pocket/json_path.h"

#include <boost/json/array.hpp>

#include <charconv>
#include <optional>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

using Values = std::vector<const json::value*>;

struct Step {
  enum class Kind { kMember, kIndex, kEach, kWhere };
  Kind kind = Kind::kMember;
  std::string name;   // kMember, kWhere
  std::string value;  // kWhere
  std::size_t index = 0;
};

// "x\.y" is the member "x.y".
std::string TakeMember(std::string_view& path) {
  std::string name;
  std::size_t i = 0;
  for (; i < path.size() && path[i] != '.' && path[i] != '['; ++i) {
    if (path[i] == '\\' && i + 1 < path.size()) ++i;
    name += path[i];
  }
  path.remove_prefix(i);
  return name;
}

std::optional<Step> Bracket(std::string_view inside) {
  if (inside == "*") return Step{.kind = Step::Kind::kEach};
  if (inside.starts_with('\'') && inside.ends_with('\'') && inside.size() > 1) {
    return Step{.name = std::string(inside.substr(1, inside.size() - 2))};
  }
  if (inside.starts_with("?(@.") && inside.ends_with("\")")) {
    const auto equal = inside.find("==\"");
    if (equal == std::string_view::npos) return std::nullopt;
    return Step{.kind = Step::Kind::kWhere,
                .name = std::string(inside.substr(4, equal - 4)),
                .value = std::string(inside.substr(equal + 3, inside.size() - equal - 5))};
  }
  Step step{.kind = Step::Kind::kIndex};
  const auto end = inside.data() + inside.size();
  const auto parsed = std::from_chars(inside.data(), end, step.index);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(step) : std::nullopt;
}

std::optional<Step> TakeStep(std::string_view& path) {
  if (path.starts_with('[')) {
    const auto close = path.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    auto step = Bracket(path.substr(1, close - 1));
    path.remove_prefix(close + 1);
    return step;
  }
  if (path.starts_with('.')) path.remove_prefix(1);
  Step step{.name = TakeMember(path)};
  return step.name.empty() ? std::nullopt : std::optional(step);
}

void AddMember(const json::value& from, const std::string& name, Values& to) {
  const auto* object = from.if_object();
  const auto* member = object ? object->if_contains(name) : nullptr;
  if (member && !member->is_null()) to.push_back(member);
}

bool IsWhere(const json::value& item, const Step& step) {
  const auto* object = item.if_object();
  const auto* member = object ? object->if_contains(step.name) : nullptr;
  return member && member->is_string() && member->get_string() == step.value;
}

void Follow(const json::value& from, const Step& step, Values& to) {
  if (step.kind == Step::Kind::kMember) return AddMember(from, step.name, to);
  const auto* list = from.if_array();
  if (!list) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json::value& item = (*list)[i];
    if (step.kind == Step::Kind::kIndex && i != step.index) continue;
    if (step.kind == Step::Kind::kWhere && !IsWhere(item, step)) continue;
    to.push_back(&item);
  }
}

Values Search(Values at, std::string_view path) {
  while (!path.empty() && !at.empty()) {
    const auto step = TakeStep(path);
    if (!step) return {};
    Values next;
    for (const json::value* value : at) Follow(*value, *step, next);
    at = std::move(next);
  }
  return at;
}

}  // namespace

Values FindAll(const json::object& root, std::string_view path) {
  const auto step = TakeStep(path);
  const auto* member =
      step && step->kind == Step::Kind::kMember ? root.if_contains(step->name) : nullptr;
  if (!member || member->is_null()) return {};
  return Search({member}, path);
}

const json::value* FindFirst(const json::object& root, std::string_view path) {
  const Values found = FindAll(root, path);
  return found.empty() ? nullptr : found.front();
}

std::string TextAt(const json::object& root, std::string_view path) {
  const auto* found = FindFirst(root, path);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

}  // namespace stillpoint::sim::pocket
