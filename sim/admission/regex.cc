#include "sim/admission/regex.h"

#include <fmt/format.h>
#include <boost/regex.hpp>

#include <stdexcept>
#include <utility>

namespace stillpoint::sim {
namespace {

using Results = boost::match_results<const char*>;

// RE2: ^ and $ are the ends of the text, and a dot takes no end of a line.
const auto kFlags = boost::match_single_line | boost::match_not_dot_newline;

// What Perl knows and RE2 does not.
bool IsBeyondRe2(std::string_view pattern) {
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
      if (pattern[i] >= '1' && pattern[i] <= '9') return true;
      continue;
    }
    const std::string_view rest = pattern.substr(i);
    for (const std::string_view group : {"(?=", "(?!", "(?<", "(?>", "(?#", "(?|", "(*"}) {
      if (rest.starts_with(group)) return true;
    }
  }
  return false;
}

}  // namespace

struct Regex::Compiled {
  std::string pattern;
  boost::regex regex;
};

api::Result<Regex> Regex::Compile(std::string_view pattern) {
  if (IsBeyondRe2(pattern)) {
    return api::Error{api::Code::kInvalid, fmt::format("not in RE2: {}", pattern)};
  }
  try {
    auto compiled = std::make_shared<Compiled>();
    compiled->pattern = pattern;
    compiled->regex.assign(pattern.data(), pattern.data() + pattern.size(),
                           boost::regex::perl | boost::regex::nosubs);
    return Regex(std::move(compiled));
  } catch (const std::runtime_error& error) {
    return api::Error{api::Code::kInvalid, error.what()};
  }
}

bool Regex::Matches(std::string_view text) const {
  return Find(text).has_value();
}

std::optional<Regex::Match> Regex::Find(std::string_view text, std::size_t from) const {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  try {
    Results results;
    if (!boost::regex_search(begin + from, end, results, compiled_->regex, kFlags, begin)) {
      return std::nullopt;
    }
    return Match{static_cast<std::size_t>(results[0].first - begin),
                 static_cast<std::size_t>(results[0].second - begin)};
  } catch (const std::runtime_error&) {  // too complex
    return std::nullopt;
  }
}

const std::string& Regex::pattern() const {
  return compiled_->pattern;
}

}  // namespace stillpoint::sim
