// The codec: described structs to and from the JSON of the Kubernetes API.
//
// Names: a member in snake_case is a key in camelCase (type.h, JsonKey); an enumerator is written
// without its k.
//
// Encode leaves out what is absent: an empty optional, text, list, map, Quantity, pass-through
// value, and a struct in which nothing is left. Everything else is always written: bool, enum,
// Duration, Time, number (but not a 0 in ObjectMeta, whose numbers are the server's). Where absent
// and empty differ the member is a std::optional, whose value is written even when empty, so that
// `selector: {}` stays what it is. Objects (api::Object) also get apiVersion and kind.
//
// Decode ignores members that the struct does not have, takes null for absent, and leaves the
// default of an absent member alone. It refuses an object of another `kind`.
// Errors: kInvalid, with the path in front:
//   spec.hooks[1].timeout: "5 parsecs" is not a duration, for example 90s or 1d6h30m
// It recurses only as deep as the struct goes, whatever the input.
#pragma once

#include "api/error.h"
#include "api/type.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace stillpoint::api {

namespace internal {
[[nodiscard]] boost::json::value Encode(const Type& type, const void* from);
[[nodiscard]] Result<void> Decode(const Type& type, const boost::json::value& from, void* to);
[[nodiscard]] Result<void> Decode(const Type& type, const boost::json::object& from, void* to);
[[nodiscard]] std::string EncodeText(const Type& type, const void* from);
[[nodiscard]] Result<boost::json::value> ParseJson(std::string_view text);
}  // namespace internal

template <class T>
[[nodiscard]] boost::json::value Encode(const T& from) {
  return internal::Encode(TypeOf<T>(), &from);
}

template <class T>
[[nodiscard]] Result<T> Decode(const boost::json::value& from) {
  T to{};
  if (auto done = internal::Decode(TypeOf<T>(), from, &to); !done) return done.error();
  return to;
}

template <class T>
  requires boost::describe::has_describe_members<T>::value
[[nodiscard]] Result<T> Decode(const boost::json::object& from) {
  T to{};
  if (auto done = internal::Decode(TypeOf<T>(), from, &to); !done) return done.error();
  return to;
}

// The same from and to text. Nested deeper than 64 levels is refused.
template <class T>
[[nodiscard]] std::string EncodeText(const T& from) {
  return internal::EncodeText(TypeOf<T>(), &from);
}

template <class T>
[[nodiscard]] Result<T> DecodeText(std::string_view text) {
  auto value = internal::ParseJson(text);
  if (!value) return value.error();
  return Decode<T>(*value);
}

}  // namespace stillpoint::api
