#include "sim/admission/correlation.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

bool HaveSameKeys(const Schema& list, const json::object& a, const json::object& b) {
  return std::ranges::all_of(list.list_map_keys, [&](const std::string& key) {
    const auto *left = a.if_contains(key), *right = b.if_contains(key);
    const bool is_scalar = left && !left->is_null() && !left->is_structured();
    return is_scalar && right && *left == *right;
  });
}

bool MembersUnchanged(const Schema& schema, const json::object& before, const json::object& now) {
  if (before.size() != now.size()) return false;
  std::size_t schema_hint = 0;
  std::size_t before_hint = 0;
  return std::ranges::all_of(now, [&](const auto& member) {
    const Schema* child = schema.ForMember(member.key(), schema_hint);
    return child &&
           IsUnchanged(*child, MemberBefore(&before, member.key(), before_hint), member.value());
  });
}

bool ItemsUnchanged(const Schema& schema, const json::value& before, const json::array& now) {
  if (before.get_array().size() != now.size()) return false;
  if (schema.list_type != SchemaListType::kMap || !schema.items) return before.get_array() == now;
  return std::ranges::all_of(now, [&](const json::value& item) {
    return IsUnchanged(*schema.items, ItemBefore(schema, &before, item), item);
  });
}

}  // namespace

const json::object* ObjectOf(const json::value* value) {
  return value ? value->if_object() : nullptr;
}

const json::value* MemberBefore(const json::object* object, std::string_view name,
                                std::size_t& hint) {
  if (!object) return nullptr;
  if (hint < object->size()) {
    const auto* const likely = object->begin() + static_cast<std::ptrdiff_t>(hint);
    if (std::string_view(likely->key()) == name) {
      ++hint;
      return &likely->value();
    }
  }
  const auto found = object->find(name);
  if (found == object->end()) return nullptr;
  hint = static_cast<std::size_t>(found - object->begin()) + 1;
  return &found->value();
}

const json::value* ItemBefore(const Schema& list, const json::value* before,
                              const json::value& item) {
  const auto* array = before ? before->if_array() : nullptr;
  if (!array || !item.is_object() || list.list_map_keys.empty()) return nullptr;
  const auto found = std::ranges::find_if(*array, [&](const json::value& old) {
    return old.is_object() && HaveSameKeys(list, old.get_object(), item.get_object());
  });
  return found == array->end() ? nullptr : &*found;
}

bool IsUnchanged(const Schema& schema, const json::value* before, const json::value& now) {
  if (!before || before->kind() != now.kind()) return false;
  if (const auto* object = now.if_object())
    return MembersUnchanged(schema, before->get_object(), *object);
  if (const auto* array = now.if_array()) return ItemsUnchanged(schema, *before, *array);
  return *before == now;
}

}  // namespace stillpoint::sim
