// What a value was before an update, and whether it changed: errors in what did not change are
// forgiven ("ratcheting").
// Source of truth: k8s.io/apiserver/pkg/cel/common/equality.go.
#pragma once

#include "sim/admission/schema.h"

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <string_view>

namespace stillpoint::sim {

// Null when it is no object.
[[nodiscard]] const boost::json::object* ObjectOf(const boost::json::value* value);

// The member `name` of what was there before. Null: nothing was. `hint` as in Schema::Find.
[[nodiscard]] const boost::json::value* MemberBefore(const boost::json::object* before,
                                                     std::string_view name, std::size_t& hint);

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
