#include "sim/admission/cel_parser.h"

#include "sim/admission/cel_lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace stillpoint::sim::cel {
namespace {

using Kind = Expression::Kind;
using Parsed = api::Result<Expression>;

struct BinaryOperator {
  std::string_view mark;
  std::string_view function;
};
constexpr BinaryOperator kRelations[] = {{"==", "_==_"}, {"!=", "_!=_"}, {"<=", "_<=_"},
                                         {">=", "_>=_"}, {"<", "_<_"},   {">", "_>_"}};
constexpr BinaryOperator kSums[] = {{"+", "_+_"}, {"-", "_-_"}};
constexpr BinaryOperator kProducts[] = {{"*", "_*_"}, {"/", "_/_"}, {"%", "_%_"}};

std::optional<Macro> MacroNamed(std::string_view name) {
  if (name == "all") return Macro::kAll;
  if (name == "exists") return Macro::kExists;
  if (name == "exists_one" || name == "existsOne") return Macro::kExistsOne;
  if (name == "map") return Macro::kMap;
  if (name == "filter") return Macro::kFilter;
  return std::nullopt;
}

bool IsReserved(std::string_view name) {
  constexpr std::string_view kReserved[] = {
      "as",       "break",     "const",  "continue", "else", "false", "for",
      "function", "if",        "import", "in",       "let",  "loop",  "null",
      "package",  "namespace", "return", "true",     "var",  "void",  "while"};
  return std::ranges::find(kReserved, name) != std::end(kReserved);
}

class Parser {
 public:
  Parser(std::vector<Token> tokens, std::span<const std::string_view> variables)
      : tokens_(std::move(tokens)), scope_(variables.begin(), variables.end()) {}

  Parsed Run() {
    auto root = Conditional();
    if (root && Peek().kind != Token::Kind::kEnd) return Fail("this was not expected here");
    return root;
  }

 private:
  // ---- tokens -----------------------------------------------------------------------------------

  [[nodiscard]] const Token& Peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }

  [[nodiscard]] bool At(std::string_view mark, std::size_t ahead = 0) const {
    return Peek(ahead).kind == Token::Kind::kPunctuation && Peek(ahead).text == mark;
  }

  bool Take(std::string_view mark) {
    if (!At(mark)) return false;
    ++at_;
    return true;
  }

  [[nodiscard]] bool AtName(std::size_t ahead = 0) const {
    return Peek(ahead).kind == Token::Kind::kIdentifier;
  }

  [[nodiscard]] api::Error Fail(std::string_view problem) const {
    return SyntaxError(Peek().offset, problem);
  }

  // ---- making nodes -----------------------------------------------------------------------------

  Parsed Finish(Expression expression) const {
    for (const Expression& operand : expression.operands) {
      expression.depth = std::max(expression.depth, operand.depth + 1);
    }
    if (expression.depth > kMaxDepth) return Fail("this is nested too deeply");
    return expression;
  }

  Parsed Call(std::string_view name, bool is_member, std::vector<Expression> operands) const {
    const FunctionEntry* entry = FindFunction(name, is_member, operands.size());
    if (!entry) {
      return Fail(fmt::format("there is no function {} with {} arguments", name, operands.size()));
    }
    Expression call{.kind = Kind::kCall, .function = entry->function};
    if (entry->regex_argument && operands[*entry->regex_argument].kind == Kind::kText) {
      auto regex = Regex::Compile(operands[*entry->regex_argument].text);
      if (!regex) return Fail("this is no regular expression: " + regex.error().message);
      call.regex = std::move(*regex);
    }
    call.operands = std::move(operands);
    return Finish(std::move(call));
  }

  Parsed Binary(std::string_view function, Expression left, Expression right) const {
    std::vector<Expression> operands;
    operands.push_back(std::move(left));
    operands.push_back(std::move(right));
    return Call(function, false, std::move(operands));
  }

  // ---- operators, loosest first -----------------------------------------------------------------

  Parsed Conditional() {
    if (++nesting_ > kMaxDepth) return Fail("this is nested too deeply");
    auto condition = Junction(Kind::kOr, "||");
    if (condition && Take("?")) condition = Branches(std::move(*condition));
    --nesting_;
    return condition;
  }

