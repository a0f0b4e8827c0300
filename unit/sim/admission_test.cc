// The model's admission against what real API servers said: the file pairs of e2e/bad and e2e/good,
// and recorded answers of Kubernetes 1.36 (recorded/admission.jsonl).
#include "sim/admission/schema_admission.h"

#include "api/codec.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "unit/sim/yaml_to_json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::sim {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::HasSubstr;
using testing::StartsWith;

const SchemaAdmission& Admission() {
  static const SchemaAdmission admission = SchemaAdmission::FromCrds();
  return admission;
}

const api::Resource& ResourceOf(const json::object& object) {
  return object.at("kind") == "VolumeBackup" ? api::VolumeBackup::kResource
                                             : api::VolumeRestore::kResource;
}

std::string Read(const fs::path& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// What `admission` answers; empty: it is stored.
std::string Answer(const SchemaAdmission& admission, const json::object* before,
                   const std::string& subresource, json::object& object,
                   FieldValidation validation = FieldValidation::kIgnore) {
  const auto done = admission.Admit(ResourceOf(object), before, subresource, object, validation);
  return done ? "" : done.error().message;
}

// ---- file pairs -------------------------------------------------------------------------------

json::object ReadManifest(const fs::path& path) {
  json::object object = YamlToJson(Read(path)).as_object();
  object["metadata"].as_object()["namespace"] = "shop";
  return object;
}

// What kubectl apply of `path` does: an update of what `path`.old left, if there is one.
std::string Apply(const fs::path& path) {
  json::object object = ReadManifest(path);
  const fs::path old_path = path.string() + ".old";
  if (!fs::exists(old_path))
    return Answer(Admission(), nullptr, "", object, FieldValidation::kStrict);
  json::object before = ReadManifest(old_path);
  EXPECT_EQ(Answer(Admission(), nullptr, "", before, FieldValidation::kStrict), "");
  before["metadata"].as_object()["resourceVersion"] = "7";
  object["metadata"].as_object()["resourceVersion"] = "7";
  return Answer(Admission(), &before, "", object, FieldValidation::kStrict);
}

std::vector<fs::path> Manifests(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(STILLPOINT_SOURCE_DIR "/e2e/" + folder)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

TEST(AdmissionFilesTest, BadOnesAreRefusedInTheWordsOfTheServer) {
  const auto paths = Manifests("bad");
  ASSERT_GE(paths.size(), 50U);
  for (const auto& path : paths) {
    EXPECT_THAT(Apply(path), HasSubstr(Read(path.string() + ".err"))) << path;
  }
}

TEST(AdmissionFilesTest, GoodOnesAreTaken) {
  const auto paths = Manifests("good");
  ASSERT_GE(paths.size(), 9U);
  for (const auto& path : paths) EXPECT_EQ(Apply(path), "") << path;
}

// ---- recorded answers -------------------------------------------------------------------------

// The CRDs of the day stand beside the record, so that it stays true when ours change.
const std::string kRecorded = STILLPOINT_SOURCE_DIR "/unit/sim/recorded/admission";

// One line of the record: an object on its way in, and what became of it.
struct Recorded {
  std::string name;
  json::object object;
  std::optional<json::object> before;
  std::string subresource;
  std::string prefix;               // `VolumeBackup.backups.example.com "b" is invalid: `
  std::vector<std::string> errors;  // in any order
  json::object stored;              // without errors
};

std::string TextOf(const json::object& object, std::string_view key) {
  return std::string(std::string_view(object.at(key).as_string()));
}

Recorded ReadRecorded(const json::object& line) {
  Recorded out{.name = TextOf(line, "name"),
               .object = line.at("object").as_object(),
               .before = std::nullopt,
               .subresource = TextOf(line, "subresource"),
               .prefix = TextOf(line, "prefix"),
               .errors = {},
               .stored = {}};
  if (const auto* before = line.at("before").if_object()) out.before = *before;
  for (const auto& error : line.at("errors").as_array()) {
    out.errors.emplace_back(std::string_view(error.as_string()));
  }
  if (const auto* stored = line.at("stored").if_object()) out.stored = *stored;
  return out;
}

std::vector<Recorded> ReadRecord() {
  std::vector<Recorded> out;
  std::ifstream file(kRecorded + ".jsonl");
  for (std::string line; std::getline(file, line);) {
    out.push_back(ReadRecorded(json::parse(line).as_object()));
  }
  return out;
}

// The server names several errors in a random order: each must be there, and nothing else.
void ExpectErrors(const std::string& message, const Recorded& recorded) {
  std::size_t size = recorded.prefix.size() + 2 * (recorded.errors.size() - 1);
  if (recorded.errors.size() > 1) size += 2;  // brackets
  EXPECT_THAT(message, StartsWith(recorded.prefix)) << recorded.name;
  for (const auto& error : recorded.errors) {
    EXPECT_THAT(message, HasSubstr(error)) << recorded.name;
    size += error.size();
  }
  EXPECT_EQ(message.size(), size) << recorded.name << ": " << message;
}

TEST(AdmissionRecordTest, AnswersAsRecorded) {
  const SchemaAdmission admission(json::parse(Read(kRecorded + "_crds.json")).as_array());
  const auto record = ReadRecord();
  ASSERT_GE(record.size(), 150U);
  for (const Recorded& recorded : record) {
    json::object object = recorded.object;
    const std::string message = Answer(admission, recorded.before ? &*recorded.before : nullptr,
                                       recorded.subresource, object);
    if (!recorded.errors.empty()) {
      ExpectErrors(message, recorded);
    } else {
      EXPECT_EQ(message, "") << recorded.name;
      EXPECT_EQ(object, recorded.stored) << recorded.name << ": " << json::serialize(object);
    }
  }
}

// ---- by hand ----------------------------------------------------------------------------------

json::object Backup() {
  return json::parse(R"({"apiVersion": "backups.example.com/v1alpha1", "kind": "VolumeBackup",
    "metadata": {"name": "b", "namespace": "shop"}, "spec": {"applicationRef": "mysql"}})")
      .as_object();
}

TEST(AdmissionTest, FillsInTheDefaultsOfTheStructs) {
  json::object object = Backup();
  EXPECT_EQ(Answer(Admission(), nullptr, "", object), "");
  EXPECT_EQ(object.at("spec").at("maxFreeze"), "30s");
  EXPECT_EQ(object.at("spec").at("cancel"), false);
}

TEST(AdmissionTest, DropsWhatIsUnknownOrRefusesIt) {
  json::object object = Backup();
  object["spec"].as_object()["retries"] = 3;
  object["extra"] = 1;
  json::object strict = object;
  EXPECT_EQ(Answer(Admission(), nullptr, "", object), "");
  EXPECT_FALSE(object.contains("extra"));
  EXPECT_FALSE(object.at("spec").as_object().contains("retries"));
  EXPECT_EQ(Answer(Admission(), nullptr, "", strict, FieldValidation::kStrict),
            "VolumeBackup in version \"v1alpha1\" cannot be handled as a VolumeBackup: strict "
            "decoding error: unknown field \"extra\", unknown field \"spec.retries\"");
}

TEST(AdmissionTest, KnowsOnlyItsKinds) {
  constexpr api::Resource kPod{"", "v1", "Pod", "pods"};
  EXPECT_FALSE(Admission().Handles(kPod));
  EXPECT_TRUE(Admission().Handles(api::VolumeRestore::kResource));
  json::object pod{{"anything", 1}};
  EXPECT_TRUE(Admission().Admit(kPod, nullptr, "", pod));
  EXPECT_TRUE(pod.contains("anything"));
}

TEST(AdmissionTest, AWrongKindOrVersionIsSaid) {
  json::object object = Backup();
  object["apiVersion"] = "backups.example.com/v1";
  EXPECT_EQ(Answer(Admission(), nullptr, "", object),
            "VolumeBackup.backups.example.com \"b\" is invalid: apiVersion: Invalid value: "
            "\"backups.example.com/v1\": must be backups.example.com/v1alpha1");
}

// ---- schemas that ours are not ----------------------------------------------------------------

// A CRD of the kind Thing whose spec has this schema.
SchemaAdmission ThingAdmission(std::string_view spec_schema) {
  const std::string crd = fmt::format(
      R"([{{"spec": {{"group": "example.com", "names": {{"plural": "things"}}, "versions": [{{
        "schema": {{"openAPIV3Schema": {{"type": "object", "properties": {{"spec": {}}}}}}}}}]}}}}])",
      spec_schema);
  return SchemaAdmission(json::parse(crd).as_array());
}

