#include "api/yaml_writer.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace stillpoint::api {
namespace {

std::string Yaml(std::string_view json) {
  return ToYaml(boost::json::parse({json.data(), json.size()}));
}

TEST(YamlWriterTest, WritesListsAsFarLeftAsTheirKey) {
  EXPECT_EQ(Yaml(R"({"a":{"b":[1,{"c":"d","e":[true]}],"f":{}},"g":[]})"),
            "a:\n"
            "  b:\n"
            "  - 1\n"
            "  - c: d\n"
            "    e:\n"
            "    - true\n"
            "  f: {}\n"
            "g: []\n");
}

TEST(YamlWriterTest, QuotesWhatAReaderWouldTakeForSomethingElse) {
  EXPECT_EQ(
      Yaml(
          R"({"a":"yes","b":"30s","c":"it's","d":"","e":"a: b","f":"v1","g":".a.b","h":".5","No":"x"})"),
      "a: 'yes'\n"
      "b: '30s'\n"
      "c: 'it''s'\n"
      "d: ''\n"
      "e: 'a: b'\n"
      "f: v1\n"
      "g: .a.b\n"
      "h: '.5'\n"
      "'No': x\n");
}

TEST(YamlWriterTest, FoldsALongTextBetweenWords) {
  const std::string word(40, 'w');
  EXPECT_EQ(Yaml(R"({"a":")" + word + " " + word + " " + word + R"("})"),
            "a: >-\n  " + word + " " + word + "\n  " + word + "\n");
}

TEST(YamlWriterTest, DoesNotFoldWhatFoldingWouldChange) {
  const std::string text = std::string(100, 'w') + "  two spaces";
  EXPECT_EQ(Yaml(R"({"a":")" + text + R"("})"), "a: '" + text + "'\n");
}

}  // namespace
}  // namespace stillpoint::api
