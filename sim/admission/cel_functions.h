// The operators and functions of CEL, by name.
// Source of truth: the CEL specification, "List of Standard Definitions"; the strings extension;
// and Kubernetes' own libraries (k8s.io/apiserver/pkg/cel/library): lists, regex, quantity.
//
// Texts are counted in characters, not in bytes. Instants are whole microseconds. Quantities are
// whole and not negative.
#pragma once

#include "sim/admission/cel_value.h"
#include "sim/admission/regex.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace stillpoint::sim::cel {

struct Arguments {
  std::span<const Value> values;  // no failures; a member's object first
  const Regex* regex = nullptr;   // of a pattern that is written out
  Arena& arena;

  [[nodiscard]] std::size_t count() const { return values.size(); }

  // Null: another type, or not given.
  template <class T>
  [[nodiscard]] const T* If(std::size_t index) const {
    return index < values.size() ? values[index].If<T>() : nullptr;
  }
};

using Function = Value (*)(const Arguments&);

inline constexpr std::size_t kMaxArguments = 4;

struct FunctionEntry {
  std::string_view name;
  Function function;
  bool is_member;  // x.name(...), not name(x, ...)
  std::size_t least;
  std::size_t most;  // of arguments, with the object
  std::optional<std::size_t> regex_argument = std::nullopt;
};

// Operators are called `_+_`, `-_`, `!_`, `_[_]`, `@in`. Null: there is none with so many
// arguments.
[[nodiscard]] const FunctionEntry* FindFunction(std::string_view name, bool is_member,
                                                std::size_t arguments);

// What a function says to arguments that it does not take.
inline constexpr Failure kNoOverload{"no such overload"};

// ---- the tables, by file ----------------------------------------------------------------------

[[nodiscard]] std::span<const FunctionEntry> Operators();
[[nodiscard]] std::span<const FunctionEntry> TextFunctions();
[[nodiscard]] std::span<const FunctionEntry> Conversions();
[[nodiscard]] std::span<const FunctionEntry> ListFunctions();

}  // namespace stillpoint::sim::cel
