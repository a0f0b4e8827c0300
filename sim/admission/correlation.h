// What a value was before an update, and whether it changed: errors in what did not change are
// forgiven ("ratcheting").
// Source of truth: k8s.io/apiserver/pkg/cel/common/equality.go.
#pragma once

#include "sim/admission/field_error.h"
#include "sim/admission/schema.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <string_view>

namespace stillpoint::sim {

// Null when it is no object.
[[nodiscard]] const boost::json::object* ObjectOf(const boost::json::value* value);

// The member `name` of what was there before. Null: nothing was. `hint` as in Schema::Find.
[[nodiscard]] const boost::json::value* MemberBefore(const boost::json::object* before,
                                                     std::string_view name, std::size_t& hint);

// Calls `visit` for each member of `object` that has a schema: with that, what was there before,
// the value and its path.
template <class Visit>
void ForEachMember(const Schema& schema, const boost::json::object* before,
                   const boost::json::object& object, const Path& path, const Visit& visit) {
  std::size_t hint = 0;
  std::size_t before_hint = 0;
  for (const auto& member : object) {
    const SchemaProperty* property = schema.Find(member.key(), hint);
    const Schema* child = property ? &property->schema : schema.additional_properties.get();
    if (!child) continue;
    visit(*child, MemberBefore(before, member.key(), before_hint), member.value(),
          property ? path.Child(member.key()) : path.Key(member.key()));
  }
}

// The element that had the keys of `item`, where the list is one whose elements have keys. Null:
// there was none, or elements of such a list cannot be told apart.
[[nodiscard]] const boost::json::value* ItemBefore(const Schema& list,
                                                   const boost::json::value* before,
                                                   const boost::json::value& item);

// Whether they are the same as the API server sees it: in any order where elements have keys; a
// member without a schema counts as changed. `before` may be null: changed.
[[nodiscard]] bool IsUnchanged(const Schema& schema, const boost::json::value* before,
                               const boost::json::value& now);

}  // namespace stillpoint::sim
