// CEL where a schema says what the JSON means, and CEL of anything at all.
#include "unit/sim/cel_evaluate.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <random>
#include <string>

namespace stillpoint::sim::cel {
namespace {

namespace json = boost::json;

// ---- what a schema says about JSON ------------------------------------------------------------

TEST(CelSchemaTest, ASetIsEqualInAnyOrder) {
  const Schema set = CompileSchema(
      json::parse(
          R"({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}})")
          .as_object());
  EXPECT_EQ(Evaluate("self == oldSelf", R"(["a", "b"])", &set, R"(["b", "a"])"), "true");
  EXPECT_EQ(Evaluate("self == oldSelf", R"(["a", "b"])", &set, R"(["b", "c"])"), "false");
  EXPECT_EQ(Evaluate("self + oldSelf", R"(["a", "b"])", &set, R"(["b", "c"])"),
            R"(["a", "b", "c"])");
}

TEST(CelSchemaTest, AKeyedListIsEqualInAnyOrder) {
  const Schema list = CompileSchema(json::parse(R"({
    "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
    "items": {"type": "object", "properties": {"name": {"type": "string"},
                                               "value": {"type": "integer"}}}})")
                                        .as_object());
  constexpr auto kNow = R"([{"name": "a", "value": 1}, {"name": "b", "value": 2}])";
  EXPECT_EQ(Evaluate("self == oldSelf", kNow, &list,
                     R"([{"name": "b", "value": 2}, {"name": "a", "value": 1}])"),
            "true");
  EXPECT_EQ(Evaluate("self == oldSelf", kNow, &list,
                     R"([{"name": "b", "value": 1}, {"name": "a", "value": 2}])"),
            "false");
}

TEST(CelSchemaTest, ADateTimeIsAnInstant) {
  const Schema time =
      CompileSchema(json::parse(R"({"type": "string", "format": "date-time"})").as_object());
  EXPECT_EQ(Evaluate("self == oldSelf", R"("2026-01-01T01:00:00+01:00")", &time,
                     R"("2026-01-01T00:00:00Z")"),
            "true");
  EXPECT_EQ(
      Evaluate("self < timestamp('2027-01-01T00:00:00Z')", R"("2026-01-01T00:00:00Z")", &time),
      "true");
}

TEST(CelSchemaTest, ANumberIsADouble) {
  const Schema number = CompileSchema(json::parse(R"({"type": "number"})").as_object());
  EXPECT_EQ(Evaluate("self / 2.0", "3", &number), "1.500000");
}

// ---- anything may stand in a rule -------------------------------------------------------------

constexpr std::string_view kPieces[] = {"self",
                                        "oldSelf",
                                        ".a",
                                        "[0]",
                                        "['a']",
                                        "(",
                                        ")",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        ",",
                                        ":",
                                        "?",
                                        "&&",
                                        "||",
                                        "!",
                                        "-",
                                        "+",
                                        "*",
                                        "/",
                                        "%",
                                        "==",
                                        "<",
                                        " in ",
                                        "1",
                                        "0",
                                        "1.5",
                                        "2u",
                                        "'a'",
                                        "'(a+'",
                                        "\"",
                                        "'",
                                        "\\",
                                        "r'\\'",
                                        "true",
                                        "null",
                                        "has(",
                                        "size(",
                                        ".size()",
                                        ".all(x,",
                                        ".map(x,",
                                        ".exists(x,",
                                        ".filter(y,",
                                        "x",
                                        "y",
                                        ".matches(",
                                        ".find(",
                                        ".findAll('a*')",
                                        ".split('')",
                                        ".replace('','b')",
                                        ".substring(",
                                        ".join()",
                                        ".sum()",
                                        ".min()",
                                        "int(",
                                        "duration('1h')",
                                        "timestamp(0)",
                                        "quantity('1Gi')",
                                        "//",
                                        "\n",
                                        "\xff",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "0x",
                                        "1e",
                                        "'\\u'",
                                        "string(",
                                        "double("};

// Pieces of expressions in a random order: most make no sense, none may do harm.
TEST(CelFuzzTest, NoTextDoesHarm) {
  std::mt19937 random(1);  // the same every time
  const json::value self = json::parse(R"({"a": [1, "ä", {"b": null}], "c": {"d": 1.5}})");
  const Value variables[] = {FromJson(self, nullptr), FromJson(self.at("a"), nullptr)};
  for (int i = 0; i < 1500; ++i) {
    std::string text;
    for (auto length = random() % 12; length > 0; --length) {
      text += kPieces[random() % std::size(kPieces)];
    }
    const auto program = Program::Compile(text, kSelf);
    if (!program) continue;
    Arena arena;
    EXPECT_FALSE(Show(program->Evaluate(variables, arena)).empty());
  }
}

TEST(CelFuzzTest, NoByteDoesHarm) {
  constexpr std::string_view kRule =
      "!self.a.matches('^([0-9]{1,9}(w|d))+$') || int('0' + self.c.find('[0-9]+')) * 60 >= 1";
  std::mt19937 random(2);  // the same every time
  for (int i = 0; i < 1000; ++i) {
    std::string text(kRule);
    for (int change = 0; change < 3; ++change) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    text.resize(random() % (text.size() + 1));
    if (const auto program = Program::Compile(text, kSelf)) {
      const Value variables[] = {Value(std::string_view("1d")), Value()};
      Arena arena;
      EXPECT_FALSE(Show(program->Evaluate(variables, arena)).empty());
    }
  }
}

}  // namespace
}  // namespace stillpoint::sim::cel
