#include "api/quantity.h"

#include "api/quote.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace stillpoint::api {
namespace {

// Wide enough for every product below: 2^63 * 2^60 and 10^18 * 10^18.
using Wide = unsigned __int128;

constexpr Wide kLargest = std::numeric_limits<std::int64_t>::max();
constexpr int kMostDigits = 18;  // of a fraction, and of a power of ten: 10^18 < 2^63

// The factor that a suffix stands for: up / down. One of the two is 1.
struct Factor {
  Wide up = 1;
  Wide down = 1;
};

Wide PowerOfTen(int exponent) {
  Wide power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

struct Suffix {
  std::string_view name;
  int binary;   // power of 1024
  int decimal;  // power of ten
};
constexpr std::array<Suffix, 16> kSuffixes{{{"", 0, 0},
                                            {"Ki", 1, 0},
                                            {"Mi", 2, 0},
                                            {"Gi", 3, 0},
                                            {"Ti", 4, 0},
                                            {"Pi", 5, 0},
                                            {"Ei", 6, 0},
                                            {"n", 0, -9},
                                            {"u", 0, -6},
                                            {"m", 0, -3},
                                            {"k", 0, 3},
                                            {"M", 0, 6},
                                            {"G", 0, 9},
                                            {"T", 0, 12},
                                            {"P", 0, 15},
                                            {"E", 0, 18}}};

Factor DecimalFactor(int exponent) {
  return exponent < 0 ? Factor{.down = PowerOfTen(-exponent)} : Factor{.up = PowerOfTen(exponent)};
}

// `e9`, `E+9`, `e-3`. Beyond 10^18 nothing but zero would fit.
std::optional<Factor> ParseExponent(std::string_view suffix) {
  suffix.remove_prefix(1);
  if (suffix.starts_with("+-")) return std::nullopt;
  if (suffix.starts_with('+')) suffix.remove_prefix(1);
  int exponent = 0;
  const char* const end = suffix.data() + suffix.size();
  const auto [stop, error] = std::from_chars(suffix.data(), end, exponent);
  if (error != std::errc{} || stop != end) return std::nullopt;
  if (exponent > kMostDigits || exponent < -kMostDigits) return std::nullopt;
  return DecimalFactor(exponent);
}

std::optional<Factor> ParseSuffix(std::string_view suffix) {
  const auto found = std::ranges::find(kSuffixes, suffix, &Suffix::name);
  if (found != kSuffixes.end()) {
    return found->binary > 0 ? Factor{.up = Wide{1} << (10 * found->binary)}
                             : DecimalFactor(found->decimal);
  }
  if (suffix.front() == 'e' || suffix.front() == 'E') return ParseExponent(suffix);
  return std::nullopt;
}

// The number in front of the suffix: whole + part / scale.
struct Mantissa {
  Wide whole = 0;
  Wide part = 0;
  Wide scale = 1;
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view TakeDigits(std::string_view& rest) {
  const auto end = std::ranges::find_if_not(rest, IsDigit);
  const std::string_view digits(rest.begin(), end);
  rest.remove_prefix(digits.size());
  return digits;
}

// Takes the number off the front of `rest`.
std::optional<Mantissa> TakeMantissa(std::string_view& rest) {
  Mantissa mantissa;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  const std::string_view whole = TakeDigits(rest);
  for (const char c : whole) {
    mantissa.whole = mantissa.whole * 10 + static_cast<unsigned>(c - '0');
    if (mantissa.whole > kLargest) return std::nullopt;
  }
  if (!rest.starts_with('.')) return whole.empty() ? std::nullopt : std::optional(mantissa);
  rest.remove_prefix(1);
  const std::string_view part = TakeDigits(rest);
  if (whole.empty() && part.empty()) return std::nullopt;
  bool more = false;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const auto digit = static_cast<unsigned>(part[i] - '0');
    if (i >= kMostDigits) {
      more |= digit != 0;
      continue;
    }
    mantissa.part = mantissa.part * 10 + digit;
    mantissa.scale *= 10;
  }
  if (more) ++mantissa.part;  // digits that do not fit are rounded up, as the result is
  return mantissa;
}

Wide DivideRoundingUp(Wide dividend, Wide divisor) {
  return dividend / divisor + (dividend % divisor == 0 ? 0 : 1);
}

Wide Multiply(const Mantissa& m, const Factor& factor) {
  if (factor.down == 1) {
    return m.whole * factor.up + DivideRoundingUp(m.part * factor.up, m.scale);
  }
  return DivideRoundingUp(m.whole * m.scale + m.part, m.scale * factor.down);
}

}  // namespace

Result<Quantity> Quantity::Parse(std::string_view text) {
  std::string_view rest = text;
  if (const auto mantissa = TakeMantissa(rest)) {
    if (const auto factor = ParseSuffix(rest)) {
      const Wide bytes = Multiply(*mantissa, *factor);
      if (bytes <= kLargest) return Quantity(std::string(text), static_cast<std::int64_t>(bytes));
    }
  }
  return Error{Code::kInvalid, Quote(text) + " is not a size, for example 10Gi or 500M"};
}

Quantity Quantity::FromBytes(std::int64_t bytes) {
  return {std::to_string(bytes), bytes};
}

const Quantity& Max(const Quantity& a, const Quantity& b) {
  return b > a ? b : a;
}

}  // namespace stillpoint::api
