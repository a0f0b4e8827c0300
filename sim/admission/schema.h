// Schema: the structural schema of a custom resource, compiled once: patterns and rules are parsed.
// Source of truth: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/structural.go.
#pragma once

#include "sim/admission/cel_program.h"
#include "sim/admission/regex.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim {

// One entry of x-kubernetes-validations.
struct ValidationRule {
  std::string text;
  std::string message;     // empty: none
  std::string field_path;  // below the object: ".limit"; empty: the object
  std::string reason;      // of the error; empty: FieldValueInvalid
  cel::Program program;
  std::optional<cel::Program> message_program;
  bool is_transition = false;          // it names oldSelf
  bool has_optional_old_self = false;  // it runs on creation too
};

enum class SchemaType { kAny, kObject, kArray, kString, kInteger, kNumber, kBoolean, kIntOrString };
enum class SchemaFormat { kNone, kDateTime, kInt32, kInt64 };
enum class SchemaListType { kAtomic, kSet, kMap };

// As a schema writes it; empty for those that it writes otherwise.
[[nodiscard]] std::string_view TypeWord(SchemaType type);

struct SchemaProperty;

struct Schema {
  SchemaType type = SchemaType::kAny;
  SchemaFormat format = SchemaFormat::kNone;
  std::string format_name;  // as the schema writes it
  bool nullable = false;
  bool preserves_unknown_fields = false;
  std::optional<boost::json::value> default_value;

  std::vector<boost::json::value> enum_values;
  std::optional<Regex> pattern;
  std::optional<std::int64_t> min_length, max_length;
  std::optional<std::int64_t> min_items, max_items;
  std::optional<std::int64_t> min_properties, max_properties;
  std::optional<double> minimum, maximum;
  bool exclusive_minimum = false;
  bool exclusive_maximum = false;

  std::vector<SchemaProperty> properties;
  std::unique_ptr<const Schema> additional_properties;
  std::vector<std::string> required;

  std::unique_ptr<const Schema> items;
  SchemaListType list_type = SchemaListType::kAtomic;
  std::vector<std::string> list_map_keys;

  std::vector<ValidationRule> rules;

  // Whether anything in or below it has some.
  bool any_rules = false;
  bool any_transition_rules = false;
  bool any_unique_lists = false;  // sets and maps

  // Null: none. `hint` is where to look first, and moves on: objects mostly keep the schema's
  // order.
  [[nodiscard]] const SchemaProperty* Find(std::string_view name, std::size_t& hint) const;

  // The schema of a member of an object, or of the value under a key. Null: it has none.
  [[nodiscard]] const Schema* ForMember(std::string_view name, std::size_t& hint) const;
};

struct SchemaProperty {
  std::string name;
  Schema schema;
};

// `json` is an openAPIV3Schema. Throws std::logic_error for a keyword, a format or a rule that is
// not known here: what is not checked must not look as if it were.
[[nodiscard]] Schema CompileSchema(const boost::json::object& json);

}  // namespace stillpoint::sim
