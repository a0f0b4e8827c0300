// Functions of texts: standard ones, those of the strings extension, and find and findAll.
#include "sim/admission/cel_functions.h"

#include "sim/admission/cel_text.h"

#include <algorithm>
#include <limits>
#include <string>

namespace stillpoint::sim::cel {
namespace {

using Text = std::string_view;

constexpr Failure kOutOfRange{"index out of range"};

Value StartsWith(const Arguments& arguments) {
  const auto *text = arguments.If<Text>(0), *other = arguments.If<Text>(1);
  return text && other ? Value(text->starts_with(*other)) : Value(kNoOverload);
}

Value EndsWith(const Arguments& arguments) {
  const auto *text = arguments.If<Text>(0), *other = arguments.If<Text>(1);
  return text && other ? Value(text->ends_with(*other)) : Value(kNoOverload);
}

Value Contains(const Arguments& arguments) {
  const auto *text = arguments.If<Text>(0), *other = arguments.If<Text>(1);
  return text && other ? Value(text->contains(*other)) : Value(kNoOverload);
}

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

char UpperAscii(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

template <char (*change)(char)>
Value ChangeCase(const Arguments& arguments) {
  const auto* text = arguments.If<Text>(0);
  if (!text) return kNoOverload;
  std::string out(*text);
  std::ranges::transform(out, out.begin(), change);
  return arguments.arena.Keep(std::move(out));
}

Value Trim(const Arguments& arguments) {
  constexpr Text kBlanks = " \t\n\v\f\r";
  const auto* text = arguments.If<Text>(0);
  if (!text) return kNoOverload;
  const auto begin = text->find_first_not_of(kBlanks);
  if (begin == Text::npos) return Text();
  return text->substr(begin, text->find_last_not_of(kBlanks) - begin + 1);
}

// How often at most, as an optional argument says it; a negative number is no bound.
std::optional<std::size_t> Bound(const Arguments& arguments, std::size_t index) {
  if (arguments.count() <= index) return std::numeric_limits<std::size_t>::max();
  const auto* bound = arguments.If<std::int64_t>(index);
  if (!bound) return std::nullopt;
  if (*bound < 0) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(*bound);
}

Value Split(const Arguments& arguments) {
  const auto *text = arguments.If<Text>(0), *separator = arguments.If<Text>(1);
  const auto bound = Bound(arguments, 2);
  if (!text || !separator || !bound) return kNoOverload;
  std::vector<Value> parts;
  if (*bound == 0) return arguments.arena.Keep(std::move(parts));
  Text rest = *text;
  while (parts.size() + 1 < *bound) {
    // Without a separator each character is a part.
    const std::size_t at = separator->empty() ? CharacterSize(rest) : rest.find(*separator);
    if (at == Text::npos || at >= rest.size()) break;
    parts.emplace_back(rest.substr(0, at));
    rest.remove_prefix(at + separator->size());
  }
  if (!rest.empty() || !separator->empty()) parts.emplace_back(rest);
  return arguments.arena.Keep(std::move(parts));
}

Value Replace(const Arguments& arguments) {
  const auto *text = arguments.If<Text>(0), *old = arguments.If<Text>(1);
  const auto* with = arguments.If<Text>(2);
  const auto bound = Bound(arguments, 3);
  if (!text || !old || !with || !bound) return kNoOverload;
  std::string out;
  Text rest = *text;
  for (std::size_t done = 0; done < *bound; ++done) {
    const std::size_t at = old->empty() ? (done == 0 ? 0 : CharacterSize(rest)) : rest.find(*old);
    if (at == Text::npos || at > rest.size() || (old->empty() && done > 0 && rest.empty())) break;
    out.append(rest.substr(0, at)).append(*with);
    rest.remove_prefix(at + old->size());
  }
  return arguments.arena.Keep(out.append(rest));
}

Value Substring(const Arguments& arguments) {
  const auto* text = arguments.If<Text>(0);
  const auto* from = arguments.If<std::int64_t>(1);
  const auto* to = arguments.If<std::int64_t>(2);
  if (!text || !from || (arguments.count() > 2 && !to)) return kNoOverload;
  const auto begin = OffsetOf(*text, *from);
  const auto end = to ? OffsetOf(*text, *to) : std::optional(text->size());
  if (!begin || !end || *begin > *end) return kOutOfRange;
  return text->substr(*begin, *end - *begin);
}

Value CharAt(const Arguments& arguments) {
  const auto* text = arguments.If<Text>(0);
  const auto* index = arguments.If<std::int64_t>(1);
  if (!text || !index) return kNoOverload;
  const auto begin = OffsetOf(*text, *index);
  if (!begin) return kOutOfRange;
  return text->substr(*begin, CharacterSize(text->substr(*begin)));
}

Value PositionOf(Text text, std::size_t offset) {
  if (offset == Text::npos) return std::int64_t{-1};
  return static_cast<std::int64_t>(CountCharacters(text.substr(0, offset)));
}

Value IndexOf(const Arguments& arguments) {
  const auto *text = arguments.If<Text>(0), *other = arguments.If<Text>(1);
  const auto* from = arguments.If<std::int64_t>(2);
  if (!text || !other || (arguments.count() > 2 && !from)) return kNoOverload;
  const auto begin = OffsetOf(*text, from ? *from : 0);
  if (!begin) return kOutOfRange;
  return PositionOf(*text, text->find(*other, *begin));
}

Value LastIndexOf(const Arguments& arguments) {
  const auto *text = arguments.If<Text>(0), *other = arguments.If<Text>(1);
  const auto* from = arguments.If<std::int64_t>(2);
  if (!text || !other || (arguments.count() > 2 && !from)) return kNoOverload;
  const auto begin = from ? OffsetOf(*text, *from) : std::optional(Text::npos);
  if (!begin) return kOutOfRange;
  return PositionOf(*text, text->rfind(*other, *begin));
}

// ---- regular expressions ----------------------------------------------------------------------

// Calls `use` with the pattern in argument 1.
template <class Use>
Value WithRegex(const Arguments& arguments, Use use) {
  const auto *text = arguments.If<Text>(0), *pattern = arguments.If<Text>(1);
  if (!text || !pattern) return kNoOverload;
  if (arguments.regex) return use(*arguments.regex, *text);
  const auto compiled = Regex::Compile(*pattern);
  if (!compiled) return arguments.arena.Fail("Illegal regex: " + compiled.error().message);
  return use(*compiled, *text);
}

Value Matches(const Arguments& arguments) {
  return WithRegex(arguments,
                   [](const Regex& regex, Text text) { return Value(regex.Matches(text)); });
}

Value FindFirst(const Arguments& arguments) {
  return WithRegex(arguments, [](const Regex& regex, Text text) {
    const auto match = regex.Find(text);
    return Value(match ? text.substr(match->begin, match->end - match->begin) : Text());
  });
}

// As Go's FindAllString: an empty match right behind another one does not count.
std::vector<Value> AllMatches(const Regex& regex, Text text, std::size_t bound) {
  std::vector<Value> found;
  std::optional<std::size_t> last_end;
  for (std::size_t at = 0; at <= text.size() && found.size() < bound;) {
    const auto match = regex.Find(text, at);
    if (!match) break;
    const bool empty = match->begin == match->end;
    if (!empty || match->begin != last_end) {
      found.emplace_back(text.substr(match->begin, match->end - match->begin));
    }
    last_end = match->end;
    at = empty ? match->end + std::max<std::size_t>(1, CharacterSize(text.substr(match->end)))
               : match->end;
  }
  return found;
}

Value FindAll(const Arguments& arguments) {
  const auto bound = Bound(arguments, 2);
  if (!bound) return kNoOverload;
  return WithRegex(arguments, [&](const Regex& regex, Text text) {
    return Value(arguments.arena.Keep(AllMatches(regex, text, *bound)));
  });
}

constexpr FunctionEntry kTextFunctions[] = {
    {"startsWith", StartsWith, true, 2, 2},
    {"endsWith", EndsWith, true, 2, 2},
    {"contains", Contains, true, 2, 2},
    {"lowerAscii", ChangeCase<LowerAscii>, true, 1, 1},
    {"upperAscii", ChangeCase<UpperAscii>, true, 1, 1},
    {"trim", Trim, true, 1, 1},
    {"split", Split, true, 2, 3},
    {"replace", Replace, true, 3, 4},
    {"substring", Substring, true, 2, 3},
    {"charAt", CharAt, true, 2, 2},
    {"indexOf", IndexOf, true, 2, 3},
    {"lastIndexOf", LastIndexOf, true, 2, 3},
    {"matches", Matches, true, 2, 2, 1},
    {"matches", Matches, false, 2, 2, 1},
    {"find", FindFirst, true, 2, 2, 1},
    {"findAll", FindAll, true, 2, 3, 1},
};

}  // namespace

std::span<const FunctionEntry> TextFunctions() {
  return kTextFunctions;
}

}  // namespace stillpoint::sim::cel
