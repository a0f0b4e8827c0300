#include "api/codec.h"

#include "api/coordination.h"
#include "api/core.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"

#include <gtest/gtest.h>
#include <boost/describe/class.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace stillpoint::api {

struct Sample {
  std::string text;
  std::optional<std::string> maybe_text;
  bool flag = true;
  std::int32_t small = 0;
  std::int64_t big = 7;
  Duration length{};
  std::optional<Time> at;
  OnError on_error = OnError::kContinue;
  std::vector<std::string> words;
  std::map<std::string, std::string> labels;
  std::optional<LabelSelector> selector;
  LabelSelector always;
  Quantity size;
  boost::json::value anything;
  boost::json::object object;
  bool operator==(const Sample&) const = default;
};
BOOST_DESCRIBE_STRUCT(Sample, (),
                      (text, maybe_text, flag, small, big, length, at, on_error, words, labels,
                       selector, always, size, anything, object))

namespace {

using namespace std::chrono_literals;

TEST(EncodeTest, LeavesOutWhatIsAbsent) {
  EXPECT_EQ(EncodeText(Sample{}),
            R"({"flag":true,"small":0,"big":7,"length":"0s","onError":"Continue"})");
}

TEST(EncodeTest, WritesTheValueOfAnOptionalEvenWhenEmpty) {
  Sample sample;
  sample.maybe_text = "";
  sample.selector.emplace();
  EXPECT_EQ(EncodeText(sample),
            R"({"maybeText":"","flag":true,"small":0,"big":7,"length":"0s","onError":"Continue",)"
            R"("selector":{}})");
}

TEST(EncodeTest, WritesEveryShape) {
  const Sample sample{.text = "a",
                      .flag = false,
                      .small = -1,
                      .big = 1,
                      .length = 90s,
                      .at = Time{},
                      .words = {"", "b"},
                      .labels = {{"a/b", ""}},
                      .always = {.match_labels = {{"k", "v"}}},
                      .size = Quantity::Parse("1.5Gi").value(),
                      .anything = {1, "two"},
                      .object = {{"x", nullptr}}};
  EXPECT_EQ(EncodeText(sample),
            R"({"text":"a","flag":false,"small":-1,"big":1,"length":"1m30s",)"
            R"("at":"1970-01-01T00:00:00Z","onError":"Continue","words":["","b"],)"
            R"("labels":{"a/b":""},"always":{"matchLabels":{"k":"v"}},"size":"1.5Gi",)"
            R"("anything":[1,"two"],"object":{"x":null}})");
  EXPECT_EQ(DecodeText<Sample>(EncodeText(sample)).value(), sample);
}

TEST(EncodeTest, GivesAnObjectItsKind) {
  Namespace shop;
  shop.metadata.name = "shop";
  EXPECT_EQ(EncodeText(shop),
            R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  Lease lease;
  lease.metadata.ns = "shop";
  lease.spec.renew_time = MicroTime{};
  EXPECT_EQ(
      EncodeText(lease),
      R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"namespace":"shop"},)"
      R"("spec":{"renewTime":"1970-01-01T00:00:00.000000Z"}})");
}

TEST(DecodeTest, KeepsTheDefaultOfWhatIsAbsentOrNull) {
  EXPECT_EQ(DecodeText<Sample>("{}").value(), Sample{});
  EXPECT_EQ(DecodeText<Sample>(R"({"big":null,"flag":null,"words":null,"selector":null})").value(),
            Sample{});
  EXPECT_EQ(DecodeText<VolumeBackup>("{}")->spec.max_freeze, 30s);
}

TEST(DecodeTest, IgnoresUnknownMembers) {
  EXPECT_EQ(DecodeText<Sample>(R"({"later":{"deep":[1,2]},"big":8})")->big, 8);
}

TEST(DecodeTest, KeepsAbsentApartFromEmpty) {
  EXPECT_EQ(DecodeText<Sample>("{}")->maybe_text, std::nullopt);
  EXPECT_EQ(DecodeText<Sample>(R"({"maybeText":""})")->maybe_text, "");
  EXPECT_EQ(DecodeText<Sample>(R"({"selector":{}})")->selector, LabelSelector{});
}

TEST(DecodeTest, TakesASizeAsANumberToo) {
  EXPECT_EQ(DecodeText<Sample>(R"({"size":1024})")->size, Quantity::FromBytes(1024));
}

struct Bad {
  std::string_view text;
  std::string_view message;
};

class BadSampleTest : public testing::TestWithParam<Bad> {};

