#include "sim/admission/cel_program.h"

#include "sim/admission/cel_expression.h"
#include "sim/admission/cel_parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace stillpoint::sim::cel {
namespace {

using Kind = Expression::Kind;

// One evaluation: the variables and where made values go.
class Evaluation {
 public:
  Evaluation(std::span<const Value> variables, Arena& arena) : arena_(arena) {
    std::ranges::copy(variables, slots_.begin());
  }

  Value Of(const Expression& e) {
    switch (e.kind) {
      case Kind::kLiteral:
        return e.literal;
      case Kind::kText:
        return std::string_view(e.text);
      case Kind::kVariable:
        return slots_[e.slot];
      case Kind::kSelect:
        return Select(e);
      case Kind::kHas:
        return Has(e);
      case Kind::kCall:
        return Call(e);
      case Kind::kList:
        return MakeList(e);
      case Kind::kMap:
        return MakeMap(e);
      case Kind::kConditional:
        return Conditional(e);
      case Kind::kAnd:
        return Junction(e, false);
      case Kind::kOr:
        return Junction(e, true);
      case Kind::kComprehension:
        return Comprehension(e);
    }
    return kNoOverload;
  }

 private:
  Value Select(const Expression& e) {
    const Value object = Of(e.operands[0]);
    if (object.IsFailure()) return object;
    if (!object.IsMap()) return kNoOverload;
    if (auto found = FindField(object, e.text)) return *found;
    return arena_.Fail("no such key: " + e.text);
  }

  Value Has(const Expression& e) {
    const Value object = Of(e.operands[0]);
    if (object.IsFailure()) return object;
    if (!object.IsMap()) return kNoOverload;
    const auto found = FindField(object, e.text);
    if (found && found->IsFailure()) return *found;  // JSON that its schema does not explain
    return found.has_value();
  }

  Value Call(const Expression& e) {
    std::array<Value, kMaxArguments> values;
    for (std::size_t i = 0; i < e.operands.size(); ++i) {
      values[i] = Of(e.operands[i]);
      if (values[i].IsFailure()) return values[i];
    }
    return e.function({.values = std::span(values).first(e.operands.size()),
                       .regex = e.regex ? &*e.regex : nullptr,
                       .arena = arena_});
  }

  Value MakeList(const Expression& e) {
    std::vector<Value> items;
    items.reserve(e.operands.size());
    for (const Expression& operand : e.operands) {
      items.push_back(Of(operand));
      if (items.back().IsFailure()) return items.back();
    }
    return arena_.Keep(std::move(items));
  }

  Value MakeMap(const Expression& e) {
    std::vector<std::pair<Value, Value>> entries;
    for (std::size_t i = 0; i < e.operands.size(); i += 2) {
      const Value key = Of(e.operands[i]);
      if (key.IsFailure()) return key;
      const Value value = Of(e.operands[i + 1]);
      if (value.IsFailure()) return value;
      const auto is_key = [&key](const auto& entry) { return Equal(entry.first, key); };
      if (std::ranges::any_of(entries, is_key)) return Failure{"Failed with repeated key"};
      entries.emplace_back(key, value);
    }
    return arena_.Keep(std::move(entries));
  }

  Value Conditional(const Expression& e) {
    const Value condition = Of(e.operands[0]);
    if (condition.IsFailure()) return condition;
    const auto* truth = condition.If<bool>();
    return truth ? Of(e.operands[*truth ? 1 : 2]) : Value(kNoOverload);
  }

  // What `&&` (decisive: false) and `||` (decisive: true) gather from their operands: one that is
  // decisive settles the matter, even when another one failed.
  class Verdict {
   public:
    explicit Verdict(bool decisive) : decisive_(decisive) {}

    // Whether the matter is settled.
    bool Hear(const Value& value) {
      const auto* truth = value.If<bool>();
      if (truth && *truth == decisive_) return settled_ = true;
      if (!truth && !failure_) failure_ = value.IsFailure() ? value : Value(kNoOverload);
      return false;
    }

    [[nodiscard]] Value Result() const {
      if (settled_) return decisive_;
      return failure_ ? *failure_ : Value(!decisive_);
    }

   private:
    bool decisive_;
    bool settled_ = false;
    std::optional<Value> failure_;
  };

  Value Junction(const Expression& e, bool decisive) {
    Verdict verdict(decisive);
    for (const Expression& operand : e.operands) {
      if (verdict.Hear(Of(operand))) break;
    }
    return verdict.Result();
  }

  // ---- macros -----------------------------------------------------------------------------------

  Value Comprehension(const Expression& e) {
    Value range = Of(e.operands[0]);
    if (range.IsFailure()) return range;
    if (range.IsMap()) range = arena_.Keep(KeysOf(range));
    if (!range.IsList()) return kNoOverload;
    switch (e.macro) {
      case Macro::kAll:
        return Quantify(e, range, false);
      case Macro::kExists:
        return Quantify(e, range, true);
      case Macro::kExistsOne:
        return ExistsOne(e, range);
      case Macro::kMap:
      case Macro::kFilter:
        return Gather(e, range);
    }
    return kNoOverload;
  }

  Value Quantify(const Expression& e, const Value& range, bool decisive) {
    Verdict verdict(decisive);
    for (std::size_t i = 0; i < SizeOf(range); ++i) {
      slots_[e.slot] = ItemOf(range, i);
      if (verdict.Hear(Of(e.operands[1]))) break;
    }
    return verdict.Result();
  }

  Value ExistsOne(const Expression& e, const Value& range) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < SizeOf(range); ++i) {
      slots_[e.slot] = ItemOf(range, i);
      const Value value = Of(e.operands[1]);
      const auto* truth = value.If<bool>();
      if (!truth) return value.IsFailure() ? value : Value(kNoOverload);
      if (*truth) ++count;
    }
    return count == 1;
  }

  // filter(x, condition), map(x, value) and map(x, condition, value).
  Value Gather(const Expression& e, const Value& range) {
    const bool has_condition = e.macro == Macro::kFilter || e.operands.size() == 3;
    std::vector<Value> out;
    for (std::size_t i = 0; i < SizeOf(range); ++i) {
      const Value item = ItemOf(range, i);
      slots_[e.slot] = item;
      if (has_condition) {
        const Value condition = Of(e.operands[1]);
        const auto* truth = condition.If<bool>();
        if (!truth) return condition.IsFailure() ? condition : Value(kNoOverload);
        if (!*truth) continue;
      }
      out.push_back(e.macro == Macro::kFilter ? item : Of(e.operands.back()));
      if (out.back().IsFailure()) return out.back();
    }
    return arena_.Keep(std::move(out));
  }

  Arena& arena_;
  std::array<Value, kMaxVariables> slots_;
};

bool Names(const Expression& e, std::size_t slot) {
  if (e.kind == Kind::kVariable && e.slot == slot) return true;
  return std::ranges::any_of(e.operands, [slot](const auto& o) { return Names(o, slot); });
}

}  // namespace

api::Result<Program> Program::Compile(std::string_view text,
                                      std::span<const std::string_view> variables) {
  auto root = Parse(text, variables);
  if (!root) return root.error();
  return Program(std::make_shared<const Expression>(std::move(*root)));
}

Value Program::Evaluate(std::span<const Value> variables, Arena& arena) const {
  return Evaluation(variables, arena).Of(*root_);
}

bool Program::Uses(std::size_t index) const {
  return Names(*root_, index);
}

}  // namespace stillpoint::sim::cel
