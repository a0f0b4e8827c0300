#include "api/codec.h"

#include "api/duration.h"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace stillpoint::api {
namespace {

namespace json = boost::json;

const void* At(const void* object, const Member& member) {
  return static_cast<const std::byte*>(object) + member.offset;
}

json::value EncodeEnum(const Type& type, const void* from) {
  const auto found = std::ranges::find(type.values, type.load(from), &EnumValue::value);
  return found == type.values.end() ? json::value() : json::value(json::string(found->name));
}

// Whether a member that was encoded as `value` is left out (see codec.h).
bool IsAbsent(const Type& owner, const Type& type, const json::value& value) {
  switch (type.shape) {
    case Shape::kString:
    case Shape::kQuantity:
      return value.get_string().empty();
    case Shape::kOptional:
    case Shape::kValue:
    case Shape::kEnum:
      return value.is_null();
    case Shape::kList:
      return value.get_array().empty();
    case Shape::kMap:
    case Shape::kStruct:
    case Shape::kObject:
      return value.get_object().empty();
    case Shape::kInteger:
      return owner.omits_zero && value.get_int64() == 0;
    case Shape::kBool:
    case Shape::kTime:
    case Shape::kMicroTime:
    case Shape::kDuration:
      return false;
  }
  return false;
}

json::value EncodeStruct(const Type& type, const void* from) {
  json::object out;
  out.reserve(type.members.size());
  if (type.resource != nullptr) {
    out["apiVersion"] = ApiVersion(*type.resource);
    out["kind"] = json::string_view(type.resource->kind.data(), type.resource->kind.size());
  }
  for (const Member& member : type.members) {
    const Type& member_type = member.type();
    json::value value = internal::Encode(member_type, At(from, member));
    if (!IsAbsent(type, member_type, value)) out.emplace(member.key, std::move(value));
  }
  return out;
}

json::value EncodeOptional(const Type& type, const void* from) {
  const auto items = type.items(from);
  return items.empty() ? json::value() : internal::Encode(type.element(), items.front().value);
}

json::value EncodeList(const Type& type, const void* from) {
  json::array out;
  for (const Item& item : type.items(from)) {
    out.push_back(internal::Encode(type.element(), item.value));
  }
  return out;
}

json::value EncodeMap(const Type& type, const void* from) {
  json::object out;
  for (const Item& item : type.items(from)) {
    out.emplace(*item.key, internal::Encode(type.element(), item.value));
  }
  return out;
}

Time TimeOf(std::int64_t microseconds) {
  return Time(Time::duration(microseconds));
}

}  // namespace

namespace internal {

json::value Encode(const Type& type, const void* from) {
  switch (type.shape) {
    case Shape::kString:
      return json::string(*static_cast<const std::string*>(from));
    case Shape::kBool:
      return type.load(from) != 0;
    case Shape::kInteger:
      return type.load(from);
    case Shape::kTime:
      return json::string(FormatTime(TimeOf(type.load(from))));
    case Shape::kMicroTime:
      return json::string(FormatMicroTime({TimeOf(type.load(from))}));
    case Shape::kDuration:
      return json::string(FormatDuration(Duration(type.load(from))));
    case Shape::kQuantity:
      return json::string(static_cast<const Quantity*>(from)->text());
    case Shape::kEnum:
      return EncodeEnum(type, from);
    case Shape::kOptional:
      return EncodeOptional(type, from);
    case Shape::kList:
      return EncodeList(type, from);
    case Shape::kMap:
      return EncodeMap(type, from);
    case Shape::kStruct:
      return EncodeStruct(type, from);
    case Shape::kValue:
      return *static_cast<const json::value*>(from);
    case Shape::kObject:
      return *static_cast<const json::object*>(from);
  }
  return {};
}

std::string EncodeText(const Type& type, const void* from) {
  return json::serialize(Encode(type, from));
}

}  // namespace internal
}  // namespace stillpoint::api
