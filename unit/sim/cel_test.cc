// CEL as its specification has it; expectations that depend on Kubernetes are said to.
#include "unit/sim/cel_evaluate.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace stillpoint::sim::cel {
namespace {

struct Case {
  const char* text;
  const char* want;
  const char* self = "null";
};

void PrintTo(const Case& test_case, std::ostream* out) {
  *out << test_case.text << " of " << test_case.self;
}

class CelTest : public testing::TestWithParam<Case> {};

TEST_P(CelTest, Evaluates) {
  EXPECT_EQ(Evaluate(GetParam().text, GetParam().self), GetParam().want);
}

constexpr Case kOperators[] = {
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"7 - 2 - 1", "4"},
    {"-7 / 2", "-3"},
    {"-7 % 3", "-1"},
    {"1u + 2u", "3u"},
    {"1.5 + 1.5", "3.000000"},
    {"'a' + 'b'", "\"ab\""},
    {"[1] + [2, 3]", "[1, 2, 3]"},
    {"0x1F", "31"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775807 + 1", "!integer overflow"},
    {"-9223372036854775808 / -1", "!integer overflow"},
    {"0u - 1u", "!unsigned integer overflow"},
    {"1 / 0", "!division by zero"},
    {"1 % 0", "!modulus by zero"},
    {"1 + 'a'", "!no such overload"},
    {"1 + 1.0", "!no such overload"},
    {"!true", "false"},
    {"!!true", "true"},
    {"!1", "!no such overload"},
    {"--1", "1"},
    {"true ? 1 : 2", "1"},
    {"false ? 1 : true ? 2 : 3", "2"},
    {"1 ? 2 : 3", "!no such overload"},
    {"1/0 == 1 ? 2 : 3", "!division by zero"},
};
INSTANTIATE_TEST_SUITE_P(Operators, CelTest, testing::ValuesIn(kOperators));

// One operand that decides is enough, whatever became of the other.
constexpr Case kLogic[] = {
    {"false && 1/0 == 1", "false"},
    {"1/0 == 1 && false", "false"},
    {"true && 1/0 == 1", "!division by zero"},
    {"true || 1/0 == 1", "true"},
    {"1/0 == 1 || true", "true"},
    {"1/0 == 1 || false", "!division by zero"},
    {"1/0 == 1 && 1%0 == 1 && false", "false"},
    {"'a' && true", "!no such overload"},
    {"'a' && false", "false"},
    {"true && false || true", "true"},
    {"[1, 0].all(x, 1/x > 5)", "false"},
    {"[0, 1].exists(x, 1/x == 1)", "true"},
    {"[1, 0].all(x, 1/x > 0)", "!division by zero"},
};
INSTANTIATE_TEST_SUITE_P(Logic, CelTest, testing::ValuesIn(kLogic));

constexpr Case kComparisons[] = {
    {"1 == 1.0", "true"},
    {"1u == 1", "true"},
    {"1 < 1.5", "true"},
    {"9007199254740993 == 9007199254740992.0", "false"},
    {"9223372036854775807 < 9223372036854775808.0", "true"},
    {"-1 < 1u", "true"},
    {"18446744073709551615u > -1", "true"},
    {"'a' < 'b'", "true"},
    {"'a' == 1", "false"},
    {"'a' != 1", "true"},
    {"'a' < 1", "!no such overload"},
    {"false < true", "true"},
    {"null == null", "true"},
    {"[1, 2] == [1, 2]", "true"},
    {"[1, 2] == [2, 1]", "false"},
    {"{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"},
    {"{'a': 1} == {'a': 2}", "false"},
    {"1 in [1, 2]", "true"},
    {"3 in [1, 2]", "false"},
    {"'a' in {'a': 1}", "true"},
    {"1 in 2", "!no such overload"},
    {"duration('1h') > duration('59m')", "true"},
    {"duration('1h30m') == duration('90m')", "true"},
    {"timestamp('2026-01-01T00:00:00Z') + duration('1h') == timestamp('2026-01-01T01:00:00Z')",
     "true"},
    {"timestamp('2026-01-01T01:00:00+01:00') == timestamp('2026-01-01T00:00:00Z')", "true"},
    {"timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') == duration('24h')",
     "true"},
    {"duration('-1.5s').getMilliseconds()", "-1500"},
    {"duration('1x')", "!time: invalid duration \"1x\""},
    {"quantity('1Gi') == quantity('1024Mi')", "true"},
    {"quantity('1Gi').isGreaterThan(quantity('1G'))", "true"},
    {"quantity('1').compareTo(quantity('2'))", "-1"},
    {"isQuantity('lots')", "false"},
};
INSTANTIATE_TEST_SUITE_P(Comparisons, CelTest, testing::ValuesIn(kComparisons));

constexpr Case kMembers[] = {
    {"self.a", "1", R"({"a": 1})"},
    {"self.b", "!no such key: b", R"({"a": 1})"},
    {"self['a']", "1", R"({"a": 1})"},
    {"self['b']", "!no such key: b", R"({"a": 1})"},
    {"self[1]", "2", "[1, 2]"},
    {"self[2]", "!index out of bounds: 2", "[1, 2]"},
    {"self[-1]", "!index out of bounds: -1", "[1, 2]"},
    {"self[1.0]", "2", "[1, 2]"},
    {"self.a.b[0].c", "5", R"({"a": {"b": [{"c": 5}]}})"},
    {"has(self.a)", "true", R"({"a": null})"},
    {"has(self.b)", "false", R"({"a": 1})"},
    {"has(self.b.c)", "!no such key: b", R"({"a": 1})"},
    {"has(self.a.b)", "!no such overload", R"({"a": 1})"},
    {"self.__namespace__", "\"x\"", R"({"namespace": "x"})"},
    {"self.a__dash__b", "1", R"({"a-b": 1})"},
    {"size(self)", "2", R"({"a": 1, "b": 2})"},
    {"self.size()", "3", R"("äöü")"},
    {"{'a': [1, 2]}.a[1]", "2"},
    {"{'a': 1, 'a': 2}", "!Failed with repeated key"},
};
INSTANTIATE_TEST_SUITE_P(Members, CelTest, testing::ValuesIn(kMembers));

constexpr Case kMacros[] = {
    {"[1, 2, 3].all(x, x > 0)", "true"},
    {"[].all(x, false)", "true"},
    {"[].exists(x, true)", "false"},
    {"[1, 2, 2].exists_one(x, x == 2)", "false"},
    {"[1, 2].exists_one(x, x == 2)", "true"},
    {"[1, 0].exists_one(x, 1/x == 1)", "!division by zero"},
    {"[1, 2, 3].map(x, x * x)", "[1, 4, 9]"},
    {"[1, 2, 3].map(x, x > 1, x * x)", "[4, 9]"},
    {"[1, 2, 3].filter(x, x != 2)", "[1, 3]"},
    {"[1, 2].filter(x, 'a')", "!no such overload"},
    {"self.all(k, k.startsWith('a'))", "true", R"({"a1": 1, "a2": 2})"},
    {"self.map(k, self[k])", "[1, 2]", R"({"a": 1, "b": 2})"},
    {"[1, 2].all(x, [x].all(y, y == x))", "true"},
    {"[1].all(x, [2].all(x, x == 2) && x == 1)", "true"},
    {"5.all(x, true)", "!no such overload"},
};
INSTANTIATE_TEST_SUITE_P(Macros, CelTest, testing::ValuesIn(kMacros));

constexpr Case kTexts[] = {
    {R"('\n\x41\u00e4\101')", "\"\nAäA\""},
    {R"(r'\n')", R"("\n")"},
    {"'''a'b'''", "\"a'b\""},
    {"\"a'b\"", "\"a'b\""},
    {"'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b')", "true"},
    {"'a,b,c'.split(',')", R"(["a", "b", "c"])"},
    {"'a,b,c'.split(',', 2)", R"(["a", "b,c"])"},
    {"'a,'.split(',')", R"(["a", ""])"},
    {"''.split(',')", R"([""])"},
    {"'aä'.split('')", R"(["a", "ä"])"},
    {"'a,b'.split(',', 0)", "[]"},
    {"['a', 'b'].join('-')", "\"a-b\""},
    {"'aaa'.replace('a', 'b', 2)", "\"bba\""},
    {"'ab'.replace('', '-')", "\"-a-b-\""},
    {"'äbc'.substring(1)", "\"bc\""},
    {"'abc'.substring(1, 2)", "\"b\""},
    {"'abc'.substring(4)", "!index out of range"},
    {"'äbc'.indexOf('c')", "2"},
    {"'abca'.lastIndexOf('a')", "3"},
    {"'abc'.charAt(3)", "\"\""},
    {"' a '.trim()", "\"a\""},
    {"'Ab'.upperAscii() + 'Ab'.lowerAscii()", "\"ABab\""},
    {"int('12') + int('+3')", "15"},
    {"int('x')", "!strconv.ParseInt: parsing \"x\": invalid syntax"},
    {"string(5) + string(true) + string(duration('1.5s'))", "\"5true1.5s\""},
    {"double('1.5')", "1.500000"},
    {"bool('true')", "true"},
    {"int(1.9)", "1"},
    {"int(1e30)", "!integer overflow"},
};
INSTANTIATE_TEST_SUITE_P(Texts, CelTest, testing::ValuesIn(kTexts));

constexpr Case kRegexes[] = {
    {"'abc'.matches('b')", "true"},
    {"matches('abc', '^b')", "false"},
    {"'a\\n'.matches('^a$')", "false"},
    {"'a\\nb'.matches('a.b')", "false"},
    {"'ABC'.matches('(?i)abc')", "true"},
    {"'ABC'.matches('(?i:ab)C')", "true"},
    {"'ABc'.matches('(?i:ab)C')", "false"},
    {"'1d12h'.find('[0-9]+h')", "\"12h\""},
    {"'x'.find('[0-9]+')", "\"\""},
    {"'1d12h'.findAll('[0-9]+')", R"(["1", "12"])"},
    {"'abc'.findAll('')", R"(["", "", "", ""])"},
    {"'abc'.findAll('b*')", R"(["", "b", ""])"},
    {"'1d12h'.findAll('[0-9]+', 1)", R"(["1"])"},
    {"'abcd'.find('a|ab')", "\"a\""},
};
INSTANTIATE_TEST_SUITE_P(Regexes, CelTest, testing::ValuesIn(kRegexes));

constexpr Case kMistakes[] = {
    {"", "at 0: something is missing at the end"},
    {"1 +", "at 3: something is missing at the end"},
    {"(1", "at 2: a ')' was expected"},
    {"1 2", "at 2: this was not expected here"},
    {"foo", "at 0: undeclared reference to 'foo'"},
    {"[1].all(x, y)", "at 11: undeclared reference to 'y'"},
    {"[1].all(x, x) && x", "at 17: undeclared reference to 'x'"},
    {"has(self)", "at 9: has() takes the field of something: has(a.b)"},
    {"'a", "at 0: this text has no end"},
    {"'\\q'", "at 2: this escape stands for no character"},
    {"nope(1)", "at 7: there is no function nope with 1 arguments"},
    {"'a'.matches('(')", nullptr},
    {"'a'.matches('(?=a)')", nullptr},
    {"99999999999999999999", "at 0: this is not a number that fits into 64 bits"},
    {"9223372036854775808", "at 0: this number does not fit into 64 bits"},
    {"1 @ 2", "at 2: this character has no meaning here"},
    {"true ? 1", "at 8: a ':' was expected"},
};

TEST(CelMistakesTest, AreSaidWithTheirPlace) {
  for (const Case& mistake : kMistakes) {
    const auto program = Program::Compile(mistake.text, kSelf);
    ASSERT_FALSE(program) << mistake.text;
    EXPECT_EQ(program.error().code, api::Code::kInvalid);
    if (mistake.want) EXPECT_EQ(program.error().message, mistake.want);
  }
}

TEST(CelMistakesTest, NothingIsNestedWithoutEnd) {
  for (const std::string_view open :
       {"(", "[", "!", "-", "{1:", "self.a[", "true?", "1+(", "size("}) {
    std::string text;
    for (int i = 0; i < 2'000; ++i) text += open;
    EXPECT_FALSE(Program::Compile(text, kSelf)) << open;
  }
  std::string sum = "1";
  for (int i = 0; i < 2'000; ++i) sum += "+1";
  EXPECT_FALSE(Program::Compile(sum, kSelf));
}

TEST(CelProgramTest, KnowsWhatItNames) {
  const auto program = Program::Compile("self.all(x, x != oldSelf.y)", kSelf);
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->Uses(1));
  EXPECT_FALSE(Program::Compile("self.oldSelf", kSelf)->Uses(1));
}

}  // namespace
}  // namespace stillpoint::sim::cel
