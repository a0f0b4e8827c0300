#include "sim/admission/defaulting.h"

#include "sim/admission/field_error.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

bool IsTypeOrMetadata(std::string_view key) {
  return key == "apiVersion" || key == "kind" || key == "metadata";
}

bool IsForbiddenNull(const Schema& schema, const json::value& value) {
  return value.is_null() && !schema.nullable;
}

void Conform(const Schema& schema, json::value& value);

// Where no list belongs, nothing is known of what is in one.
void PruneUnknown(json::value& item) {
  if (auto* object = item.if_object()) {
    object->clear();
  } else if (auto* array = item.if_array()) {
    for (json::value& inner : *array) PruneUnknown(inner);
  }
}

// `schema`: null when there is none for it.
bool DropsMember(const Schema* schema, bool keeps_unknown, const json::value& value) {
  if (!schema) return !keeps_unknown;
  return IsForbiddenNull(*schema, value) && !schema->default_value;
}

void ConformMembers(const Schema& schema, json::object& object, bool is_root) {
  std::size_t hint = 0;
  for (std::size_t i = 0; i < object.size();) {
    auto* const member = object.begin() + static_cast<std::ptrdiff_t>(i);
    const Schema* child = schema.ForMember(member->key(), hint);
    if (is_root && IsTypeOrMetadata(member->key())) {
      ++i;
    } else if (DropsMember(child, schema.preserves_unknown_fields, member->value())) {
      object.stable_erase(member);
    } else {
      if (child) Conform(*child, member->value());
      ++i;
    }
  }
  for (const SchemaProperty& property : schema.properties) {
    if (!property.schema.default_value || object.contains(property.name)) continue;
    Conform(property.schema, object[property.name] = *property.schema.default_value);
  }
}

void Conform(const Schema& schema, json::value& value) {
  if (IsForbiddenNull(schema, value) && schema.default_value) value = *schema.default_value;
  if (auto* object = value.if_object()) {
    ConformMembers(schema, *object, false);
  } else if (auto* array = value.if_array()) {
    for (json::value& item : *array) {
      if (schema.items) {
        Conform(*schema.items, item);
      } else if (!schema.preserves_unknown_fields) {
        PruneUnknown(item);
      }
    }
  }
}

// ---- unknown fields ---------------------------------------------------------------------------

class UnknownFields {
 public:
  void LookInto(const Schema& schema, const json::object& object, const Path& path, bool is_root) {
    std::size_t hint = 0;
    for (const auto& member : object) {
      const std::string_view key = member.key();
      if (is_root && IsTypeOrMetadata(key)) continue;
      const Schema* child = schema.ForMember(key, hint);
      if (child) {
        LookAt(*child, member.value(), path.Child(key));
      } else if (!schema.preserves_unknown_fields) {
        found_.push_back(path.Child(key).BodyText());
      }
    }
  }

  std::vector<std::string> Sorted() {
    std::ranges::sort(found_);
    return std::move(found_);
  }

 private:
  void LookAt(const Schema& schema, const json::value& value, const Path& path) {
    if (const auto* object = value.if_object()) {
      LookInto(schema, *object, path, false);
    } else if (const auto* array = value.if_array()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        if (schema.items) {
          LookAt(*schema.items, (*array)[i], path.Index(i));
        } else if (!schema.preserves_unknown_fields) {
          AddAll((*array)[i], path.Index(i));
        }
      }
    }
  }

  void AddAll(const json::value& value, const Path& path) {
    if (const auto* object = value.if_object()) {
      for (const auto& member : *object) found_.push_back(path.Child(member.key()).BodyText());
    } else if (const auto* array = value.if_array()) {
      for (std::size_t i = 0; i < array->size(); ++i) AddAll((*array)[i], path.Index(i));
    }
  }

  std::vector<std::string> found_;
};

}  // namespace

void PruneAndDefault(const Schema& schema, json::object& object) {
  ConformMembers(schema, object, true);
}

std::vector<std::string> FindUnknownFields(const Schema& schema, const json::object& object) {
  UnknownFields fields;
  fields.LookInto(schema, object, Path(), true);
  return fields.Sorted();
}

}  // namespace stillpoint::sim