TEST_P(BadSampleTest, IsRefusedWithItsPath) {
  const auto sample = DecodeText<Sample>(GetParam().text);
  ASSERT_FALSE(sample.has_value());
  EXPECT_EQ(sample.error().code, Code::kInvalid);
  EXPECT_EQ(sample.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadSampleTest,
    testing::Values(
        Bad{"[]", "the object: a list is not an object"},
        Bad{"3", "the object: 3 is not an object"}, Bad{"{", "not JSON: incomplete JSON"},
        Bad{R"({"text":1})", "text: 1 is not text"},
        Bad{R"({"maybeText":{}})", "maybeText: an object is not text"},
        Bad{R"({"flag":"true"})", R"(flag: "true" is not true or false)"},
        Bad{R"({"small":2147483648})",
            "small: 2147483648 is not between -2147483648 and 2147483647"},
        Bad{R"({"big":1.5})", "big: 1.5E0 is not a whole number"},
        Bad{R"({"big":18446744073709551615})",
            "big: 18446744073709551615 is not between -9223372036854775808 and "
            "9223372036854775807"},
        Bad{R"({"big":1e99})", "big: 1E99 is not a whole number"},
        Bad{R"({"length":30})", "length: 30 is not a duration, for example 90s or 1d6h30m"},
        Bad{R"({"length":"5 parsecs"})",
            R"(length: "5 parsecs" is not a duration, for example 90s or 1d6h30m)"},
        Bad{R"({"at":"yesterday"})",
            R"(at: "yesterday" is not a time, for example 2026-11-21T02:00:04Z)"},
        Bad{R"({"at":[]})", "at: a list is not a time, for example 2026-11-21T02:00:04Z"},
        Bad{R"({"onError":"fail"})", R"(onError: "fail" is not one of Fail, Continue)"},
        Bad{R"({"onError":0})", "onError: 0 is not one of Fail, Continue"},
        Bad{R"({"words":"a"})", R"(words: "a" is not a list)"},
        Bad{R"({"words":["a",null]})", "words[1]: null is not text"},
        Bad{R"({"labels":{"a/b":1}})", R"(labels["a/b"]: 1 is not text)"},
        Bad{R"({"labels":[]})", "labels: a list is not an object"},
        Bad{R"({"size":"lots"})", R"(size: "lots" is not a size, for example 10Gi or 500M)"},
        Bad{R"({"size":true})", "size: true is not a size, for example 10Gi or 500M"},
        Bad{R"({"object":[]})", "object: a list is not an object"},
        Bad{R"({"selector":{"matchExpressions":[{},{"key":[]}]}})",
            "selector.matchExpressions[1].key: a list is not text"}));

TEST(DecodeTest, NamesTheWholePath) {
  EXPECT_EQ(DecodeText<VolumeBackup>(R"({"spec":{"hooks":[{},{"timeout":"5 parsecs"}]}})")
                .error()
                .message,
            R"(spec.hooks[1].timeout: "5 parsecs" is not a duration, for example 90s or 1d6h30m)");
}

TEST(DecodeTest, RefusesAnotherKind) {
  EXPECT_EQ(DecodeText<VolumeBackup>(R"({"kind":"Status","status":"Failure"})").error().message,
            R"(kind: "Status" is not VolumeBackup)");
  EXPECT_TRUE(DecodeText<VolumeBackup>(R"({"kind":"VolumeBackup"})").has_value());
  EXPECT_TRUE(DecodeText<VolumeBackup>(R"({"kind":null})").has_value());
}

TEST(DecodeTest, RefusesWhatIsNestedTooDeep) {
  const auto nested = [](std::size_t levels) {
    return R"({"later":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  EXPECT_TRUE(DecodeText<Sample>(nested(60)).has_value());
  EXPECT_FALSE(DecodeText<Sample>(nested(100'000)).has_value());
  EXPECT_FALSE(DecodeText<Sample>(R"({"a":)" + std::string(1'000'000, '[')).has_value());
}

TEST(DecodeTest, TakesAStatusWithEveryMember) {
  VolumeRestore restore;
  restore.metadata = {.name = "back", .ns = "shop", .uid = "u", .generation = 2};
  restore.spec.source = RestoreSource{.application_ref = "mysql", .latest = true};
  restore.status.claims.push_back({.old = "data", .new_ = "data-2", .new_uid = "u2"});
  const auto json = Encode(restore);
  EXPECT_EQ(json.at("status").at("claims").at(0).at("newUID").as_string(), "u2");
  EXPECT_EQ(json.at("metadata").at("generation").as_int64(), 2);
  EXPECT_EQ(Decode<VolumeRestore>(json).value(), restore);
}

}  // namespace
}  // namespace stillpoint::api
