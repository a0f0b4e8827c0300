// Values of CEL, the language of the rules in a CRD.
// Source of truth: the CEL specification, "Values", and, for JSON, how the API server shows a
// custom resource to its rules (k8s.io/apiserver/pkg/cel/common/valuesunstructured.go).
#pragma once

#include "api/meta.h"
#include "api/quantity.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stillpoint::sim {
struct Schema;
}  // namespace stillpoint::sim

namespace stillpoint::sim::cel {

class Value;

struct Null {};

// An evaluation that went wrong. It is a value: `false && error` is false.
struct Failure {
  std::string_view message;
};

// JSON, with the schema that says how to read it: which texts are instants, which lists are sets.
// Null: as JSON has it.
struct JsonList {
  const boost::json::array* array = nullptr;
  const Schema* schema = nullptr;
};
struct JsonMap {
  const boost::json::object* object = nullptr;
  const Schema* schema = nullptr;
};

// A list or map that the expression made.
struct List {
  const std::vector<Value>* items = nullptr;
};
struct Map {
  const std::vector<std::pair<Value, Value>>* entries = nullptr;
};

// Null: none.
struct Optional {
  const Value* value = nullptr;
};

// Lifetime: a value points into the JSON that it was made of, and into the arena of its evaluation.
class Value {
 public:
  using Data = std::variant<Null, bool, std::int64_t, std::uint64_t, double, std::string_view,
                            std::chrono::nanoseconds, api::Time, const api::Quantity*, JsonList,
                            JsonMap, List, Map, Optional, Failure>;

  Value() = default;
  template <class T>
    requires std::constructible_from<Data, T>
  Value(T data) : data_(data) {}

  [[nodiscard]] const Data& data() const { return data_; }

  template <class T>
  [[nodiscard]] const T* If() const {
    return std::get_if<T>(&data_);
  }

  [[nodiscard]] bool IsFailure() const { return If<Failure>() != nullptr; }
  [[nodiscard]] bool IsNumber() const;
  [[nodiscard]] bool IsList() const { return If<JsonList>() || If<List>(); }
  [[nodiscard]] bool IsMap() const { return If<JsonMap>() || If<Map>(); }

 private:
  Data data_;
};

// What an evaluation makes and its values point to.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  std::string_view Keep(std::string text) { return texts_.emplace_front(std::move(text)); }
  List Keep(std::vector<Value> items) { return {&lists_.emplace_front(std::move(items))}; }
  Map Keep(std::vector<std::pair<Value, Value>> entries) {
    return {&maps_.emplace_front(std::move(entries))};
  }
  const api::Quantity* Keep(api::Quantity quantity) {
    return &quantities_.emplace_front(std::move(quantity));
  }
  Optional KeepOptional(Value value) { return {&values_.emplace_front(value)}; }
  Failure Fail(std::string message) { return {Keep(std::move(message))}; }

 private:
  std::forward_list<std::string> texts_;
  std::forward_list<std::vector<Value>> lists_;
  std::forward_list<std::vector<std::pair<Value, Value>>> maps_;
  std::forward_list<api::Quantity> quantities_;
  std::forward_list<Value> values_;
};

// `schema` may be null.
[[nodiscard]] Value FromJson(const boost::json::value& json, const Schema* schema);

// ---- lists and maps, whoever made them --------------------------------------------------------

[[nodiscard]] std::size_t SizeOf(const Value& list_or_map);

// REQUIRES: `list` is a list, and has an item `index`.
[[nodiscard]] Value ItemOf(const Value& list, std::size_t index);

// Empty: no such key. REQUIRES: `map` is a map.
[[nodiscard]] std::optional<Value> Find(const Value& map, const Value& key);

// A field of an object by its name in CEL, where `namespace` is written `__namespace__`.
[[nodiscard]] std::optional<Value> FindField(const Value& map, std::string_view name);

[[nodiscard]] std::vector<Value> KeysOf(const Value& map);

// Whether its schema makes a list a set.
[[nodiscard]] bool IsSet(const Value& list);

// ---- order ------------------------------------------------------------------------------------

// Numbers are equal by their value whatever their types; a set is equal in any order. Values of
// different types are different.
[[nodiscard]] bool Equal(const Value& a, const Value& b);

// Empty: these have no order.
[[nodiscard]] std::optional<std::partial_ordering> Compare(const Value& a, const Value& b);

}  // namespace stillpoint::sim::cel
