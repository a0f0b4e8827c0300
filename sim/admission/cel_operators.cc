// The operators: arithmetic, comparison, membership.
#include "sim/admission/cel_functions.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <type_traits>

namespace stillpoint::sim::cel {
namespace {

using Nanoseconds = std::chrono::nanoseconds;

constexpr Failure kIntOverflow{"integer overflow"};
constexpr Failure kUintOverflow{"unsigned integer overflow"};
constexpr Failure kDurationOverflow{"duration overflow"};
constexpr Failure kTimeOverflow{"timestamp overflow"};

enum class Operator { kAdd, kSubtract, kMultiply, kDivide, kModulo };

template <class Integer>
constexpr Failure OverflowOf() {
  return std::is_signed_v<Integer> ? kIntOverflow : kUintOverflow;
}

template <class Integer>
Value DivideIntegers(Integer a, Integer b, bool modulo) {
  if (b == 0) return Failure{modulo ? "modulus by zero" : "division by zero"};
  if constexpr (std::is_signed_v<Integer>) {
    if (a == std::numeric_limits<Integer>::min() && b == -1) return kIntOverflow;
  }
  return modulo ? a % b : a / b;
}

template <class Integer>
Value OnIntegers(Operator op, Integer a, Integer b) {
  Integer result = 0;
  switch (op) {
    case Operator::kAdd:
      if (__builtin_add_overflow(a, b, &result)) return OverflowOf<Integer>();
      return result;
    case Operator::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) return OverflowOf<Integer>();
      return result;
    case Operator::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) return OverflowOf<Integer>();
      return result;
    case Operator::kDivide:
    case Operator::kModulo:
      return DivideIntegers(a, b, op == Operator::kModulo);
  }
  return kNoOverload;
}

Value OnDoubles(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd:
      return a + b;
    case Operator::kSubtract:
      return a - b;
    case Operator::kMultiply:
      return a * b;
    case Operator::kDivide:
      return std::fabs(b) > 0 ? a / b : a * std::copysign(HUGE_VAL, b);
    case Operator::kModulo:
      break;
  }
  return kNoOverload;
}

Value OnNumbers(Operator op, const Arguments& arguments) {
  if (const auto *a = arguments.If<std::int64_t>(0), *b = arguments.If<std::int64_t>(1); a && b) {
    return OnIntegers(op, *a, *b);
  }
  if (const auto *a = arguments.If<std::uint64_t>(0), *b = arguments.If<std::uint64_t>(1); a && b) {
    return OnIntegers(op, *a, *b);
  }
  if (const auto *a = arguments.If<double>(0), *b = arguments.If<double>(1); a && b) {
    return OnDoubles(op, *a, *b);
  }
  return kNoOverload;
}

// ---- durations and instants -------------------------------------------------------------------

Value Shift(api::Time time, Nanoseconds by, bool forward) {
  const std::int64_t micros = std::chrono::floor<std::chrono::microseconds>(by).count();
  const Value moved = OnIntegers(forward ? Operator::kAdd : Operator::kSubtract,
                                 std::int64_t{time.time_since_epoch().count()}, micros);
  const auto* count = moved.If<std::int64_t>();
  return count ? Value(api::Time(std::chrono::microseconds(*count))) : Value(kTimeOverflow);
}

Value OnDurations(Operator op, Nanoseconds a, Nanoseconds b) {
  const Value result = OnIntegers(op, std::int64_t{a.count()}, std::int64_t{b.count()});
  const auto* count = result.If<std::int64_t>();
  return count ? Value(Nanoseconds(*count)) : Value(kDurationOverflow);
}

Value Between(api::Time from, api::Time to) {
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow((to - from).count(), 1000, &nanos)) return kDurationOverflow;
  return Nanoseconds(nanos);
}

Value OnTimes(Operator op, const Arguments& arguments) {
  const auto* const time = arguments.If<api::Time>(0);
  const auto* const other_time = arguments.If<api::Time>(1);
  const auto* const duration = arguments.If<Nanoseconds>(0);
  const auto* const other_duration = arguments.If<Nanoseconds>(1);
  const bool add = op == Operator::kAdd;
  if (duration && other_duration) return OnDurations(op, *duration, *other_duration);
  if (time && other_duration) return Shift(*time, *other_duration, add);
  if (duration && other_time && add) return Shift(*other_time, *duration, true);
  if (time && other_time && !add) return Between(*other_time, *time);
  return kNoOverload;
}

// ---- joining ----------------------------------------------------------------------------------

bool Holds(const std::vector<Value>& items, const Value& wanted) {
  for (const Value& item : items) {
    if (Equal(item, wanted)) return true;
  }
  return false;
}

// Adding to a set adds what it lacks. The sum is a plain list.
Value Join(const Value& a, const Value& b, Arena& arena) {
  const bool is_set = IsSet(a);
  std::vector<Value> items;
  items.reserve(SizeOf(a) + SizeOf(b));
  for (std::size_t i = 0; i < SizeOf(a); ++i) items.push_back(ItemOf(a, i));
  for (std::size_t i = 0; i < SizeOf(b); ++i) {
    Value item = ItemOf(b, i);
    if (!is_set || !Holds(items, item)) items.push_back(item);
  }
  return arena.Keep(std::move(items));
}