constexpr api::Resource kThing{"example.com", "v1", "Thing", "things"};

// The errors in a spec, without what stands before them; `before` may be empty.
std::string ErrorsIn(std::string_view schema, std::string_view spec, std::string_view before = "") {
  const auto thing = [](std::string_view text) {
    return json::object{{"metadata", {{"name", "t"}, {"namespace", "n"}, {"resourceVersion", "1"}}},
                        {"spec", json::parse(text)}};
  };
  json::object object = thing(spec);
  const json::object old = thing(before.empty() ? "null" : before);
  const auto done =
      ThingAdmission(schema).Admit(kThing, before.empty() ? nullptr : &old, "", object);
  constexpr std::string_view kPrefix = "Thing.example.com \"t\" is invalid: ";
  return done ? json::serialize(object["spec"]) : done.error().message.substr(kPrefix.size());
}

TEST(AdmissionSchemaTest, ChecksLimits) {
  constexpr auto kSchema = R"({"type": "object", "properties": {
    "text": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"},
    "number": {"type": "number", "minimum": 1, "maximum": 2, "exclusiveMaximum": true},
    "small": {"type": "integer", "format": "int32"},
    "list": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "integer"}},
    "map": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "boolean"}},
    "port": {"x-kubernetes-int-or-string": true}}})";
  EXPECT_EQ(ErrorsIn(kSchema, R"({"text": "a"})"),
            "spec.text: Invalid value: \"a\": spec.text in body should be at least 2 chars long");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"text": "AB"})"),
            "spec.text: Invalid value: \"AB\": spec.text in body should match '^[a-z]+$'");
  EXPECT_THAT(
      ErrorsIn(kSchema, R"({"text": "abcd"})"),
      StartsWith("[spec.text: Too long: may not be more than 3 bytes, <nil>: Invalid value: "
                 "null: some validation rules were not checked"));
  EXPECT_EQ(ErrorsIn(kSchema, R"({"number": 2})"),
            "spec.number: Invalid value: 2: spec.number in body should be less than 2");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"number": 0.5})"),
            "spec.number: Invalid value: 0.5: spec.number in body should be greater than or equal "
            "to 1");
  EXPECT_EQ(
      ErrorsIn(kSchema, R"({"small": 2147483648})"),
      "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in "
      "spec.small");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"list": []})"),
            "spec.list: Invalid value: 0: spec.list in body should have at least 1 items");
  EXPECT_THAT(ErrorsIn(kSchema, R"({"list": [1, 2]})"),
              StartsWith("[spec.list: Too many: 2: must have at most 1 item, "));
  EXPECT_EQ(ErrorsIn(kSchema, R"({"map": {}})"),
            "spec.map: Invalid value: 0: spec.map in body should have at least 1 properties");
  EXPECT_THAT(ErrorsIn(kSchema, R"({"map": {"a": 1}})"),
              StartsWith("[spec.map.a: Invalid value: \"integer\": spec.map.a in body must be of "
                         "type boolean: \"integer\", "));
  EXPECT_THAT(
      ErrorsIn(kSchema, R"({"port": true})"),
      StartsWith("[spec.port: Invalid value: \"boolean\": spec.port in body must be of type "
                 "integer,string: \"boolean\", "));
  EXPECT_EQ(ErrorsIn(kSchema, R"({"port": "http"})"), R"({"port":"http"})");
}

