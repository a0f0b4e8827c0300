// A CEL expression and what it comes to, as text.
#pragma once

#include "sim/admission/cel_program.h"
#include "sim/admission/schema.h"

#include <string>
#include <string_view>

namespace stillpoint::sim::cel {

inline constexpr std::string_view kSelf[] = {"self", "oldSelf"};

// `value` as text: `true`, `5`, `"a"`, `!no such key: a`.
[[nodiscard]] std::string Show(const Value& value);

// `self` and `old_self` are JSON. An expression that does not compile is what is wrong with it.
[[nodiscard]] std::string Evaluate(std::string_view text, std::string_view self = "null",
                                   const Schema* schema = nullptr,
                                   std::string_view old_self = "null");

}  // namespace stillpoint::sim::cel
