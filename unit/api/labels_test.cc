#include "api/labels.h"

#include <gtest/gtest.h>

namespace stillpoint::api {
namespace {

LabelSelector Needs(std::string key, std::string op, std::vector<std::string> values = {}) {
  return {.match_expressions = {{std::move(key), std::move(op), std::move(values)}}};
}

struct Match {
  const char* name;
  LabelSelector selector;
  bool want;
  std::string_view text;
};

void PrintTo(const Match& match, std::ostream* out) {
  *out << match.name;
}

class MatchTest : public testing::TestWithParam<Match> {};

TEST_P(MatchTest, Decides) {
  const Labels labels{{"app", "db"}, {"tier", "a"}, {"empty", ""}};
  EXPECT_EQ(Matches(GetParam().selector, labels), GetParam().want);
}

TEST_P(MatchTest, IsWrittenForAList) {
  EXPECT_EQ(FormatSelector(GetParam().selector), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MatchTest,
    testing::Values(Match{"empty", {}, true, ""},
                    Match{"label", {.match_labels = {{"app", "db"}}}, true, "app=db"},
                    Match{"other value", {.match_labels = {{"app", "web"}}}, false, "app=web"},
                    Match{"no label", {.match_labels = {{"zone", ""}}}, false, "zone="},
                    Match{"empty value", {.match_labels = {{"empty", ""}}}, true, "empty="},
                    Match{"in", Needs("app", "In", {"web", "db"}), true, "app in (web,db)"},
                    Match{"in without", Needs("zone", "In", {""}), false, "zone in ()"},
                    Match{"not in", Needs("app", "NotIn", {"web"}), true, "app notin (web)"},
                    Match{"not in but is", Needs("app", "NotIn", {"db"}), false, "app notin (db)"},
                    Match{"not in without", Needs("zone", "NotIn", {"x"}), true, "zone notin (x)"},
                    Match{"exists", Needs("empty", "Exists"), true, "empty"},
                    Match{"exists without", Needs("zone", "Exists"), false, "zone"},
                    Match{"does not exist", Needs("zone", "DoesNotExist"), true, "!zone"},
                    Match{"does not exist but does", Needs("app", "DoesNotExist"), false, "!app"},
                    Match{"all must hold",
                          {.match_labels = {{"app", "db"}, {"tier", "a"}},
                           .match_expressions = {{"zone", "Exists", {}}}},
                          false,
                          "app=db,tier=a,zone"}));

TEST(MatchTest, AnUnknownOperatorMatchesNothing) {
  EXPECT_FALSE(Matches(Needs("app", "Equals", {"db"}), {{"app", "db"}}));
}

struct Bad {
  LabelSelector selector;
  std::string_view message;
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.message;
}

class BadSelectorTest : public testing::TestWithParam<Bad> {};

TEST_P(BadSelectorTest, IsRefused) {
  const auto ok = CheckSelector(GetParam().selector);
  ASSERT_FALSE(ok.has_value());
  EXPECT_EQ(ok.error().code, Code::kInvalid);
  EXPECT_EQ(ok.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadSelectorTest,
    testing::Values(
        Bad{{.match_labels = {{"a b", "x"}}},
            R"(matchLabels: "a b" is not a label key, for example app.kubernetes.io/name)"},
        Bad{{.match_labels = {{"a", "x,y"}}},
            R"(matchLabels["a"]: "x,y" is not a label value: at most 63 letters, digits, -, _, .)"},
        Bad{Needs("", "Exists"),
            R"(matchExpressions[0].key: "" is not a label key, for example app.kubernetes.io/name)"},
        Bad{Needs("a", "Equals"),
            R"(matchExpressions[0].operator: "Equals" is not one of In, NotIn, Exists, )"
            "DoesNotExist"},
        Bad{Needs("a", "In"), "matchExpressions[0].values: In needs at least one value"},
        Bad{Needs("a", "Exists", {"x"}), "matchExpressions[0].values: Exists takes no values"},
        Bad{Needs("a", "NotIn", {"x", "("}),
            R"(matchExpressions[0].values[1]: "(" is not a label value: at most 63 letters, )"
            "digits, -, _, ."}));

TEST(CheckSelectorTest, TakesWhatTheServerTakes) {
  EXPECT_TRUE(CheckSelector({}).has_value());
  EXPECT_TRUE(CheckSelector({.match_labels = {{"app.kubernetes.io/name", ""}, {"A_b.c-d", "E"}},
                             .match_expressions = {{"x", "NotIn", {"", "y"}}}})
                  .has_value());
}

TEST(NamesTest, LabelKeys) {
  for (const auto good : {"a", "A", "app.kubernetes.io/name", "x_y.z-1"}) {
    EXPECT_TRUE(IsLabelKey(good)) << good;
  }
  for (const auto bad : {"", "/", "/a", "a/", "a/b/c", "-a", "a-", "A.b/c", "a b", "ü"}) {
    EXPECT_FALSE(IsLabelKey(bad)) << bad;
  }
  EXPECT_TRUE(IsLabelKey(std::string(63, 'a')));
  EXPECT_FALSE(IsLabelKey(std::string(64, 'a')));
}

TEST(NamesTest, Dns1123) {
  for (const auto good : {"a", "0", "a-b", "mysql-0"}) EXPECT_TRUE(IsDns1123Label(good)) << good;
  for (const auto bad : {"", "-a", "a-", "A", "a.b", "a_b"})
    EXPECT_FALSE(IsDns1123Label(bad)) << bad;
  EXPECT_FALSE(IsDns1123Label(std::string(64, 'a')));
  for (const auto good : {"a", "a.b", "a-b.c-d"}) EXPECT_TRUE(IsDns1123Subdomain(good)) << good;
  for (const auto bad : {"", ".", "a.", ".a", "a..b", "a.-b", "A"}) {
    EXPECT_FALSE(IsDns1123Subdomain(bad)) << bad;
  }
  EXPECT_TRUE(IsDns1123Subdomain(std::string(253, 'a')));
  EXPECT_FALSE(IsDns1123Subdomain(std::string(254, 'a')));
}

}  // namespace
}  // namespace stillpoint::api
