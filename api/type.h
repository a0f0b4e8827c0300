// Type: what a C++ type looks like at run time. One table per type, built once from Boost.Describe;
// the codec and the schema walk these tables, so that both know the same members under the same
// names, and so that a file that decodes a Pod compiles a table and not a decoder.
//
// Threads: tables are built on first use and never change. Lifetime: until the program ends.
#pragma once

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resource.h"
#include "api/time.h"

#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/fwd.hpp>
#include <boost/mp11/algorithm.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace stillpoint::api {

enum class Shape {
  kString,
  kBool,
  kInteger,
  kTime,
  kMicroTime,
  kDuration,
  kQuantity,
  kEnum,
  kOptional,
  kList,
  kMap,  // string to anything
  kStruct,
  kValue,   // boost::json::value, passed through
  kObject,  // boost::json::object, passed through
};

struct Type;
using TypeGetter = const Type& (*)();

struct EnumValue {
  std::string name;  // as in JSON: `Fail` for kFail
  std::int64_t value;
};

struct Member {
  std::string_view name;  // in C++: claim_uid
  std::string key;        // in JSON: claimUID
  TypeGetter type;
  std::size_t offset;
};

// An element of an optional, a list or a map.
struct Item {
  const std::string* key;  // null but in a map
  const void* value;
};

struct Type {
  Shape shape;

  // kBool, kInteger, kTime and kMicroTime (microseconds since 1970), kDuration (milliseconds),
  // kEnum: the value as a number.
  std::int64_t (*load)(const void*) = nullptr;
  void (*store)(void*, std::int64_t) = nullptr;
  std::int64_t min = 0;  // kInteger
  std::int64_t max = 0;

  // kEnum.
  std::vector<EnumValue> values{};

  // kOptional, kList, kMap. `add` appends a default element and returns it; `key` is for maps.
  TypeGetter element = nullptr;
  std::vector<Item> (*items)(const void*) = nullptr;
  void* (*add)(void*, std::string_view key) = nullptr;
  void (*clear)(void*) = nullptr;

  // kStruct.
  std::vector<Member> members{};
  const Resource* resource = nullptr;  // of an object that stands for itself
  bool omits_zero = false;             // whole numbers that are 0 are left out
};

// The table of T. Always the same object for the same T.
template <class T>
const Type& TypeOf();

// claim_uid -> claimUID, class_ -> class, ns -> namespace. `uid` and `id` are upper-case inside a
// name, as the Kubernetes API conventions have it.
[[nodiscard]] std::string JsonKey(std::string_view member);

// Structs in which a whole number of 0 means "not set" and is left out of the JSON.
template <class T>
inline constexpr bool kOmitsZero = false;
template <>
inline constexpr bool kOmitsZero<ObjectMeta> = true;

namespace internal {

template <class T>
inline constexpr bool kIsOptional = false;
template <class E>
inline constexpr bool kIsOptional<std::optional<E>> = true;
template <class T>
inline constexpr bool kIsList = false;
template <class E>
inline constexpr bool kIsList<std::vector<E>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class E>
inline constexpr bool kIsMap<std::map<std::string, E>> = true;

template <class T>
std::int64_t Load(const void* value) {
  const T& typed = *static_cast<const T*>(value);
  if constexpr (std::is_same_v<T, Time>) {
    return typed.time_since_epoch().count();
  } else if constexpr (std::is_same_v<T, MicroTime>) {
    return typed.value.time_since_epoch().count();
  } else if constexpr (std::is_same_v<T, Duration>) {
    return typed.count();
  } else {
    return static_cast<std::int64_t>(typed);
  }
}

template <class T>
void Store(void* value, std::int64_t number) {
  T& typed = *static_cast<T*>(value);
  if constexpr (std::is_same_v<T, Time>) {
    typed = Time(Time::duration(number));
  } else if constexpr (std::is_same_v<T, MicroTime>) {
    typed.value = Time(Time::duration(number));
  } else {
    typed = static_cast<T>(number);
  }
}

template <class T>
Type MakeNumber(Shape shape) {
  return {.shape = shape, .load = &Load<T>, .store = &Store<T>};
}

template <class T>
Type MakeInteger() {
  Type type = MakeNumber<T>(Shape::kInteger);
  type.min = std::numeric_limits<T>::min();
  type.max = std::numeric_limits<T>::max();
  return type;
}

[[nodiscard]] std::string EnumName(std::string_view enumerator);

template <class T>
Type MakeEnum() {
  Type type = MakeNumber<T>(Shape::kEnum);
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&type](auto d) {
    type.values.push_back({EnumName(d.name), static_cast<std::int64_t>(d.value)});
  });
  return type;
}

