#include "sim/admission/schema.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <iterator>
#include <span>
#include <stdexcept>
#include <utility>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kVariables[] = {"self", "oldSelf"};
constexpr std::size_t kOldSelf = 1;

[[noreturn]] void Refuse(std::string_view what, std::string_view detail) {
  throw std::logic_error(fmt::format("schema: {}: {}", what, detail));
}

std::string TextOf(const json::value& value) {
  return std::string(std::string_view(value.as_string()));
}

std::string OptionalText(const json::object& json, std::string_view key) {
  const auto* value = json.if_contains(key);
  return value ? TextOf(*value) : std::string();
}

bool IsTrue(const json::object& json, std::string_view key) {
  const auto* value = json.if_contains(key);
  return value && value->as_bool();
}

std::optional<std::int64_t> Whole(const json::object& json, std::string_view key) {
  const auto* value = json.if_contains(key);
  return value ? std::optional(value->to_number<std::int64_t>()) : std::nullopt;
}

std::optional<double> Number(const json::object& json, std::string_view key) {
  const auto* value = json.if_contains(key);
  return value ? std::optional(value->to_number<double>()) : std::nullopt;
}

std::vector<std::string> Texts(const json::object& json, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* value = json.if_contains(key)) {
    for (const json::value& text : value->as_array()) out.push_back(TextOf(text));
  }
  return out;
}

template <class Enum>
struct Word {
  std::string_view word;
  Enum value;
};
constexpr Word<SchemaType> kTypes[] = {
    {"", SchemaType::kAny},           {"object", SchemaType::kObject},
    {"array", SchemaType::kArray},    {"string", SchemaType::kString},
    {"number", SchemaType::kNumber},  {"integer", SchemaType::kInteger},
    {"boolean", SchemaType::kBoolean}};
constexpr Word<SchemaFormat> kFormats[] = {{"", SchemaFormat::kNone},
                                           {"date-time", SchemaFormat::kDateTime},
                                           {"int32", SchemaFormat::kInt32},
                                           {"int64", SchemaFormat::kInt64}};
constexpr Word<SchemaListType> kListTypes[] = {{"", SchemaListType::kAtomic},
                                               {"atomic", SchemaListType::kAtomic},
                                               {"set", SchemaListType::kSet},
                                               {"map", SchemaListType::kMap}};

template <class Enum>
Enum Read(std::span<const Word<Enum>> words, std::string_view word, std::string_view what) {
  const auto found = std::ranges::find(words, word, &Word<Enum>::word);
  if (found == words.end()) Refuse(what, word);
  return found->value;
}

void RefuseUnknownKeywords(const json::object& json) {
  constexpr std::string_view kKnown[] = {"description",
                                         "title",
                                         "example",
                                         "type",
                                         "format",
                                         "nullable",
                                         "default",
                                         "enum",
                                         "pattern",
                                         "minLength",
                                         "maxLength",
                                         "minItems",
                                         "maxItems",
                                         "minProperties",
                                         "maxProperties",
                                         "minimum",
                                         "maximum",
                                         "exclusiveMinimum",
                                         "exclusiveMaximum",
                                         "properties",
                                         "additionalProperties",
                                         "required",
                                         "items",
                                         "x-kubernetes-int-or-string",
                                         "x-kubernetes-preserve-unknown-fields",
                                         "x-kubernetes-list-type",
                                         "x-kubernetes-list-map-keys",
                                         "x-kubernetes-map-type",
                                         "x-kubernetes-validations"};
  for (const auto& member : json) {
    const std::string_view key = member.key();
    if (std::ranges::find(kKnown, key) == std::end(kKnown)) Refuse("unknown keyword", key);
  }
}

cel::Program CompileRule(const std::string& text) {
  auto program = cel::Program::Compile(text, kVariables);
  if (!program) Refuse(text, program.error().message);
  return std::move(*program);
}

ValidationRule ReadRule(const json::object& json) {
  ValidationRule rule{.text = TextOf(json.at("rule")),
                      .message = OptionalText(json, "message"),
                      .field_path = OptionalText(json, "fieldPath"),
                      .reason = OptionalText(json, "reason"),
                      .program = CompileRule(TextOf(json.at("rule"))),
                      .message_program = std::nullopt,
                      .has_optional_old_self = IsTrue(json, "optionalOldSelf")};
  if (json.contains("messageExpression")) {
    rule.message_program = CompileRule(TextOf(json.at("messageExpression")));
  }
  rule.is_transition = rule.program.Uses(kOldSelf);
  return rule;
}

