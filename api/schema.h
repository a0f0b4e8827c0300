// Schema: what a person may write into our objects, member by member, beside the structs: the
// text of `kubectl explain`, the limits, and rules with a sentence for whoever breaks them.
//
// Names, types, enum words and defaults are not repeated here: they come from the structs
// (type.h). A test holds that every described member has an entry and every entry a member.
#pragma once

#include "api/type.h"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::api {

// A CEL expression over `self`. Where it is false the API server answers
//   <path>: Invalid value: <value>: <message>
// so that a message goes on from the value: "is not a duration, for example 90s or 1d6h30m".
struct Rule {
  std::string cel;
  std::string message;
};

// A text field, or each text in a list or map.
struct TextSchema {
  std::optional<int> max_length;
  std::vector<std::string> words;  // not empty: it must be one of these
  std::vector<Rule> rules;
};

// How server-side apply merges a list. kSet and kMap also refuse duplicates.
enum class ListType { kAtomic, kSet, kMap };

struct FieldSchema {
  std::string_view member;  // in C++
  std::string doc;
  bool required = false;
  TextSchema text;
  std::optional<int> max_items;  // of a list or map
  ListType list_type = ListType::kAtomic;
  std::string list_key;  // kMap: the key of an element that names it
  std::vector<Rule> rules;
};

struct StructSchema {
  const Type* type = nullptr;
  std::string doc;
  std::vector<FieldSchema> fields;
  std::vector<Rule> rules;
  boost::json::object defaults;  // what the API server fills in
};

using Schemas = std::vector<StructSchema>;

// The schemas of VolumeBackup (volume_backup_schema.cc), of VolumeRestore
// (volume_restore_schema.cc) and of what both hold (common_schema.cc). None is limited in its
// status: only we write there, and a status that the API server refuses would be a thaw forgotten.
[[nodiscard]] Schemas VolumeBackupSchemas();
[[nodiscard]] Schemas VolumeRestoreSchemas();
[[nodiscard]] Schemas CommonSchemas();

// Null when there is none.
[[nodiscard]] const StructSchema* FindSchema(const Schemas& schemas, const Type& type);

// The OpenAPI v3 schema of `type`, as a structural CRD schema.
// REQUIRES: `schemas` holds every struct below `type`.
[[nodiscard]] boost::json::object OpenApi(const Type& type, const Schemas& schemas);

}  // namespace stillpoint::api
