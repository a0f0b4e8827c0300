#include "api/schema.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <stdexcept>

namespace stillpoint::api {
namespace {

namespace json = boost::json;

json::string Text(std::string_view text) {
  return json::string(text.data(), text.size());
}

void AddRules(json::object& out, const std::vector<Rule>& rules) {
  if (rules.empty()) return;
  json::array& list = out["x-kubernetes-validations"].is_null()
                          ? out["x-kubernetes-validations"].emplace_array()
                          : out["x-kubernetes-validations"].as_array();
  for (const Rule& rule : rules) {
    list.push_back(json::object{{"rule", rule.cel}, {"message", rule.message}});
  }
}

void AddWords(json::object& out, const std::vector<std::string>& words) {
  json::array& list = out["enum"].emplace_array();
  for (const std::string& word : words) list.push_back(Text(word));
}

void AddText(json::object& out, const TextSchema& text) {
  if (text.max_length) out["maxLength"] = *text.max_length;
  if (!text.words.empty()) AddWords(out, text.words);
  AddRules(out, text.rules);
}

std::string_view NameOf(ListType type) {
  switch (type) {
    case ListType::kAtomic:
      return "atomic";
    case ListType::kSet:
      return "set";
    case ListType::kMap:
      return "map";
  }
  return "atomic";
}

json::object Enum(const Type& type) {
  json::object out{{"type", "string"}};
  std::vector<std::string> words;
  for (const EnumValue& value : type.values) words.push_back(value.name);
  AddWords(out, words);
  return out;
}

// Walks a type and the schemas of the structs in it.
class Builder {
 public:
  explicit Builder(const Schemas& schemas) : schemas_(schemas) {}

  json::object Struct(const Type& type) const {
    const StructSchema* const schema = FindSchema(schemas_, type);
    if (schema == nullptr) throw std::logic_error("a struct of the API has no schema");
    json::object out{{"description", schema->doc}, {"type", "object"}};
    json::array required;
    json::object properties;
    if (type.resource != nullptr) AddTypeMeta(properties);
    for (const Member& member : type.members) {
      if (&member.type() == &TypeOf<ObjectMeta>()) continue;
      const auto& field = FieldOf(*schema, member);
      if (field.required) required.push_back(Text(member.key));
      json::object property = Field(member.type(), field);
      if (const auto* value = schema->defaults.if_contains(member.key))
        property["default"] = *value;
      properties[member.key] = std::move(property);
    }
    if (!required.empty()) out["required"] = std::move(required);
    out["properties"] = std::move(properties);
    AddRules(out, schema->rules);
    return out;
  }

 private:
  // What the API server knows better than a CRD may say.
  static void AddTypeMeta(json::object& properties) {
    properties["apiVersion"] = json::object{{"type", "string"}};
    properties["kind"] = json::object{{"type", "string"}};
    properties["metadata"] = json::object{{"type", "object"}};
  }

  static const FieldSchema& FieldOf(const StructSchema& schema, const Member& member) {
    const auto found = std::ranges::find(schema.fields, member.name, &FieldSchema::member);
    if (found == schema.fields.end()) {
      throw std::logic_error(fmt::format("the member {} has no schema", member.name));
    }
    return *found;
  }

  // The member's text stands first, and for that of its struct: it says it more closely.
  json::object Field(const Type& type, const FieldSchema& field) const {
    json::object out{{"description", field.doc}};
    for (auto& [key, value] : Value(type, field)) out.emplace(key, std::move(value));
    AddRules(out, field.rules);
    return out;
  }

  json::object Value(const Type& type, const FieldSchema& field) const {
    switch (type.shape) {
      case Shape::kString:
      case Shape::kDuration:
      case Shape::kQuantity:
        return TextValue(field);
      case Shape::kBool:
        return {{"type", "boolean"}};
      case Shape::kInteger:
        return {{"type", "integer"}, {"format", "int64"}};
      case Shape::kTime:
      case Shape::kMicroTime:
        return {{"type", "string"}, {"format", "date-time"}};
      case Shape::kEnum:
        return Enum(type);
      case Shape::kOptional:
        return Value(type.element(), field);
      case Shape::kList:
        return List(type, field);
      case Shape::kMap:
        return Map(type, field);
      case Shape::kStruct:
        return Struct(type);
      case Shape::kValue:
      case Shape::kObject:
        break;
    }
    throw std::logic_error("a pass-through member has no place in a CRD");
  }

  static json::object TextValue(const FieldSchema& field) {
    json::object out{{"type", "string"}};
    AddText(out, field.text);
    return out;
  }

  json::object List(const Type& type, const FieldSchema& field) const {
    json::object out{{"type", "array"}, {"x-kubernetes-list-type", Text(NameOf(field.list_type))}};
    if (field.list_type == ListType::kMap) {
      out["x-kubernetes-list-map-keys"] = json::array{Text(field.list_key)};
    }
    if (field.max_items) out["maxItems"] = *field.max_items;
    out["items"] = Value(type.element(), field);
    return out;
  }

  json::object Map(const Type& type, const FieldSchema& field) const {
    json::object out{{"type", "object"}};
    if (field.max_items) out["maxProperties"] = *field.max_items;
    out["additionalProperties"] = Value(type.element(), field);
    return out;
  }

  const Schemas& schemas_;
};

}  // namespace

const StructSchema* FindSchema(const Schemas& schemas, const Type& type) {
  const auto found = std::ranges::find(schemas, &type, &StructSchema::type);
  return found == schemas.end() ? nullptr : &*found;
}

json::object OpenApi(const Type& type, const Schemas& schemas) {
  return Builder(schemas).Struct(type);
}

}  // namespace stillpoint::api
