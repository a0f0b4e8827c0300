// Program: one CEL expression, parsed and checked once, evaluated often.
//
// Known: all operators; the macros has, all, exists, exists_one, map and filter; texts, numbers,
// durations, instants, quantities, lists, maps; the functions in cel_functions.h. Not known: bytes,
// types as values, messages of protocol buffers, `?.`, time zones. Nothing is checked by type
// before it runs, and nothing is counted against a cost budget.
#pragma once

#include "api/error.h"
#include "sim/admission/cel_value.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace stillpoint::sim::cel {

struct Expression;

// Threads: any; it does not change. Copies share the expression.
class Program {
 public:
  // `variables`: the names that the text may use, in the order in which Evaluate() takes them.
  // Errors: kInvalid, with the place.
  [[nodiscard]] static api::Result<Program> Compile(std::string_view text,
                                                    std::span<const std::string_view> variables);

  // Never throws; what goes wrong is a Failure. REQUIRES: as many values as variables.
  [[nodiscard]] Value Evaluate(std::span<const Value> variables, Arena& arena) const;

  // Whether the text names the variable `index`.
  [[nodiscard]] bool Uses(std::size_t index) const;

 private:
  explicit Program(std::shared_ptr<const Expression> root) : root_(std::move(root)) {}

  std::shared_ptr<const Expression> root_;
};

}  // namespace stillpoint::sim::cel
