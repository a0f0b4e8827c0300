// What the API server says about a field that it does not take.
// Source of truth: k8s.io/apimachinery/pkg/util/validation/field.
#pragma once

#include "api/error.h"
#include "api/resource.h"

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim {

// Where a value is in its object. Lives on the stack of whoever walks down; text is made only when
// there is something to say. Lifetime: a child points to its parent and to its name.
class Path {
 public:
  Path() = default;  // the object itself

  [[nodiscard]] Path Child(std::string_view name) const { return {this, Kind::kChild, name, 0}; }
  [[nodiscard]] Path Key(std::string_view key) const { return {this, Kind::kKey, key, 0}; }
  [[nodiscard]] Path Index(std::size_t index) const { return {this, Kind::kIndex, {}, index}; }

  // `spec.hooks[0].name`, `spec.selector.matchLabels[app]`; `<nil>` for the object itself.
  [[nodiscard]] std::string Text() const;

  // As the OpenAPI validator writes it: `spec.selector.matchLabels.app`; empty for the object.
  [[nodiscard]] std::string BodyText() const;

 private:
  enum class Kind { kRoot, kChild, kKey, kIndex };

  Path(const Path* parent, Kind kind, std::string_view name, std::size_t index)
      : parent_(parent), kind_(kind), name_(name), index_(index) {}

  const Path* parent_ = nullptr;
  Kind kind_ = Kind::kRoot;
  std::string_view name_;
  std::size_t index_ = 0;
};

struct FieldError {
  // By what follows from it: after a structural one the rules are not looked at.
  enum class Kind { kStructural, kOther };

  Kind kind = Kind::kOther;
  std::string text;  // spec.maxFreeze: Invalid value: "0s": is not between 1s and 1h
};

using FieldErrors = std::vector<FieldError>;

[[nodiscard]] FieldError InvalidValue(std::string_view field, const boost::json::value& value,
                                      std::string_view detail);

// For objects and arrays, whose value would be too long to show.
[[nodiscard]] FieldError InvalidOmittingValue(std::string_view field, std::string_view detail);

// Of the wrong type.
[[nodiscard]] FieldError InvalidType(std::string_view field, const boost::json::value& value,
                                     std::string_view detail);
[[nodiscard]] FieldError RequiredValue(std::string_view field, std::string_view detail = "");
[[nodiscard]] FieldError DuplicateValue(std::string_view field, const boost::json::value& value);
[[nodiscard]] FieldError UnsupportedValue(std::string_view field, const boost::json::value& value,
                                          const std::vector<boost::json::value>& supported);
[[nodiscard]] FieldError TooLong(std::string_view field, std::int64_t most);
[[nodiscard]] FieldError TooMany(std::string_view field, std::size_t actual, std::int64_t most);
[[nodiscard]] FieldError Forbidden(std::string_view field, std::string_view detail);

// All of them as one answer: `VolumeBackup.backups.example.com "x" is invalid: ...`.
[[nodiscard]] api::Error IsInvalid(const api::Resource& resource, std::string_view name,
                                   const FieldErrors& errors);

}  // namespace stillpoint::sim
