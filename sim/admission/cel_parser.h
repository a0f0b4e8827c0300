// The text of a CEL expression as a tree: names are resolved, macros taken apart, patterns
// compiled. Source of truth: the CEL specification, "Syntax" and "Macros".
#pragma once

#include "api/error.h"
#include "sim/admission/cel_expression.h"

#include <span>
#include <string_view>

namespace stillpoint::sim::cel {

// `variables`: the names that the caller gives values to, by slot. Errors: kInvalid.
[[nodiscard]] api::Result<Expression> Parse(std::string_view text,
                                            std::span<const std::string_view> variables);

}  // namespace stillpoint::sim::cel
