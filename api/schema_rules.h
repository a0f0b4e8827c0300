// The fields that several schemas share: names, durations, sizes, references.
#pragma once

#include "api/codec.h"
#include "api/schema.h"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::api {

// The schema of a struct that people write: the API server fills in the struct's own defaults.
template <class T>
[[nodiscard]] StructSchema SpecSchema(std::string doc, std::vector<FieldSchema> fields,
                                      std::vector<Rule> rules = {}) {
  return {.type = &TypeOf<T>(),
          .doc = std::move(doc),
          .fields = std::move(fields),
          .rules = std::move(rules),
          .defaults = Encode(T{}).as_object()};
}

// The schema of a struct without defaults: of a whole object, or of what only we write.
template <class T>
[[nodiscard]] StructSchema PlainSchema(std::string doc, std::vector<FieldSchema> fields) {
  return {.type = &TypeOf<T>(), .doc = std::move(doc), .fields = std::move(fields)};
}

// The name of an object: a DNS-1123 subdomain.
[[nodiscard]] TextSchema ObjectName();

// The name of a hook or a container: a DNS-1123 label.
[[nodiscard]] TextSchema ShortName();

// A duration between two bounds, both written as durations.
[[nodiscard]] TextSchema DurationBetween(std::string_view least, std::string_view most);

// `mysql` or `KIND/NAME`, as ParseApplicationRef reads it.
[[nodiscard]] TextSchema ApplicationRef();

// A quantity above 0, and below 8Ei, which no Quantity can hold.
[[nodiscard]] TextSchema Size();

// A command for /bin/sh -c.
[[nodiscard]] TextSchema ShellCommand();

// The field `member` as an argv: at least a program.
[[nodiscard]] FieldSchema Argv(std::string_view member, std::string doc);

// CEL that is true when exactly one of `keys` is set, and when at most one is.
[[nodiscard]] std::string ExactlyOneOf(const std::vector<std::string>& keys);
[[nodiscard]] std::string AtMostOneOf(const std::vector<std::string>& keys);

}  // namespace stillpoint::api
