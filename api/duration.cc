#include "api/duration.h"

#include "api/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace stillpoint::api {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 6> kUnits{{{"w", 7LL * 24 * 3600 * 1000},
                                      {"d", 24LL * 3600 * 1000},
                                      {"h", 3600LL * 1000},
                                      {"m", 60LL * 1000},
                                      {"s", 1000},
                                      {"ms", 1}}};

Error NotADuration(std::string_view text) {
  return {Code::kInvalid, Quote(text) + " is not a duration, for example 90s or 1d6h30m"};
}

Error TooLong(std::string_view text) {
  return {Code::kInvalid, Quote(text) + " is longer than any duration can be"};
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the letters up to the next number off the front of `rest`.
std::string_view TakeUnit(std::string_view& rest) {
  const auto end = std::find_if(rest.begin(), rest.end(), IsDigit);
  const std::string_view name(rest.begin(), end);
  rest.remove_prefix(name.size());
  return name;
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  std::array<bool, kUnits.size()> seen{};
  std::int64_t total = 0;
  if (rest.empty()) return NotADuration(text);
  while (!rest.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error == std::errc::result_out_of_range) return TooLong(text);
    if (error != std::errc{} || !IsDigit(rest.front())) return NotADuration(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::string_view name = TakeUnit(rest);
    const auto unit = std::ranges::find(kUnits, name, &Unit::name);
    if (unit == kUnits.end()) return NotADuration(text);
    bool& used = seen[static_cast<std::size_t>(unit - kUnits.begin())];
    if (used) return Error{Code::kInvalid, fmt::format("{} names {} twice", Quote(text), name)};
    used = true;
    if (__builtin_mul_overflow(count, unit->milliseconds, &count)) return TooLong(text);
    if (__builtin_add_overflow(total, count, &total)) return TooLong(text);
  }
  return Duration(total);
}

std::string FormatDuration(Duration duration) {
  std::int64_t rest = duration.count();
  if (rest <= 0) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    if (rest >= unit.milliseconds) text += fmt::format("{}{}", rest / unit.milliseconds, unit.name);
    rest %= unit.milliseconds;
  }
  return text;
}

}  // namespace stillpoint::api
