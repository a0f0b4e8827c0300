// Functions of lists.
#include "sim/admission/cel_functions.h"

#include <string>

namespace stillpoint::sim::cel {
namespace {

Value JoinTexts(const Arguments& arguments) {
  const Value& list = arguments.values[0];
  const auto* separator = arguments.If<std::string_view>(1);
  if (!list.IsList() || (arguments.count() > 1 && !separator)) return kNoOverload;
  std::string out;
  for (std::size_t i = 0; i < SizeOf(list); ++i) {
    const Value item = ItemOf(list, i);
    const auto* text = item.If<std::string_view>();
    if (!text) return kNoOverload;
    if (i > 0 && separator) out += *separator;
    out += *text;
  }
  return arguments.arena.Keep(std::move(out));
}

Value Sum(const Arguments& arguments) {
  const Value& list = arguments.values[0];
  if (!list.IsList()) return kNoOverload;
  if (SizeOf(list) == 0) return std::int64_t{0};
  const FunctionEntry* add = FindFunction("_+_", false, 2);
  Value sum = ItemOf(list, 0);
  for (std::size_t i = 1; i < SizeOf(list) && !sum.IsFailure(); ++i) {
    const Value pair[] = {sum, ItemOf(list, i)};
    sum = add->function({.values = pair, .arena = arguments.arena});
  }
  return sum;
}

bool IsLess(std::partial_ordering order) {
  return order < 0;
}

bool IsGreater(std::partial_ordering order) {
  return order > 0;
}

// The first item that no other one is before.
template <bool (*is_before)(std::partial_ordering)>
Value Extreme(const Arguments& arguments) {
  const Value& list = arguments.values[0];
  if (!list.IsList()) return kNoOverload;
  if (SizeOf(list) == 0) return Failure{"min/max called on empty list"};
  Value best = ItemOf(list, 0);
  for (std::size_t i = 1; i < SizeOf(list); ++i) {
    const Value item = ItemOf(list, i);
    const auto order = Compare(item, best);
    if (!order) return kNoOverload;
    if (is_before(*order)) best = item;
  }
  return best;
}

Value IsSorted(const Arguments& arguments) {
  const Value& list = arguments.values[0];
  if (!list.IsList()) return kNoOverload;
  for (std::size_t i = 1; i < SizeOf(list); ++i) {
    const auto order = Compare(ItemOf(list, i - 1), ItemOf(list, i));
    if (!order) return kNoOverload;
    if (*order > 0) return false;
  }
  return true;
}

constexpr FunctionEntry kListFunctions[] = {
    {"join", JoinTexts, true, 1, 2},      {"sum", Sum, true, 1, 1},
    {"min", Extreme<IsLess>, true, 1, 1}, {"max", Extreme<IsGreater>, true, 1, 1},
    {"isSorted", IsSorted, true, 1, 1},
};

}  // namespace

std::span<const FunctionEntry> ListFunctions() {
  return kListFunctions;
}

}  // namespace stillpoint::sim::cel