TEST(AdmissionSchemaTest, DefaultsAndNulls) {
  constexpr auto kSchema = R"({"type": "object", "default": {}, "properties": {
    "inner": {"type": "object", "default": {}, "properties": {
      "word": {"type": "string", "default": "x"}}},
    "none": {"type": "string", "nullable": true},
    "items": {"type": "array", "items": {"type": "object", "properties": {
      "on": {"type": "boolean", "default": true}}}},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}})";
  EXPECT_EQ(ErrorsIn(kSchema, "null"), R"({"inner":{"word":"x"}})");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"inner": {"word": null}, "none": null})"),
            R"({"inner":{"word":"x"},"none":null})");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"inner": {}, "items": [{}, {"on": false, "off": 1}]})"),
            R"({"inner":{"word":"x"},"items":[{"on":true},{"on":false}]})");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"inner": {}, "free": {"a": {"b": 1}}})"),
            R"({"inner":{"word":"x"},"free":{"a":{"b":1}}})");
}

TEST(AdmissionSchemaTest, RulesHaveTheirOwnWordsPathAndReason) {
  constexpr auto kSchema = R"json({"type": "object", "properties": {"a": {"type": "integer"},
      "b": {"type": "integer"}}, "x-kubernetes-validations": [
    {"rule": "self.a < 5", "message": "large", "messageExpression": "'a is ' + string(self.a)",
     "fieldPath": ".a"},
    {"rule": "self.b < 5", "message": "no b", "reason": "FieldValueForbidden"},
    {"rule": "self.b != 3"},
    {"rule": "self.c == 1", "message": "c"}]})json";
  EXPECT_EQ(ErrorsIn(kSchema, R"({"a": 6, "b": 6})"),
            "[spec.a: Invalid value: a is 6, spec: Forbidden: no b, spec: Invalid value: "
            "\"object\": no such key: c evaluating rule: c]");
  EXPECT_THAT(ErrorsIn(kSchema, R"({"a": 1, "b": 3})"),
              HasSubstr("spec: Invalid value: failed rule: self.b != 3"));
}