void ReadLimits(const json::object& json, Schema& schema) {
  schema.min_length = Whole(json, "minLength");
  schema.max_length = Whole(json, "maxLength");
  schema.min_items = Whole(json, "minItems");
  schema.max_items = Whole(json, "maxItems");
  schema.min_properties = Whole(json, "minProperties");
  schema.max_properties = Whole(json, "maxProperties");
  schema.minimum = Number(json, "minimum");
  schema.maximum = Number(json, "maximum");
  schema.exclusive_minimum = IsTrue(json, "exclusiveMinimum");
  schema.exclusive_maximum = IsTrue(json, "exclusiveMaximum");
  if (const auto* pattern = json.if_contains("pattern")) {
    auto regex = Regex::Compile(TextOf(*pattern));
    if (!regex) Refuse("pattern", regex.error().message);
    schema.pattern = std::move(*regex);
  }
  if (const auto* values = json.if_contains("enum")) {
    schema.enum_values.assign(values->as_array().begin(), values->as_array().end());
  }
}

void ReadType(const json::object& json, Schema& schema) {
  schema.type = Read<SchemaType>(kTypes, OptionalText(json, "type"), "unknown type");
  if (IsTrue(json, "x-kubernetes-int-or-string")) schema.type = SchemaType::kIntOrString;
  schema.format_name = OptionalText(json, "format");
  schema.format = Read<SchemaFormat>(kFormats, schema.format_name, "unknown format");
  schema.nullable = IsTrue(json, "nullable");
  schema.preserves_unknown_fields = IsTrue(json, "x-kubernetes-preserve-unknown-fields");
  if (const auto* value = json.if_contains("default")) schema.default_value = *value;
}

// The schemas inside of this one.
void ReadChildren(const json::object& json, Schema& schema) {
  if (const auto* properties = json.if_contains("properties")) {
    for (const auto& member : properties->as_object()) {
      schema.properties.push_back(
          {std::string(std::string_view(member.key())), CompileSchema(member.value().as_object())});
    }
  }
  schema.required = Texts(json, "required");
  if (const auto* additional = json.if_contains("additionalProperties")) {
    if (!additional->is_object()) Refuse("additionalProperties", "must be a schema");
    schema.additional_properties =
        std::make_unique<const Schema>(CompileSchema(additional->get_object()));
  }
  if (const auto* items = json.if_contains("items")) {
    schema.items = std::make_unique<const Schema>(CompileSchema(items->as_object()));
  }
  schema.list_type =
      Read<SchemaListType>(kListTypes, OptionalText(json, "x-kubernetes-list-type"), "list type");
  schema.list_map_keys = Texts(json, "x-kubernetes-list-map-keys");
}

void Summarise(Schema& schema) {
  const auto add = [&schema](const Schema& child) {
    schema.any_rules |= child.any_rules;
    schema.any_transition_rules |= child.any_transition_rules;
    schema.any_unique_lists |= child.any_unique_lists;
  };
  schema.any_rules = !schema.rules.empty();
  schema.any_transition_rules = std::ranges::any_of(schema.rules, &ValidationRule::is_transition);
  schema.any_unique_lists = schema.list_type != SchemaListType::kAtomic;
  for (const SchemaProperty& property : schema.properties) add(property.schema);
  if (schema.additional_properties) add(*schema.additional_properties);
  if (schema.items) add(*schema.items);
}

}  // namespace

const SchemaProperty* Schema::Find(std::string_view name, std::size_t& hint) const {
  for (std::size_t i = 0; i < properties.size(); ++i) {
    const std::size_t at = hint + i < properties.size() ? hint + i : hint + i - properties.size();
    if (properties[at].name != name) continue;
    hint = at + 1;
    return &properties[at];
  }
  return nullptr;
}

std::string_view TypeWord(SchemaType type) {
  const auto* const found = std::ranges::find(kTypes, type, &Word<SchemaType>::value);
  return found == std::end(kTypes) ? "" : found->word;
}

const Schema* Schema::ForMember(std::string_view name, std::size_t& hint) const {
  if (const auto* property = Find(name, hint)) return &property->schema;
  return additional_properties.get();
}

Schema CompileSchema(const json::object& json) {
  RefuseUnknownKeywords(json);
  Schema schema;
  ReadType(json, schema);
  ReadLimits(json, schema);
  ReadChildren(json, schema);
  if (const auto* rules = json.if_contains("x-kubernetes-validations")) {
    for (const json::value& rule : rules->as_array()) {
      schema.rules.push_back(ReadRule(rule.as_object()));
    }
  }
  Summarise(schema);
  return schema;
}

}  // namespace stillpoint::sim
