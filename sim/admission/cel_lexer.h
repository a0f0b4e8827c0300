// The text of a CEL expression as tokens.
// Source of truth: the CEL specification, "Lexical structure".
#pragma once

#include "api/error.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim::cel {

struct Token {
  enum class Kind { kEnd, kIdentifier, kInt, kUint, kDouble, kText, kPunctuation };

  Kind kind = Kind::kEnd;
  std::string text;           // as written; of kText: what it stands for
  std::uint64_t integer = 0;  // kInt and kUint: without its sign
  double number = 0;          // kDouble
  std::size_t offset = 0;     // in the expression
};

// Ends with a kEnd. Errors: kInvalid.
[[nodiscard]] api::Result<std::vector<Token>> Tokenize(std::string_view text);

// `problem` at a place of an expression, for whoever wrote it.
[[nodiscard]] api::Error SyntaxError(std::size_t offset, std::string_view problem);

// Adds a code point as UTF-8. REQUIRES: not above U+10FFFF.
void AppendUtf8(std::string& text, std::uint32_t code_point);

}  // namespace stillpoint::sim::cel
