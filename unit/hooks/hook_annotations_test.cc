#include "hooks/hook_annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillpoint::hooks {
namespace {

using Argv = std::vector<std::string>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kPrefixed[] = "backups.example.com/pre-hook";
constexpr char kDotted[] = "backups.example.com.pre-hook";
constexpr char kAlias[] = "ros.io/before-backup";

TEST(FindHookTest, ReadsEverySpelling) {
  for (const char* key : {kPrefixed, kDotted, kAlias}) {
    const auto hook = FindPreHook({{key, "x"}, {"other", "y"}});
    ASSERT_TRUE(hook.has_value()) << key;
    EXPECT_EQ(hook->key, key);
    EXPECT_EQ(hook->value, "x");
    EXPECT_THAT(hook->conflicting, IsEmpty());
  }
  for (const char* key :
       {"backups.example.com/post-hook", "backups.example.com.post-hook", "ros.io/after-backup"}) {
    ASSERT_TRUE(FindPostHook({{key, "x"}}).has_value()) << key;
    EXPECT_FALSE(FindPreHook({{key, "x"}}).has_value()) << key;
  }
}

TEST(FindHookTest, IgnoresTheCommandWhoseOutputIsTheBackup) {
  EXPECT_EQ(FindPreHook({{"ros.io/backup-command", "dump"}}), std::nullopt);
  EXPECT_EQ(FindPostHook({{"ros.io/backup-command", "dump"}}), std::nullopt);
}

TEST(FindHookTest, PrefersPrefixedThenDottedThenAlias) {
  const auto all = FindPreHook({{kPrefixed, "a"}, {kDotted, "b"}, {kAlias, "c"}});
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->key, kPrefixed);
  EXPECT_THAT(all->conflicting, ElementsAre(kDotted, kAlias));
  EXPECT_EQ(FindPreHook({{kDotted, "b"}, {kAlias, "c"}})->key, kDotted);
}

TEST(FindHookTest, SeesNoConflictInTheSameValueTwice) {
  EXPECT_THAT(FindPreHook({{kPrefixed, "a"}, {kDotted, "a"}})->conflicting, IsEmpty());
}

TEST(FindHookTest, KeepsAnEmptyValueAsTheWish) {
  const auto hook = FindPreHook({{kPrefixed, ""}, {kDotted, "b"}});
  EXPECT_EQ(hook->value, "");
  EXPECT_THAT(hook->conflicting, ElementsAre(kDotted));
}

TEST(ParseHookCommandTest, WrapsATextForTheShell) {
  EXPECT_EQ(ParseHookCommand(kPrefixed, "sync; touch '/x y'\n").value(),
            (Argv{"/bin/sh", "-c", "sync; touch '/x y'\n"}));
}

TEST(ParseHookCommandTest, TakesBlankForNoHook) {
  EXPECT_THAT(ParseHookCommand(kPrefixed, "").value(), IsEmpty());
  EXPECT_THAT(ParseHookCommand(kDotted, " \n\t").value(), IsEmpty());
}

TEST(ParseHookCommandTest, ReadsAJsonArgv) {
  EXPECT_EQ(ParseHookCommand(kPrefixed, R"(["fsfreeze", "-f", "/d \"x\" ü"])").value(),
            (Argv{"fsfreeze", "-f", "/d \"x\" ü"}));
  EXPECT_EQ(ParseHookCommand(kDotted, R"(["sync"])").value(), (Argv{"sync"}));
}

TEST(ParseHookCommandTest, RefusesWhatIsNoListOfStrings) {
  for (const char* value :
       {R"(["secret")", R"(["secret", 1])", R"([["secret"]])", "[]", R"([""])", R"(["a\u0000"])",
        R"(["secret"] trailing)", "[ -f /secret ] && touch /x"}) {
    for (const char* key : {kPrefixed, kAlias}) {
      const auto argv = ParseHookCommand(key, value);
      ASSERT_FALSE(argv.has_value()) << value;
      EXPECT_EQ(argv.error().code, api::Code::kInvalid);
      EXPECT_THAT(argv.error().message, testing::StartsWith(key));
      EXPECT_THAT(argv.error().message, Not(HasSubstr("secret")));
    }
  }
}

TEST(ParseHookCommandTest, KeepsAShellTestOfALegacyKeyWorking) {
  EXPECT_EQ(ParseHookCommand(kDotted, "[ -f /x ] && touch /y").value(),
            (Argv{"/bin/sh", "-c", "[ -f /x ] && touch /y"}));
}

}  // namespace
}  // namespace stillpoint::hooks