template <class T>
std::vector<Item> Items(const void* container) {
  const T& typed = *static_cast<const T*>(container);
  std::vector<Item> items;
  if constexpr (kIsOptional<T>) {
    if (typed) items.push_back({nullptr, &*typed});
  } else if constexpr (kIsList<T>) {
    for (const auto& element : typed) items.push_back({nullptr, &element});
  } else {
    for (const auto& [key, element] : typed) items.push_back({&key, &element});
  }
  return items;
}

template <class T>
void* Add(void* container, std::string_view key) {
  T& typed = *static_cast<T*>(container);
  if constexpr (kIsOptional<T>) {
    return &typed.emplace();
  } else if constexpr (kIsList<T>) {
    return &typed.emplace_back();
  } else {
    return &typed[std::string(key)];
  }
}

template <class T>
void Clear(void* container) {
  *static_cast<T*>(container) = T{};
}

template <class T, class Element>
Type MakeContainer(Shape shape) {
  return {.shape = shape,
          .element = &TypeOf<Element>,
          .items = &Items<T>,
          .add = &Add<T>,
          .clear = &Clear<T>};
}

template <class T>
Type MakeStruct() {
  using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
  Type type{.shape = Shape::kStruct, .omits_zero = kOmitsZero<T>};
  if constexpr (Object<T>) type.resource = &T::kResource;
  const T probe{};
  const auto* const start = reinterpret_cast<const std::byte*>(&probe);
  boost::mp11::mp_for_each<Members>([&](auto d) {
    const auto& member = probe.*d.pointer;
    const auto* const at = reinterpret_cast<const std::byte*>(&member);
    type.members.push_back({.name = d.name,
                            .key = JsonKey(d.name),
                            .type = &TypeOf<std::remove_cvref_t<decltype(member)>>,
                            .offset = static_cast<std::size_t>(at - start)});
  });
  return type;
}

template <class T>
Type MakeType() {
  if constexpr (std::is_same_v<T, std::string>) {
    return {.shape = Shape::kString};
  } else if constexpr (std::is_same_v<T, bool>) {
    return MakeNumber<T>(Shape::kBool);
  } else if constexpr (std::is_integral_v<T>) {
    return MakeInteger<T>();
  } else if constexpr (std::is_same_v<T, Time>) {
    return MakeNumber<T>(Shape::kTime);
  } else if constexpr (std::is_same_v<T, MicroTime>) {
    return MakeNumber<T>(Shape::kMicroTime);
  } else if constexpr (std::is_same_v<T, Duration>) {
    return MakeNumber<T>(Shape::kDuration);
  } else if constexpr (std::is_same_v<T, Quantity>) {
    return {.shape = Shape::kQuantity};
  } else if constexpr (std::is_enum_v<T>) {
    return MakeEnum<T>();
  } else if constexpr (kIsOptional<T>) {
    return MakeContainer<T, typename T::value_type>(Shape::kOptional);
  } else if constexpr (kIsList<T>) {
    return MakeContainer<T, typename T::value_type>(Shape::kList);
  } else if constexpr (kIsMap<T>) {
    return MakeContainer<T, typename T::mapped_type>(Shape::kMap);
  } else if constexpr (std::is_same_v<T, boost::json::value>) {
    return {.shape = Shape::kValue};
  } else if constexpr (std::is_same_v<T, boost::json::object>) {
    return {.shape = Shape::kObject};
  } else {
    return MakeStruct<T>();
  }
}

}  // namespace internal

template <class T>
const Type& TypeOf() {
  static const Type type = internal::MakeType<T>();
  return type;
}

// The word of an enumerator as JSON has it: `Fail` for OnError::kFail.
template <class T>
[[nodiscard]] std::string EnumText(T value) {
  for (const EnumValue& known : TypeOf<T>().values) {
    if (known.value == static_cast<std::int64_t>(value)) return known.name;
  }
  return {};
}

}  // namespace stillpoint::api