  Parsed Branches(Expression condition) {
    auto yes = Junction(Kind::kOr, "||");
    if (!yes) return yes;
    if (!Take(":")) return Fail("a ':' was expected");
    auto no = Conditional();
    if (!no) return no;
    Expression out{.kind = Kind::kConditional};
    out.operands.push_back(std::move(condition));
    out.operands.push_back(std::move(*yes));
    out.operands.push_back(std::move(*no));
    return Finish(std::move(out));
  }

  // All operands of a chain of && or || in one node.
  Parsed Junction(Kind kind, std::string_view mark) {
    const auto operand = [this, kind] {
      return kind == Kind::kOr ? Junction(Kind::kAnd, "&&") : Relation();
    };
    auto first = operand();
    if (!first || !At(mark)) return first;
    Expression chain{.kind = kind};
    chain.operands.push_back(std::move(*first));
    while (Take(mark)) {
      auto next = operand();
      if (!next) return next;
      chain.operands.push_back(std::move(*next));
    }
    return Finish(std::move(chain));
  }

  Parsed Relation() {
    return Chain(kRelations, [this] {
      return Chain(kSums, [this] { return Chain(kProducts, [this] { return Unary(); }); });
    });
  }

  // Left to right.
  template <class Operand>
  Parsed Chain(std::span<const BinaryOperator> operators, Operand operand) {
    auto left = operand();
    while (left) {
      const auto function = TakeOperator(operators);
      if (function.empty()) break;
      auto right = operand();
      if (!right) return right;
      left = Binary(function, std::move(*left), std::move(*right));
    }
    return left;
  }

  std::string_view TakeOperator(std::span<const BinaryOperator> operators) {
    if (operators.data() == kRelations && AtName() && Peek().text == "in") {
      ++at_;
      return "@in";
    }
    for (const auto& [mark, function] : operators) {
      if (Take(mark)) return function;
    }
    return {};
  }

  Parsed Unary() {
    const bool is_number =
        Peek(1).kind == Token::Kind::kInt || Peek(1).kind == Token::Kind::kDouble;
    if (At("-") && is_number) {
      ++at_;
      return Members(Number(true));
    }
    if (!At("!") && !At("-")) return Members(Primary());
    if (++nesting_ > kMaxDepth) return Fail("this is nested too deeply");
    const std::string_view function = Take("!") ? "!_" : (Take("-"), "-_");
    auto operand = Unary();
    --nesting_;
    if (!operand) return operand;
    std::vector<Expression> operands;
    operands.push_back(std::move(*operand));
    return Call(function, false, std::move(operands));
  }

  // ---- members: .name, .name(...), [index] ------------------------------------------------------

  Parsed Members(Parsed object) {
    while (object) {
      if (Take(".")) {
        object = Member(std::move(*object));
      } else if (Take("[")) {
        auto index = Conditional();
        if (!index) return index;
        if (!Take("]")) return Fail("a ']' was expected");
        object = Binary("_[_]", std::move(*object), std::move(*index));
      } else {
        break;
      }
    }
    return object;
  }

  Parsed Member(Expression object) {
    if (!AtName() || Peek().text == "in") return Fail("the name of a field was expected");
    const std::string name = tokens_[at_++].text;
    if (!Take("(")) {
      Expression select{.kind = Kind::kSelect, .text = name};
      select.operands.push_back(std::move(object));
      return Finish(std::move(select));
    }
    const auto macro = MacroNamed(name);
    if (macro && AtName() && At(",", 1)) return Comprehension(*macro, std::move(object));
    std::vector<Expression> operands;
    operands.push_back(std::move(object));
    if (auto done = Operands(")", operands); !done) return done.error();
    return Call(name, true, std::move(operands));
  }

  Parsed Comprehension(Macro macro, Expression range) {
    if (scope_.size() == kMaxVariables) return Fail("there are too many variables");
    Expression out{.kind = Kind::kComprehension, .slot = scope_.size(), .macro = macro};
    if (IsReserved(Peek().text)) return Fail("this name is reserved");
    out.operands.push_back(std::move(range));
    scope_.push_back(Peek().text);
    at_ += 2;  // the name and its comma
    auto done = Operands(")", out.operands);
    scope_.pop_back();
    if (!done) return done.error();
    const std::size_t most = macro == Macro::kMap ? 3 : 2;
    if (out.operands.size() < 2 || out.operands.size() > most) {
      return Fail("the macro has the wrong number of arguments");
    }
    return Finish(std::move(out));
  }

