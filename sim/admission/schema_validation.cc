#include "sim/admission/schema_validation.h"

#include "api/time.h"
#include "sim/admission/cel_text.h"
#include "sim/admission/correlation.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

// What a value is, in the words of JSON schema, and as which format Go holds it.
struct Nature {
  std::string_view type;
  std::string_view format;
};

Nature NatureOf(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return {"null", ""};
    case json::kind::bool_:
      return {"boolean", ""};
    case json::kind::int64:
    case json::kind::uint64:
      return {"integer", "int64"};
    case json::kind::double_:
      return {"number", "float64"};
    case json::kind::string:
      return {"string", ""};
    case json::kind::array:
      return {"array", ""};
    case json::kind::object:
      return {"object", ""};
  }
  return {};
}

bool IsWhole(const json::value& value) {
  const auto* number = value.if_double();
  return number && std::trunc(*number) == *number && std::fabs(*number) < 9007199254740992.0;
}

bool HasType(const Schema& schema, const json::value& value) {
  const std::string_view actual = NatureOf(value).type;
  switch (schema.type) {
    case SchemaType::kAny:
      return true;
    case SchemaType::kInteger:
      return actual == "integer" || IsWhole(value);
    case SchemaType::kNumber:
      return actual == "integer" || actual == "number";
    case SchemaType::kIntOrString:
      return actual == "integer" || actual == "string" || IsWhole(value);
    default:
      return actual == TypeWord(schema.type);
  }
}

bool FitsFormat(const Schema& schema, const json::value& value) {
  const auto* number = value.if_int64();
  if (!number) return IsWhole(value);
  return schema.format != SchemaFormat::kInt32 || std::in_range<std::int32_t>(*number);
}

// One value against one schema, and down from there.
class Validation {
 public:
  Validation(std::string prefix, FieldErrors& errors)
      : prefix_(std::move(prefix)), errors_(errors) {}

  void Of(const Schema& schema, const json::value* before, const json::value& value,
          const Path& path) {
    if (IsUnchanged(schema, before, value)) return;
    CheckType(schema, value, path);
    if (const auto* text = value.if_string()) CheckText(schema, *text, path);
    if (value.is_number()) CheckNumber(schema, value, path);
    if (const auto* array = value.if_array()) CheckArray(schema, before, *array, path);
    CheckEnum(schema, value, path);
    if (const auto* object = value.if_object()) {
      CheckObject(schema, ObjectOf(before), *object, path);
    }
  }

  void CheckObject(const Schema& schema, const json::object* before, const json::object& object,
                   const Path& path) {
    const auto size = static_cast<std::int64_t>(object.size());
    if (schema.min_properties && size < *schema.min_properties) {
      AddLimit(path, size, fmt::format("have at least {} properties", *schema.min_properties));
    }
    if (schema.max_properties && size > *schema.max_properties) {
      Add(TooMany(FieldOf(path), object.size(), *schema.max_properties));
    }
    std::size_t before_hint = 0;
    std::size_t hint = 0;
    for (const auto& member : object) {
      const Schema* child = schema.ForMember(member.key(), hint);
      if (!child) continue;
      Of(*child, MemberBefore(before, member.key(), before_hint), member.value(),
         path.Child(member.key()));
    }
    for (const std::string& name : schema.required) {
      if (!object.contains(name)) Add(RequiredValue(FieldOf(path.Child(name))));
    }
  }

 private:
  [[nodiscard]] std::string FieldOf(const Path& path) const {
    const std::string below = path.BodyText();
    if (prefix_.empty()) return below.empty() ? "<nil>" : below;
    return below.empty() ? prefix_ : fmt::format("{}.{}", prefix_, below);
  }

  void Add(FieldError error) { errors_.push_back(std::move(error)); }

  void AddType(const Path& path, std::string_view expected, std::string_view actual) {
    const json::value shown(json::string(actual.data(), actual.size()));
    Add(InvalidType(
        FieldOf(path), shown,
        fmt::format("{} in body must be of type {}: \"{}\"", path.BodyText(), expected, actual)));
  }

  template <class Shown>
  void AddLimit(const Path& path, const Shown& value, std::string_view limit) {
    Add(InvalidValue(FieldOf(path), json::value(value),
                     fmt::format("{} in body should {}", path.BodyText(), limit)));
  }