Value Add(const Arguments& arguments) {
  const auto* const text = arguments.If<std::string_view>(0);
  const auto* const other = arguments.If<std::string_view>(1);
  if (text && other) return arguments.arena.Keep(std::string(*text).append(*other));
  const auto& values = arguments.values;
  if (values[0].IsNumber()) return OnNumbers(Operator::kAdd, arguments);
  if (values[0].IsList() && values[1].IsList()) return Join(values[0], values[1], arguments.arena);
  return OnTimes(Operator::kAdd, arguments);
}

Value Subtract(const Arguments& arguments) {
  if (arguments.values[0].IsNumber()) return OnNumbers(Operator::kSubtract, arguments);
  return OnTimes(Operator::kSubtract, arguments);
}

template <Operator op>
Value Arithmetic(const Arguments& arguments) {
  return OnNumbers(op, arguments);
}

Value Negate(const Arguments& arguments) {
  if (const auto* number = arguments.If<double>(0)) return -*number;
  if (const auto* number = arguments.If<std::int64_t>(0)) {
    return OnIntegers(Operator::kSubtract, std::int64_t{0}, *number);
  }
  return kNoOverload;
}

Value Not(const Arguments& arguments) {
  const auto* truth = arguments.If<bool>(0);
  return truth ? Value(!*truth) : Value(kNoOverload);
}

// ---- comparison -------------------------------------------------------------------------------

Value IsEqual(const Arguments& arguments) {
  return Equal(arguments.values[0], arguments.values[1]);
}

Value IsNotEqual(const Arguments& arguments) {
  return !Equal(arguments.values[0], arguments.values[1]);
}

bool IsLess(std::partial_ordering order) {
  return order < 0;
}

bool IsLessOrEqual(std::partial_ordering order) {
  return order <= 0;
}

bool IsGreater(std::partial_ordering order) {
  return order > 0;
}

bool IsGreaterOrEqual(std::partial_ordering order) {
  return order >= 0;
}

template <bool (*holds)(std::partial_ordering)>
Value Ordered(const Arguments& arguments) {
  const auto order = Compare(arguments.values[0], arguments.values[1]);
  return order ? Value(holds(*order)) : Value(kNoOverload);
}

// ---- lists and maps ---------------------------------------------------------------------------

Value In(const Arguments& arguments) {
  const Value& wanted = arguments.values[0];
  const Value& range = arguments.values[1];
  if (range.IsMap()) return Find(range, wanted).has_value();
  if (!range.IsList()) return kNoOverload;
  for (std::size_t i = 0; i < SizeOf(range); ++i) {
    if (Equal(ItemOf(range, i), wanted)) return true;
  }
  return false;
}

std::string TextOfKey(const Value& key) {
  if (const auto* text = key.If<std::string_view>()) return std::string(*text);
  if (const auto* number = key.If<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = key.If<std::uint64_t>()) return std::to_string(*number);
  if (const auto* truth = key.If<bool>()) return *truth ? "true" : "false";
  return "?";
}

Value Index(const Arguments& arguments) {
  const Value& range = arguments.values[0];
  const Value& key = arguments.values[1];
  if (range.IsMap()) {
    if (const auto found = Find(range, key)) return *found;
    return arguments.arena.Fail("no such key: " + TextOfKey(key));
  }
  if (!range.IsList() || !key.IsNumber()) return kNoOverload;
  for (std::uint64_t i = 0; key.If<double>() && i < SizeOf(range); ++i) {
    if (Equal(key, i)) return ItemOf(range, i);
  }
  const auto* index = arguments.If<std::int64_t>(1);
  if (!index || *index < 0 || static_cast<std::uint64_t>(*index) >= SizeOf(range)) {
    return arguments.arena.Fail("index out of bounds: " + TextOfKey(key));
  }
  return ItemOf(range, static_cast<std::size_t>(*index));
}

constexpr FunctionEntry kOperators[] = {
    {"_+_", Add, false, 2, 2},
    {"_-_", Subtract, false, 2, 2},
    {"_*_", Arithmetic<Operator::kMultiply>, false, 2, 2},
    {"_/_", Arithmetic<Operator::kDivide>, false, 2, 2},
    {"_%_", Arithmetic<Operator::kModulo>, false, 2, 2},
    {"-_", Negate, false, 1, 1},
    {"!_", Not, false, 1, 1},
    {"_==_", IsEqual, false, 2, 2},
    {"_!=_", IsNotEqual, false, 2, 2},
    {"_<_", Ordered<IsLess>, false, 2, 2},
    {"_<=_", Ordered<IsLessOrEqual>, false, 2, 2},
    {"_>_", Ordered<IsGreater>, false, 2, 2},
    {"_>=_", Ordered<IsGreaterOrEqual>, false, 2, 2},
    {"@in", In, false, 2, 2},
    {"_[_]", Index, false, 2, 2},
};

}  // namespace

std::span<const FunctionEntry> Operators() {
  return kOperators;
}

}  // namespace stillpoint::sim::cel
