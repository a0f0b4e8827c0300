// The tree of a parsed CEL expression.
#pragma once

#include "sim/admission/cel_functions.h"
#include "sim/admission/cel_value.h"
#include "sim/admission/regex.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::sim::cel {

// A variable of the caller or of a macro is known by its place: the caller's first, then those of
// the macros around, outermost first.
inline constexpr std::size_t kMaxVariables = 12;

// Nothing is nested more deeply, so that neither parsing nor evaluating exhausts the stack.
inline constexpr std::size_t kMaxDepth = 100;

enum class Macro { kAll, kExists, kExistsOne, kMap, kFilter };

struct Expression {
  enum class Kind {
    kLiteral,
    kText,
    kVariable,       // slot
    kSelect,         // operand . text
    kHas,            // has(operand . text)
    kCall,           // function(operands)
    kList,           // [operands]
    kMap,            // {operands: key, value, key, value ...}
    kConditional,    // operand ? operand : operand
    kAnd,            // of all operands
    kOr,             // of all operands
    kComprehension,  // operand.macro(slot, operands)
  };

  Kind kind = Kind::kLiteral;
  Value literal{};     // without pointers
  std::string text{};  // kText, kSelect, kHas
  std::size_t slot = 0;
  Macro macro = Macro::kAll;
  Function function = nullptr;
  std::optional<Regex> regex{};  // the pattern of the call, when it is written out
  std::vector<Expression> operands{};
  std::size_t depth = 1;  // of the tree from here on
};

}  // namespace stillpoint::sim::cel