  void CheckType(const Schema& schema, const json::value& value, const Path& path) {
    if (HasType(schema, value) || (value.is_null() && schema.nullable)) return;
    const auto [type, format] = NatureOf(value);
    const bool is_sized = value.is_string() || value.is_array() || value.is_null();
    if (schema.format != SchemaFormat::kNone && !is_sized) {
      if (format != schema.format_name) AddType(path, schema.format_name, format);
    } else {
      const bool either = schema.type == SchemaType::kIntOrString;
      AddType(path, either ? "integer,string" : TypeWord(schema.type), type);
    }
  }

  void CheckText(const Schema& schema, std::string_view text, const Path& path) {
    CheckLength(schema, text, path);
    const bool is_time = schema.format == SchemaFormat::kDateTime;
    if (is_time && !api::ParseTime(text)) {
      const json::value shown(json::string(text.data(), text.size()));
      Add(InvalidType(FieldOf(path), shown,
                      fmt::format("{} in body must be of type {}: \"{}\"", path.BodyText(),
                                  schema.format_name, text)));
    }
  }

  // The first limit that is broken counts.
  void CheckLength(const Schema& schema, std::string_view text, const Path& path) {
    if (!schema.max_length && !schema.min_length && !schema.pattern) return;
    const auto length = static_cast<std::int64_t>(cel::CountCharacters(text));
    const json::string shown(text.data(), text.size());
    if (schema.max_length && length > *schema.max_length) {
      Add(TooLong(FieldOf(path), *schema.max_length));
    } else if (schema.min_length && length < *schema.min_length) {
      AddLimit(path, shown, fmt::format("be at least {} chars long", *schema.min_length));
    } else if (schema.pattern && !schema.pattern->Matches(text)) {
      AddLimit(path, shown, fmt::format("match '{}'", schema.pattern->pattern()));
    }
  }

  void CheckNumber(const Schema& schema, const json::value& value, const Path& path) {
    const auto number = value.to_number<double>();
    if (schema.type == SchemaType::kInteger && !FitsFormat(schema, value)) {
      Add(InvalidValue(prefix_.empty() ? "<nil>" : prefix_, json::value(""),
                       fmt::format("Checked value must be of type integer {} in {}",
                                   schema.format_name.empty() ? "(default format)"
                                                              : "with format " + schema.format_name,
                                   path.BodyText())));
    }
    const auto& most = schema.maximum;
    if (most && (schema.exclusive_maximum ? number >= *most : number > *most)) {
      AddLimit(
          path, value,
          fmt::format("be less than {}{}", schema.exclusive_maximum ? "" : "or equal to ", *most));
    }
    const auto& least = schema.minimum;
    if (least && (schema.exclusive_minimum ? number <= *least : number < *least)) {
      AddLimit(path, value,
               fmt::format("be greater than {}{}", schema.exclusive_minimum ? "" : "or equal to ",
                           *least));
    }
  }

  void CheckEnum(const Schema& schema, const json::value& value, const Path& path) {
    if (schema.enum_values.empty()) return;
    if (std::ranges::find(schema.enum_values, value) != schema.enum_values.end()) return;
    Add(UnsupportedValue(FieldOf(path), value, schema.enum_values));
  }

  void CheckArray(const Schema& schema, const json::value* before, const json::array& array,
                  const Path& path) {
    if (schema.items) {
      for (std::size_t i = 0; i < array.size(); ++i) {
        const bool keyed = schema.list_type == SchemaListType::kMap;
        Of(*schema.items, keyed ? ItemBefore(schema, before, array[i]) : nullptr, array[i],
           path.Index(i));
      }
    }
    const auto size = static_cast<std::int64_t>(array.size());
    if (schema.min_items && size < *schema.min_items) {
      AddLimit(path, size, fmt::format("have at least {} items", *schema.min_items));
    }
    if (schema.max_items && size > *schema.max_items) {
      Add(TooMany(FieldOf(path), array.size(), *schema.max_items));
    }
  }

  const std::string prefix_;  // where it is in its object; empty: it is the object
  FieldErrors& errors_;
};

}  // namespace

void ValidateSchema(const Schema& schema, const json::object* before, const json::object& object,
                    FieldErrors& errors) {
  Validation("", errors).CheckObject(schema, before, object, Path());
}

void ValidateMember(const std::string& name, const Schema& schema, const json::value* before,
                    const json::value& value, FieldErrors& errors) {
  Validation(name, errors).Of(schema, before, value, Path());
}

}  // namespace stillpoint::sim
