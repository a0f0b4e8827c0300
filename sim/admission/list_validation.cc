#include "sim/admission/list_validation.h"

#include "sim/admission/correlation.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

class Duplicates {
 public:
  explicit Duplicates(FieldErrors& errors) : errors_(errors) {}

  void LookAt(const Schema& schema, const json::value* before, const json::value& value,
              const Path& path) {
    if (!schema.any_unique_lists) return;
    if (before && IsUnchanged(schema, before, value)) return;
    if (const auto* object = value.if_object()) {
      LookInto(schema, ObjectOf(before), *object, path);
    } else if (const auto* array = value.if_array()) {
      if (schema.list_type != SchemaListType::kAtomic) Compare(schema, *array, path);
      for (std::size_t i = 0; schema.items && i < array->size(); ++i) {
        LookAt(*schema.items, nullptr, (*array)[i], path.Index(i));
      }
    }
  }

  void LookInto(const Schema& schema, const json::object* before, const json::object& object,
                const Path& path) {
    ForEachMember(schema, before, object, path,
                  [&](const Schema& of_member, const json::value* was, const json::value& value,
                      const Path& at) { LookAt(of_member, was, value, at); });
  }

 private:
  // What tells an element from others: itself, or its keys.
  static json::value IdentityOf(const Schema& list, const json::value& item) {
    if (list.list_type == SchemaListType::kSet) return item;
    json::object keys;
    for (const std::string& key : list.list_map_keys) {
      const auto* value = item.is_object() ? item.get_object().if_contains(key) : nullptr;
      if (value) keys[key] = *value;
    }
    return keys;
  }

  // Says it once of each element, at its second place.
  void Compare(const Schema& list, const json::array& array, const Path& path) {
    std::vector<json::value> seen;
    seen.reserve(array.size());
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (list.list_type == SchemaListType::kMap && !array[i].is_object() && !array[i].is_null()) {
        errors_.push_back(InvalidValue(path.Index(i).Text(), array[i],
                                       "must be an object for an array of list-type map"));
        return;
      }
      seen.push_back(IdentityOf(list, array[i]));
      if (std::ranges::count(seen, seen.back()) != 2) continue;
      errors_.push_back(DuplicateValue(path.Index(i).Text(), seen.back()));
    }
  }

  FieldErrors& errors_;
};

}  // namespace

// An error in what did not change was there before, and so forgives all.
void ValidateUniqueness(const Schema& schema, const json::object* before,
                        const json::object& object, FieldErrors& errors) {
  FieldErrors now;
  Duplicates(now).LookInto(schema, before, object, Path());
  if (now.empty()) return;
  FieldErrors then;
  if (before) Duplicates(then).LookInto(schema, nullptr, *before, Path());
  if (then.empty()) errors.insert(errors.end(), now.begin(), now.end());
}

}  // namespace stillpoint::sim
