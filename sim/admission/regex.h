// A regular expression as the API server reads it in a `pattern` and in CEL (RE2 syntax).
//
// RE2 looks at characters and in linear time; this looks at bytes and goes back. What RE2 does not
// have (look-around, references to groups) is refused; what only RE2 has (\pL, \C) is not there.
#pragma once

#include "api/error.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stillpoint::sim {

// Threads: any; it does not change. Copies share what was compiled.
class Regex {
 public:
  // Errors: kInvalid.
  [[nodiscard]] static api::Result<Regex> Compile(std::string_view pattern);

  // Whether it matches anywhere in `text`. A match that takes too long is none.
  [[nodiscard]] bool Matches(std::string_view text) const;

  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  // The first match that begins at `from` or later: of several there, the preferred one.
  // REQUIRES: from <= text.size()
  [[nodiscard]] std::optional<Match> Find(std::string_view text, std::size_t from = 0) const;

  [[nodiscard]] const std::string& pattern() const;

 private:
  struct Compiled;
  explicit Regex(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace stillpoint::sim
