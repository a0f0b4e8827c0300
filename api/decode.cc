#include "api/codec.h"
#include "api/duration.h"
#include "api/quote.h"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace stillpoint::api {
namespace {

namespace json = boost::json;

void* At(void* object, const Member& member) {
  return static_cast<std::byte*>(object) + member.offset;
}

// Where we are, as a chain of frames on the stack: it costs nothing until there is an error.
struct Path {
  const Path* parent = nullptr;
  std::string_view key = {};
  std::size_t index = 0;
  enum class Kind { kRoot, kMember, kIndex, kMapKey } kind = Kind::kRoot;
};

std::string ToString(const Path& path) {
  std::string parent = path.parent == nullptr ? std::string() : ToString(*path.parent);
  switch (path.kind) {
    case Path::Kind::kRoot:
      return parent;
    case Path::Kind::kMember:
      return parent.empty() ? std::string(path.key) : parent + "." + std::string(path.key);
    case Path::Kind::kIndex:
      return fmt::format("{}[{}]", parent, path.index);
    case Path::Kind::kMapKey:
      return fmt::format("{}[{}]", parent, Quote(path.key));
  }
  return parent;
}

Error Invalid(const Path& path, std::string_view message) {
  const std::string where = ToString(path);
  return {Code::kInvalid, fmt::format("{}: {}", where.empty() ? "the object" : where, message)};
}

// How a message names a value.
std::string Show(const json::value& value) {
  switch (value.kind()) {
    case json::kind::string:
      return Quote(value.get_string());
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
    default:
      return json::serialize(value);
  }
}

Error WrongKind(const Path& path, const json::value& from, std::string_view want) {
  return Invalid(path, fmt::format("{} is not {}", Show(from), want));
}

Result<void> DecodeType(const Type& type, const json::value& from, void* to, const Path& path);

std::string_view TextOf(const json::value& value) {
  return value.get_string();
}

Result<void> DecodeBool(const Type& type, const json::value& from, void* to, const Path& path) {
  if (!from.is_bool()) return WrongKind(path, from, "true or false");
  type.store(to, from.get_bool() ? 1 : 0);
  return {};
}

Result<void> DecodeInteger(const Type& type, const json::value& from, void* to, const Path& path) {
  if (!from.is_int64() && !from.is_uint64()) return WrongKind(path, from, "a whole number");
  // A uint64 kind holds only what does not fit an int64.
  if (from.is_uint64() || from.get_int64() < type.min || from.get_int64() > type.max) {
    return Invalid(path,
                   fmt::format("{} is not between {} and {}", Show(from), type.min, type.max));
  }
  type.store(to, from.get_int64());
  return {};
}

Result<void> DecodeTime(const Type& type, const json::value& from, void* to, const Path& path) {
  if (!from.is_string()) return WrongKind(path, from, "a time, for example 2026-11-21T02:00:04Z");
  const auto time = ParseTime(TextOf(from));
  if (!time) return Invalid(path, time.error().message);
  type.store(to, time->time_since_epoch().count());
  return {};
}

Result<void> DecodeDuration(const Type& type, const json::value& from, void* to, const Path& path) {
  if (!from.is_string()) return WrongKind(path, from, "a duration, for example 90s or 1d6h30m");
  const auto duration = ParseDuration(TextOf(from));
  if (!duration) return Invalid(path, duration.error().message);
  type.store(to, duration->count());
  return {};
}

// Servers write text; a person may write a plain number in a schema that takes both.
Result<void> DecodeQuantity(const json::value& from, void* to, const Path& path) {
  if (!from.is_string() && !from.is_number()) {
    return WrongKind(path, from, "a size, for example 10Gi or 500M");
  }
  auto quantity = Quantity::Parse(from.is_string() ? std::string(TextOf(from)) : Show(from));
  if (!quantity) return Invalid(path, quantity.error().message);
  *static_cast<Quantity*>(to) = std::move(*quantity);
  return {};
}

std::string Names(const std::vector<EnumValue>& values) {
  std::string names;
  for (const EnumValue& value : values) names += (names.empty() ? "" : ", ") + value.name;
  return names;
}

Result<void> DecodeEnum(const Type& type, const json::value& from, void* to, const Path& path) {
  if (from.is_string()) {
    const auto found = std::ranges::find(type.values, TextOf(from), &EnumValue::name);
    if (found != type.values.end()) {
      type.store(to, found->value);
      return {};
    }
  }
  return WrongKind(path, from, "one of " + Names(type.values));
}

Result<void> DecodeString(const json::value& from, void* to, const Path& path) {
  if (!from.is_string()) return WrongKind(path, from, "text");
  *static_cast<std::string*>(to) = TextOf(from);
  return {};
}

Result<void> DecodeOptional(const Type& type, const json::value& from, void* to, const Path& path) {
  return DecodeType(type.element(), from, type.add(to, {}), path);
}

Result<void> DecodeList(const Type& type, const json::value& from, void* to, const Path& path) {
  if (!from.is_array()) return WrongKind(path, from, "a list");
  type.clear(to);
  std::size_t index = 0;
  for (const json::value& element : from.get_array()) {
    const Path at{.parent = &path, .index = index++, .kind = Path::Kind::kIndex};
    auto done = DecodeType(type.element(), element, type.add(to, {}), at);
    if (!done) return done;
  }
  return {};
}

Result<void> DecodeMap(const Type& type, const json::value& from, void* to, const Path& path) {
  if (!from.is_object()) return WrongKind(path, from, "an object");
  type.clear(to);
  for (const auto& [key, element] : from.get_object()) {
    const Path at{.parent = &path, .key = key, .kind = Path::Kind::kMapKey};
    auto done = DecodeType(type.element(), element, type.add(to, key), at);
    if (!done) return done;
  }
  return {};
}

// A watch may deliver a metav1.Status and a person may paste another kind: neither has our members,
// so that without this it would decode into an object in which nothing is set.
Result<void> CheckKind(const Resource& want, const json::object& from, const Path& path) {
  const json::value* const kind = from.if_contains("kind");
  if (kind == nullptr || kind->is_null()) return {};
  if (kind->is_string() && TextOf(*kind) == want.kind) return {};
  const Path at{.parent = &path, .key = "kind", .kind = Path::Kind::kMember};
  return WrongKind(at, *kind, want.kind);
}

Result<void> DecodeMembers(const Type& type, const json::object& object, void* to,
                           const Path& path) {
  if (type.resource != nullptr) {
    if (auto same = CheckKind(*type.resource, object, path); !same) return same;
  }
  for (const Member& member : type.members) {
    const json::value* const value = object.if_contains(member.key);
    if (value == nullptr || value->is_null()) continue;
    const Path at{.parent = &path, .key = member.key, .kind = Path::Kind::kMember};
    if (auto done = DecodeType(member.type(), *value, At(to, member), at); !done) return done;
  }
  return {};
}

Result<void> DecodeStruct(const Type& type, const json::value& from, void* to, const Path& path) {
  if (!from.is_object()) return WrongKind(path, from, "an object");
  return DecodeMembers(type, from.get_object(), to, path);
}

Result<void> DecodeObject(const json::value& from, void* to, const Path& path) {
  if (!from.is_object()) return WrongKind(path, from, "an object");
  *static_cast<json::object*>(to) = from.get_object();
  return {};
}

Result<void> DecodeType(const Type& type, const json::value& from, void* to, const Path& path) {
  switch (type.shape) {
    case Shape::kString:
      return DecodeString(from, to, path);
    case Shape::kBool:
      return DecodeBool(type, from, to, path);
    case Shape::kInteger:
      return DecodeInteger(type, from, to, path);
    case Shape::kTime:
    case Shape::kMicroTime:
      return DecodeTime(type, from, to, path);
    case Shape::kDuration:
      return DecodeDuration(type, from, to, path);
    case Shape::kQuantity:
      return DecodeQuantity(from, to, path);
    case Shape::kEnum:
      return DecodeEnum(type, from, to, path);
    case Shape::kOptional:
      return DecodeOptional(type, from, to, path);
    case Shape::kList:
      return DecodeList(type, from, to, path);
    case Shape::kMap:
      return DecodeMap(type, from, to, path);
    case Shape::kStruct:
      return DecodeStruct(type, from, to, path);
    case Shape::kValue:
      *static_cast<json::value*>(to) = from;
      return {};
    case Shape::kObject:
      return DecodeObject(from, to, path);
  }
  return {};
}

}  // namespace

namespace internal {

Result<void> Decode(const Type& type, const json::value& from, void* to) {
  return DecodeType(type, from, to, Path{});
}

Result<void> Decode(const Type& type, const json::object& from, void* to) {
  return DecodeMembers(type, from, to, Path{});
}

Result<json::value> ParseJson(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 64;  // destroying a value recurses
  auto value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return Error{Code::kInvalid, "not JSON: " + error.message()};
  return value;
}

}  // namespace internal
}  // namespace stillpoint::api
