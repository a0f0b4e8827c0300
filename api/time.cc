#include "api/time.h"

#include "api/quote.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <optional>

namespace stillpoint::api {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Reads one instant from left to right. After the first mismatch `failed_` stays true, so that the
// grammar below reads without a test after each step.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool Done() const { return !failed_ && rest_.empty(); }

  // Exactly `width` digits, at most `max`.
  int Number(int width, int max) {
    int value = 0;
    for (int i = 0; i < width; ++i) value = value * 10 + Digit();
    if (value > max) failed_ = true;
    return value;
  }

  // One of the characters of `choices`.
  char OneOf(std::string_view choices) {
    const char c = Next();
    if (choices.find(c) == std::string_view::npos) failed_ = true;
    return c;
  }

  // `.` and at least one digit, or nothing.
  microseconds Fraction() {
    if (rest_.empty() || rest_.front() != '.') return {};
    rest_.remove_prefix(1);
    int value = Digit();
    int digits = 1;
    for (; !rest_.empty() && IsDigit(rest_.front()); ++digits) {
      const int digit = Digit();
      if (digits < 6) value = value * 10 + digit;
    }
    for (; digits < 6; ++digits) value *= 10;
    return microseconds(value);
  }

  // Z, or the distance of local time from UTC.
  minutes Offset() {
    const char sign = OneOf("Zz+-");
    if (sign != '+' && sign != '-') return {};
    const hours h(Number(2, 23));
    OneOf(":");
    const minutes offset = h + minutes(Number(2, 59));
    return sign == '-' ? -offset : offset;
  }

 private:
  char Next() {
    if (rest_.empty()) {
      failed_ = true;
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  int Digit() {
    const char c = Next();
    if (!IsDigit(c)) failed_ = true;
    return IsDigit(c) ? c - '0' : 0;
  }

  std::string_view rest_;
  bool failed_ = false;
};

std::optional<Time> Read(std::string_view text) {
  TimeReader reader(text);
  const std::chrono::year year(reader.Number(4, 9999));
  reader.OneOf("-");
  const std::chrono::month month(static_cast<unsigned>(reader.Number(2, 12)));
  reader.OneOf("-");
  const std::chrono::day day(static_cast<unsigned>(reader.Number(2, 31)));
  reader.OneOf("Tt");
  Time::duration clock = hours(reader.Number(2, 23));
  reader.OneOf(":");
  clock += minutes(reader.Number(2, 59));
  reader.OneOf(":");
  clock += seconds(reader.Number(2, 59));
  clock += reader.Fraction();
  clock -= reader.Offset();
  const std::chrono::year_month_day date(year, month, day);
  if (!reader.Done() || !date.ok()) return std::nullopt;
  const Time time = std::chrono::sys_days(date) + clock;
  // An offset may lead out of the years that four digits can write.
  const std::chrono::year in_utc =
      std::chrono::year_month_day(std::chrono::floor<days>(time)).year();
  if (in_utc < std::chrono::year(0) || in_utc > std::chrono::year(9999)) return std::nullopt;
  return time;
}

std::string FormatSeconds(std::chrono::sys_seconds time) {
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}"),
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

}  // namespace

Result<Time> ParseTime(std::string_view text) {
  if (const auto time = Read(text)) return *time;
  return Error{Code::kInvalid, Quote(text) + " is not a time, for example 2026-11-21T02:00:04Z"};
}

std::string FormatTime(Time time) {
  const auto whole = std::chrono::floor<seconds>(time);
  const auto fraction = (time - whole).count();
  if (fraction == 0) return FormatSeconds(whole) + "Z";
  if (fraction % 1000 == 0) return fmt::format("{}.{:03}Z", FormatSeconds(whole), fraction / 1000);
  return fmt::format("{}.{:06}Z", FormatSeconds(whole), fraction);
}

std::string FormatMicroTime(MicroTime time) {
  const auto whole = std::chrono::floor<seconds>(time.value);
  return fmt::format("{}.{:06}Z", FormatSeconds(whole), (time.value - whole).count());
}

Time TimeFromUnixNanoseconds(std::int64_t nanoseconds) {
  return Time(std::chrono::floor<Time::duration>(std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace stillpoint::api
