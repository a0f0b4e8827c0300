#include "sim/cluster/patch.h"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

std::string Text(const json::object& op, std::string_view member) {
  const auto* value = op.if_contains(member);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

// Splits "/a/b" into the parent's pointer and the unescaped last token.
std::pair<std::string, std::string> SplitPointer(const std::string& path) {
  const auto slash = path.rfind('/');
  std::string token = path.substr(slash + 1);
  for (const auto& [from, to] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}}) {
    for (auto at = token.find(from); at != std::string::npos; at = token.find(from, at + 1)) {
      token.replace(at, 2, to);
    }
  }
  return {path.substr(0, slash), token};
}

json::value* Find(json::value& root, const std::string& pointer) {
  boost::system::error_code error;
  return root.find_pointer(pointer, error);
}

// The index that `token` means in a list of `size`; with `end_too`, one behind the last is one.
std::optional<std::size_t> Index(const std::string& token, std::size_t size, bool end_too) {
  if (token == "-") return end_too ? std::optional(size) : std::nullopt;
  if (token.empty() || !std::ranges::all_of(token, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  const std::size_t index = std::stoul(token);
  return index < size + (end_too ? 1 : 0) ? std::optional(index) : std::nullopt;
}

bool Add(json::value& root, const std::string& path, const json::value& value) {
  if (path.empty()) {
    root = value;
    return true;
  }
  const auto [parent_path, token] = SplitPointer(path);
  auto* parent = Find(root, parent_path);
  if (!parent) return false;
  if (auto* object = parent->if_object()) {
    (*object)[token] = value;
    return true;
  }
  auto* array = parent->if_array();
  const auto index = array ? Index(token, array->size(), true) : std::nullopt;
  if (!index) return false;
  array->insert(array->begin() + static_cast<std::ptrdiff_t>(*index), value);
  return true;
}

bool Remove(json::value& root, const std::string& path) {
  if (path.empty()) return false;
  const auto [parent_path, token] = SplitPointer(path);
  auto* parent = Find(root, parent_path);
  if (!parent) return false;
  if (auto* object = parent->if_object()) return object->erase(token) > 0;
  auto* array = parent->if_array();
  const auto index = array ? Index(token, array->size(), false) : std::nullopt;
  if (!index) return false;
  array->erase(array->begin() + static_cast<std::ptrdiff_t>(*index));
  return true;
}

bool Step(json::value& root, const json::object& op) {
  const std::string kind = Text(op, "op");
  const std::string path = Text(op, "path");
  const auto* value = op.if_contains("value");
  if (kind == "remove") return Remove(root, path);
  if (kind == "copy" || kind == "move") {
    const auto* from = Find(root, Text(op, "from"));
    if (!from) return false;
    const json::value copied = *from;
    return (kind == "copy" || Remove(root, Text(op, "from"))) && Add(root, path, copied);
  }
  if (!value) return false;
  if (kind == "add") return Add(root, path, *value);
  auto* found = Find(root, path);
  if (kind == "test") return found && *found == *value;
  if (kind != "replace" || !found) return false;
  *found = *value;
  return true;
}

// ---- apply ------------------------------------------------------------------------------------

// The member that identifies an item of the list called `name`; empty for an atomic list.
std::string_view ListKey(std::string_view name, const json::array& list) {
  if (name == "conditions") return "type";
  if (name == "ownerReferences") return "uid";
  const bool named = !list.empty() && std::ranges::all_of(list, [](const json::value& item) {
    return item.is_object() && item.get_object().contains("name");
  });
  return named ? "name" : "";
}

const json::value* FindItem(const json::array& list, std::string_view key,
                            const json::value& like) {
  const auto* wanted = like.is_object() ? like.get_object().if_contains(key) : nullptr;
  for (const auto& item : list) {
    const auto* own = item.is_object() ? item.get_object().if_contains(key) : nullptr;
    if (wanted && own && *own == *wanted) return &item;
  }
  return nullptr;
}

json::value* FindItem(json::array& list, std::string_view key, const json::value& like) {
  const auto* found = FindItem(std::as_const(list), key, like);
  return found ? &list[static_cast<std::size_t>(found - list.begin())] : nullptr;
}

const json::value kNull;

void ApplyAt(std::string_view name, json::value& target, const json::value& before,
             const json::value& now);

void ApplyObject(json::object& target, const json::object& before, const json::object& now) {
  for (const auto& [name, old] : before) {
    if (now.contains(name) || !target.contains(name)) continue;
    if (old.is_object() && target[name].is_object()) {
      ApplyObject(target[name].get_object(), old.get_object(), {});
      if (target[name].get_object().empty()) target.erase(name);
    } else {
      target.erase(name);
    }
  }
  for (const auto& [name, value] : now) {
    const auto* old = before.if_contains(name);
    ApplyAt(name, target[name], old ? *old : kNull, value);
  }
}

void ApplySet(json::array& target, const json::array& before, const json::array& now) {
  for (const auto& old : before) {
    if (std::ranges::find(now, old) != now.end()) continue;
    if (auto it = std::ranges::find(target, old); it != target.end()) target.erase(it);
  }
  for (const auto& value : now) {
    if (std::ranges::find(target, value) == target.end()) target.push_back(value);
  }
}

void ApplyList(std::string_view key, json::array& target, const json::array& before,
               const json::array& now) {
  for (const auto& old : before) {
    if (FindItem(now, key, old)) continue;
    if (auto* gone = FindItem(target, key, old)) target.erase(gone);
  }
  for (const auto& value : now) {
    const auto* old = FindItem(before, key, value);
    auto* found = FindItem(target, key, value);
    if (!found) found = &target.emplace_back(json::object());
    ApplyAt("", *found, old ? *old : kNull, value);
  }
}

void ApplyAt(std::string_view name, json::value& target, const json::value& before,
             const json::value& now) {
  if (now.is_object()) {
    if (!target.is_object()) target = json::object();
    const json::object none;
    const auto& old = before.is_object() ? before.get_object() : none;
    return ApplyObject(target.get_object(), old, now.get_object());
  }
  const json::array nothing;
  const json::array& old = before.is_array() ? before.get_array() : nothing;
  const auto key = now.is_array() ? ListKey(name, now.get_array()) : std::string_view();
  if (key.empty() && name != "finalizers") {
    target = now;
    return;
  }
  if (!target.is_array()) target = json::array();
  if (name == "finalizers") return ApplySet(target.get_array(), old, now.get_array());
  ApplyList(key, target.get_array(), old, now.get_array());
}

// ---- disputes ---------------------------------------------------------------------------------

struct Disputes {
  Take take;
  std::string first;
};

void DisputeObject(const json::object& ours, json::object& theirs, const json::object& live,
                   const std::string& path, Disputes& found);

void DisputeList(std::string_view key, const json::array& ours, json::array& theirs,
                 const json::array& live, const std::string& path, Disputes& found) {
  for (const auto& item : ours) {
    auto* their = FindItem(theirs, key, item);
    const auto* now = FindItem(live, key, item);
    if (!their || !now) continue;
    DisputeObject(item.get_object(), their->get_object(), now->get_object(), path + "[]", found);
  }
}

void DisputeObject(const json::object& ours, json::object& theirs, const json::object& live,
                   const std::string& path, Disputes& found) {
  for (const auto& [name, value] : ours) {
    auto* their = theirs.if_contains(name);
    const auto* now = live.if_contains(name);
    if (!their || !now || value == *now || name == "finalizers") continue;
    const std::string at = fmt::format("{}.{}", path, std::string_view(name));
    const auto key = value.is_array() ? ListKey(name, value.get_array()) : std::string_view();
    if (value.is_object() && their->is_object() && now->is_object()) {
      DisputeObject(value.get_object(), their->get_object(), now->get_object(), at, found);
    } else if (!key.empty() && their->is_array() && now->is_array()) {
      DisputeList(key, value.get_array(), their->get_array(), now->get_array(), at, found);
    } else {
      if (found.first.empty()) found.first = at;
      if (found.take == Take::kDisputed) theirs.erase(name);
    }
  }
}

}  // namespace

void MergePatch(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  auto& object = target.get_object();
  for (const auto& [name, value] : patch.get_object()) {
    if (value.is_null()) {
      object.erase(name);
    } else {
      MergePatch(object[name], value);
    }
  }
}

api::Result<void> JsonPatch(json::value& target, const json::value& patch) {
  if (!patch.is_array()) return Invalid("a JSON patch is a list of operations");
  for (const auto& op : patch.get_array()) {
    if (!op.is_object() || !Step(target, op.get_object())) {
      return Invalid(fmt::format("the operation does not apply: {}", json::serialize(op)));
    }
  }
  return {};
}

void Apply(json::value& target, const json::value& before, const json::value& now) {
  ApplyAt("", target, before, now);
}

void Disown(json::value& fields, const json::value& theirs) {
  if (!fields.is_object() || !theirs.is_object()) return;
  json::object& own = fields.get_object();
  for (const auto& [name, value] : theirs.get_object()) {
    auto* shared = own.if_contains(name);
    if (!shared || shared->is_array()) continue;
    if (shared->is_object()) {
      Disown(*shared, value);
    } else {
      own.erase(name);
    }
  }
}

std::string Dispute(const json::value& ours, json::value& theirs, const json::value& live,
                    Take take) {
  Disputes found{take, ""};
  if (ours.is_object() && theirs.is_object() && live.is_object()) {
    DisputeObject(ours.get_object(), theirs.get_object(), live.get_object(), "", found);
  }
  return found.first;
}

}  // namespace stillpoint::sim