TEST(AdmissionSchemaTest, TransitionRulesSeeWhatWasThere) {
  constexpr auto kSchema = R"({"type": "object", "properties": {
    "n": {"type": "integer", "x-kubernetes-validations": [
      {"rule": "self >= oldSelf", "message": "shrinks"}]},
    "once": {"type": "integer", "x-kubernetes-validations": [
      {"rule": "!oldSelf.hasValue() || oldSelf.value() == self", "message": "is fixed",
       "optionalOldSelf": true}]}}})";
  EXPECT_EQ(ErrorsIn(kSchema, R"({"n": 1})"), R"({"n":1})");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"n": 1})", R"({"n": 2})"), "spec.n: Invalid value: 1: shrinks");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"n": 1})", R"({"once": 2})"), R"({"n":1})");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"once": 1})", R"({"n": 2})"), R"({"once":1})");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"once": 1})", R"({"once": 2})"),
            "spec.once: Invalid value: 1: is fixed");
}

TEST(AdmissionSchemaTest, WhatDidNotChangeIsForgiven) {
  constexpr auto kSchema = R"({"type": "object", "properties": {
    "a": {"type": "string", "maxLength": 1},
    "b": {"type": "integer", "x-kubernetes-validations": [
      {"rule": "self < 5", "message": "is large"}, {"rule": "self != oldSelf", "message": "stays"}]},
    "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}}})";
  EXPECT_EQ(ErrorsIn(kSchema, R"({"a": "long", "set": ["x", "x", "y"]})",
                     R"({"a": "long", "set": ["x", "x"]})"),
            R"({"a":"long","set":["x","x","y"]})");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"b": 9})", R"({"b": 9})"), "spec.b: Invalid value: 9: stays");
  EXPECT_EQ(ErrorsIn(kSchema, R"({"b": 9})", R"({"b": 8})"), "spec.b: Invalid value: 9: is large");
}

TEST(AdmissionSchemaTest, WhatCannotBeEnforcedIsNoSchema) {
  EXPECT_THROW(ThingAdmission(R"({"type": "object", "allOf": []})"), std::logic_error);
  EXPECT_THROW(ThingAdmission(R"({"type": "string", "format": "ipv4"})"), std::logic_error);
  EXPECT_THROW(
      ThingAdmission(R"({"type": "string", "x-kubernetes-validations": [{"rule": "self +"}]})"),
      std::logic_error);
}

}  // namespace
}  // namespace stillpoint::sim
