#include "sim/cluster/same.h"

#include <boost/json/array.hpp>

#include <algorithm>

namespace stillpoint::sim {

namespace json = boost::json;

bool IsSame(const json::object& a, const json::object& b) {
  if (a.size() != b.size()) return false;
  for (auto one = a.begin(), other = b.begin(); one != a.end(); ++one, ++other) {
    const bool in_place = one->key() == other->key();
    const json::value* value = in_place ? &other->value() : b.if_contains(one->key());
    if (!value || !IsSame(one->value(), *value)) return false;
  }
  return true;
}

bool IsSame(const json::value& a, const json::value& b) {
  if (a.is_object() && b.is_object()) return IsSame(a.get_object(), b.get_object());
  if (!a.is_array() || !b.is_array()) return a == b;
  return std::ranges::equal(
      a.get_array(), b.get_array(),
      [](const json::value& one, const json::value& other) { return IsSame(one, other); });
}

}  // namespace stillpoint::sim