  // Expressions with commas between them, and what closes them.
  api::Result<void> Operands(std::string_view close, std::vector<Expression>& operands) {
    while (!Take(close)) {
      auto operand = Conditional();
      if (!operand) return operand.error();
      operands.push_back(std::move(*operand));
      if (!At(close) && !Take(",")) return Fail(fmt::format("a ',' or '{}' was expected", close));
    }
    return {};
  }

  // ---- what stands alone ------------------------------------------------------------------------

  Parsed Primary() {
    switch (Peek().kind) {
      case Token::Kind::kIdentifier:
        return Name();
      case Token::Kind::kText:
        return Expression{.kind = Kind::kText, .text = tokens_[at_++].text};
      case Token::Kind::kInt:
      case Token::Kind::kUint:
      case Token::Kind::kDouble:
        return Number(false);
      case Token::Kind::kPunctuation:
        break;
      case Token::Kind::kEnd:
        return Fail("something is missing at the end");
    }
    if (Take("(")) return Parenthesis();
    if (Take("[")) {
      Expression list{.kind = Kind::kList};
      if (auto done = Operands("]", list.operands); !done) return done.error();
      return Finish(std::move(list));
    }
    if (Take("{")) return MapLiteral();
    return Fail("a value was expected");
  }

  Parsed Parenthesis() {
    auto inner = Conditional();
    if (inner && !Take(")")) return Fail("a ')' was expected");
    return inner;
  }

  Parsed MapLiteral() {
    Expression map{.kind = Kind::kMap};
    while (!Take("}")) {
      auto key = Conditional();
      if (!key) return key;
      if (!Take(":")) return Fail("a ':' was expected");
      auto value = Conditional();
      if (!value) return value;
      map.operands.push_back(std::move(*key));
      map.operands.push_back(std::move(*value));
      if (!At("}") && !Take(",")) return Fail("a ',' or '}' was expected");
    }
    return Finish(std::move(map));
  }

  Parsed Number(bool negative) {
    const Token& token = tokens_[at_++];
    Expression out{.kind = Kind::kLiteral};
    if (token.kind == Token::Kind::kDouble) {
      out.literal = negative ? -token.number : token.number;
      return out;
    }
    if (token.kind == Token::Kind::kUint) {
      out.literal = token.integer;
      return out;
    }
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (token.integer > kMost + (negative ? 1 : 0)) {
      return SyntaxError(token.offset, "this number does not fit into 64 bits");
    }
    out.literal = static_cast<std::int64_t>(negative ? 0 - token.integer : token.integer);
    return out;
  }

  Parsed Name() {
    const std::string name = tokens_[at_].text;
    if (At("(", 1)) return GlobalCall(name);
    if (name == "true" || name == "false" || name == "null") {
      ++at_;
      Expression out{.kind = Kind::kLiteral};
      if (name != "null") out.literal = name == "true";
      return out;
    }
    const auto found = std::ranges::find(scope_.rbegin(), scope_.rend(), name);
    if (IsReserved(name) || found == scope_.rend()) {
      return Fail(fmt::format("undeclared reference to '{}'", name));
    }
    ++at_;
    const auto slot = static_cast<std::size_t>(scope_.rend() - found - 1);
    return Expression{.kind = Kind::kVariable, .slot = slot};
  }

  Parsed GlobalCall(const std::string& name) {
    at_ += 2;
    std::vector<Expression> operands;
    if (auto done = Operands(")", operands); !done) return done.error();
    if (name != "has") return Call(name, false, std::move(operands));
    if (operands.size() != 1 || operands[0].kind != Kind::kSelect) {
      return Fail("has() takes the field of something: has(a.b)");
    }
    operands[0].kind = Kind::kHas;
    return std::move(operands[0]);
  }

  std::vector<Token> tokens_;
  std::vector<std::string> scope_;  // by slot
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
};

}  // namespace

api::Result<Expression> Parse(std::string_view text, std::span<const std::string_view> variables) {
  auto tokens = Tokenize(text);
  if (!tokens) return tokens.error();
  return Parser(std::move(*tokens), variables).Run();
}

}  // namespace stillpoint::sim::cel
