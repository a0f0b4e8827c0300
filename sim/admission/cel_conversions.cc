// From one type to another, and what durations, quantities and optional values can tell.
#include "sim/admission/cel_functions.h"

#include "api/time.h"
#include "sim/admission/cel_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>

namespace stillpoint::sim::cel {
namespace {

using Text = std::string_view;
using Nanoseconds = std::chrono::nanoseconds;
using Quantity = const api::Quantity*;

template <class Number>
std::optional<Number> ParseNumber(Text text) {
  Number number{};
  const auto* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

Value NumberFailure(Text parser, Text text, Arena& arena) {
  return arena.Fail(fmt::format("strconv.{}: parsing \"{}\": invalid syntax", parser, text));
}

Value ToInt(const Arguments& arguments) {
  const Value& value = arguments.values[0];
  if (value.If<std::int64_t>()) return value;
  if (const auto* number = value.If<std::uint64_t>()) {
    return std::in_range<std::int64_t>(*number) ? Value(static_cast<std::int64_t>(*number))
                                                : Value(Failure{"integer overflow"});
  }
  if (const auto* number = value.If<double>()) {
    const bool fits = *number > -9223372036854775808.0 && *number < 9223372036854775808.0;
    return fits ? Value(static_cast<std::int64_t>(*number)) : Value(Failure{"integer overflow"});
  }
  if (const auto* text = value.If<Text>()) {
    const bool plus = text->starts_with('+') && !text->starts_with("+-");
    const auto number = ParseNumber<std::int64_t>(plus ? text->substr(1) : *text);
    return number ? Value(*number) : NumberFailure("ParseInt", *text, arguments.arena);
  }
  if (const auto* time = value.If<api::Time>()) {
    return std::int64_t{std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count()};
  }
  return kNoOverload;
}

Value ToUint(const Arguments& arguments) {
  const Value& value = arguments.values[0];
  if (value.If<std::uint64_t>()) return value;
  if (const auto* number = value.If<std::int64_t>()) {
    return *number >= 0 ? Value(static_cast<std::uint64_t>(*number))
                        : Value(Failure{"unsigned integer overflow"});
  }
  if (const auto* number = value.If<double>()) {
    const bool fits = *number >= 0 && *number < 18446744073709551616.0;
    return fits ? Value(static_cast<std::uint64_t>(*number))
                : Value(Failure{"unsigned integer overflow"});
  }
  if (const auto* text = value.If<Text>()) {
    const auto number = ParseNumber<std::uint64_t>(*text);
    return number ? Value(*number) : NumberFailure("ParseUint", *text, arguments.arena);
  }
  return kNoOverload;
}

Value ToDouble(const Arguments& arguments) {
  const Value& value = arguments.values[0];
  if (value.If<double>()) return value;
  if (const auto* number = value.If<std::int64_t>()) return static_cast<double>(*number);
  if (const auto* number = value.If<std::uint64_t>()) return static_cast<double>(*number);
  if (const auto* text = value.If<Text>()) {
    const auto number = ParseNumber<double>(*text);
    return number ? Value(*number) : NumberFailure("ParseFloat", *text, arguments.arena);
  }
  return kNoOverload;
}

Value ToBool(const Arguments& arguments) {
  if (arguments.If<bool>(0)) return arguments.values[0];
  const auto* text = arguments.If<Text>(0);
  if (!text) return kNoOverload;
  for (const Text yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (*text == yes) return true;
  }
  for (const Text no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (*text == no) return false;
  }
  return NumberFailure("ParseBool", *text, arguments.arena);
}

std::string SecondsText(Nanoseconds duration) {
  std::string text = fmt::format("{}{}.{:09}", duration.count() < 0 ? "-" : "",
                                 std::abs(duration.count() / 1'000'000'000),
                                 std::abs(duration.count() % 1'000'000'000));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + "s";
}

Value ToText(const Arguments& arguments) {
  Arena& arena = arguments.arena;
  const Value& value = arguments.values[0];
  if (value.If<Text>()) return value;
  if (const auto* truth = value.If<bool>()) return Text(*truth ? "true" : "false");
  if (const auto* number = value.If<std::int64_t>()) return arena.Keep(std::to_string(*number));
  if (const auto* number = value.If<std::uint64_t>()) return arena.Keep(std::to_string(*number));
  if (const auto* number = value.If<double>()) return arena.Keep(fmt::format("{}", *number));
  if (const auto* time = value.If<api::Time>()) return arena.Keep(api::FormatTime(*time));
  if (const auto* duration = value.If<Nanoseconds>()) return arena.Keep(SecondsText(*duration));
  return kNoOverload;
}

Value Same(const Arguments& arguments) {
  return arguments.values[0];
}

Value Size(const Arguments& arguments) {
  const Value& value = arguments.values[0];
  if (const auto* text = value.If<Text>()) return static_cast<std::int64_t>(CountCharacters(*text));
  if (value.IsList() || value.IsMap()) return static_cast<std::int64_t>(SizeOf(value));
  return kNoOverload;
}

// ---- durations: Go's syntax, 1h30m, -1.5s -----------------------------------------------------

struct Unit {
  Text name;
  double nanoseconds;
};
constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3},
                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};

std::size_t NumberSize(Text text) {
  return std::min(text.find_first_not_of("0123456789."), text.size());
}

// Takes `1.5s` off the front of `text`. Empty: it does not begin with a number and a unit.
std::optional<long double> TakePart(Text& text) {
  const std::size_t digits = NumberSize(text);
  const auto number = ParseNumber<double>(text.substr(0, digits));
  if (!number) return std::nullopt;
  text.remove_prefix(digits);
  const Text name = text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    text.remove_prefix(name.size());
    return static_cast<long double>(*number) * unit.nanoseconds;
  }
  return std::nullopt;
}

std::optional<Nanoseconds> ParseGoDuration(Text text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Nanoseconds(0);
  if (text.empty()) return std::nullopt;
  long double sum = 0;
  while (!text.empty()) {
    const auto part = TakePart(text);
    if (!part) return std::nullopt;
    sum += *part;
  }
  if (sum >= 9.2e18L) return std::nullopt;
  const auto count = static_cast<std::int64_t>(std::round(sum));
  return Nanoseconds(negative ? -count : count);
}

Value ToDuration(const Arguments& arguments) {
  if (arguments.If<Nanoseconds>(0)) return arguments.values[0];
  const auto* text = arguments.If<Text>(0);
  if (!text) return kNoOverload;
  const auto duration = ParseGoDuration(*text);
  if (duration) return *duration;
  return arguments.arena.Fail(fmt::format("time: invalid duration \"{}\"", *text));
}

Value ToTime(const Arguments& arguments) {
  if (arguments.If<api::Time>(0)) return arguments.values[0];
  if (const auto* seconds = arguments.If<std::int64_t>(0)) {
    constexpr std::int64_t kYear10000 = 253'402'300'800;
    const bool fits = *seconds > -kYear10000 && *seconds < kYear10000;
    return fits ? Value(api::Time(std::chrono::seconds(*seconds)))
                : Value(Failure{"timestamp overflow"});
  }
  const auto* text = arguments.If<Text>(0);
  if (!text) return kNoOverload;
  const auto time = api::ParseTime(*text);
  return time ? Value(*time) : Value(arguments.arena.Fail(time.error().message));
}

template <class Length>
Value LengthIn(const Arguments& arguments) {
  const auto* duration = arguments.If<Nanoseconds>(0);
  if (!duration) return kNoOverload;
  return std::int64_t{std::chrono::duration_cast<Length>(*duration).count()};
}

// ---- quantities -------------------------------------------------------------------------------

Value IsQuantity(const Arguments& arguments) {
  const auto* text = arguments.If<Text>(0);
  return text ? Value(api::Quantity::Parse(*text).has_value()) : Value(kNoOverload);
}

Value ToQuantity(const Arguments& arguments) {
  const auto* text = arguments.If<Text>(0);
  if (!text) return kNoOverload;
  auto quantity = api::Quantity::Parse(*text);
  if (quantity) return arguments.arena.Keep(std::move(*quantity));
  return arguments.arena.Fail(quantity.error().message);
}

Value IsGreaterThan(const Arguments& arguments) {
  const auto *a = arguments.If<Quantity>(0), *b = arguments.If<Quantity>(1);
  return a && b ? Value(**a > **b) : Value(kNoOverload);
}

Value IsLessThan(const Arguments& arguments) {
  const auto *a = arguments.If<Quantity>(0), *b = arguments.If<Quantity>(1);
  return a && b ? Value(**a < **b) : Value(kNoOverload);
}

Value CompareTo(const Arguments& arguments) {
  const auto *a = arguments.If<Quantity>(0), *b = arguments.If<Quantity>(1);
  if (!a || !b) return kNoOverload;
  return std::int64_t{**a == **b ? 0 : (**a < **b ? -1 : 1)};
}

Value AsInteger(const Arguments& arguments) {
  const auto* quantity = arguments.If<Quantity>(0);
  return quantity ? Value((*quantity)->bytes()) : Value(kNoOverload);
}

// ---- optional values --------------------------------------------------------------------------

Value HasValue(const Arguments& arguments) {
  const auto* optional = arguments.If<Optional>(0);
  return optional ? Value(optional->value != nullptr) : Value(kNoOverload);
}

Value OptionalValue(const Arguments& arguments) {
  const auto* optional = arguments.If<Optional>(0);
  if (!optional) return kNoOverload;
  return optional->value ? *optional->value : Value(Failure{"optional.none() dereference"});
}

Value OrValue(const Arguments& arguments) {
  const auto* optional = arguments.If<Optional>(0);
  if (!optional) return kNoOverload;
  return optional->value ? *optional->value : arguments.values[1];
}

constexpr FunctionEntry kConversions[] = {
    {"int", ToInt, false, 1, 1},
    {"uint", ToUint, false, 1, 1},
    {"double", ToDouble, false, 1, 1},
    {"bool", ToBool, false, 1, 1},
    {"string", ToText, false, 1, 1},
    {"dyn", Same, false, 1, 1},
    {"size", Size, false, 1, 1},
    {"size", Size, true, 1, 1},
    {"duration", ToDuration, false, 1, 1},
    {"timestamp", ToTime, false, 1, 1},
    {"getHours", LengthIn<std::chrono::hours>, true, 1, 1},
    {"getMinutes", LengthIn<std::chrono::minutes>, true, 1, 1},
    {"getSeconds", LengthIn<std::chrono::seconds>, true, 1, 1},
    {"getMilliseconds", LengthIn<std::chrono::milliseconds>, true, 1, 1},
    {"isQuantity", IsQuantity, false, 1, 1},
    {"quantity", ToQuantity, false, 1, 1},
    {"isGreaterThan", IsGreaterThan, true, 2, 2},
    {"isLessThan", IsLessThan, true, 2, 2},
    {"compareTo", CompareTo, true, 2, 2},
    {"asInteger", AsInteger, true, 1, 1},
    {"hasValue", HasValue, true, 1, 1},
    {"value", OptionalValue, true, 1, 1},
    {"orValue", OrValue, true, 2, 2},
};

}  // namespace

std::span<const FunctionEntry> Conversions() {
  return kConversions;
}

}  // namespace stillpoint::sim::cel
