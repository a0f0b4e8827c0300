#include "unit/sim/cel_evaluate.h"

#include <boost/json/parse.hpp>

namespace stillpoint::sim::cel {

namespace json = boost::json;

std::string Show(const Value& value) {
  if (const auto* truth = value.If<bool>()) return *truth ? "true" : "false";
  if (const auto* number = value.If<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = value.If<std::uint64_t>()) return std::to_string(*number) + "u";
  if (const auto* number = value.If<double>()) return std::to_string(*number);
  if (const auto* text = value.If<std::string_view>()) return '"' + std::string(*text) + '"';
  if (const auto* failure = value.If<Failure>()) return '!' + std::string(failure->message);
  if (value.If<Null>()) return "null";
  if (!value.IsList()) return "?";
  std::string out;
  for (std::size_t i = 0; i < SizeOf(value); ++i) {
    out += (i > 0 ? ", " : "") + Show(ItemOf(value, i));
  }
  return '[' + out + ']';
}

std::string Evaluate(std::string_view text, std::string_view self, const Schema* schema,
                     std::string_view old_self) {
  const auto program = Program::Compile(text, kSelf);
  if (!program) return program.error().message;
  const json::value now = json::parse(self);
  const json::value then = json::parse(old_self);
  const Value variables[] = {FromJson(now, schema), FromJson(then, schema)};
  Arena arena;
  return Show(program->Evaluate(variables, arena));
}

}  // namespace stillpoint::sim::cel
