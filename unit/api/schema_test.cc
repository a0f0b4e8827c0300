#include "api/schema.h"

#include "api/codec.h"
#include "api/schema_rules.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"

#include <gmock/gmock.h>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>

namespace stillpoint::api {
namespace {

namespace json = boost::json;

Schemas AllSchemas() {
  Schemas all = VolumeBackupSchemas();
  for (auto& schema : VolumeRestoreSchemas()) all.push_back(std::move(schema));
  for (auto& schema : CommonSchemas()) all.push_back(std::move(schema));
  return all;
}

bool IsMetadata(const Member& member) {
  return &member.type() == &TypeOf<ObjectMeta>();
}

// The struct in a list, map or optional; null when there is none.
const Type* StructIn(const Type* type) {
  while (type->element != nullptr) type = &type->element();
  return type->shape == Shape::kStruct ? type : nullptr;
}

// Every struct below `type`, without metadata.
void Collect(const Type& type, std::set<const Type*>& found) {
  if (!found.insert(&type).second) return;
  for (const Member& member : type.members) {
    const Type* const inner = StructIn(&member.type());
    if (inner != nullptr && !IsMetadata(member)) Collect(*inner, found);
  }
}

TEST(SchemaTest, EveryStructHasASchemaAndEverySchemaAStruct) {
  std::set<const Type*> structs;
  Collect(TypeOf<VolumeBackup>(), structs);
  Collect(TypeOf<VolumeRestore>(), structs);
  std::set<const Type*> described;
  for (const StructSchema& schema : AllSchemas()) {
    EXPECT_TRUE(described.insert(schema.type).second) << schema.doc << " stands twice";
    EXPECT_FALSE(schema.doc.empty());
  }
  EXPECT_EQ(structs, described);
}

TEST(SchemaTest, EveryMemberHasADoc) {
  for (const StructSchema& schema : AllSchemas()) {
    for (const Member& member : schema.type->members) {
      if (IsMetadata(member)) continue;
      const auto found = std::ranges::find(schema.fields, member.name, &FieldSchema::member);
      ASSERT_NE(found, schema.fields.end()) << schema.doc << " " << member.name;
      EXPECT_TRUE(found->doc.ends_with('.')) << schema.doc << " " << member.name;
    }
  }
}

TEST(SchemaTest, EveryEntryNamesAMember) {
  for (const StructSchema& schema : AllSchemas()) {
    std::set<std::string_view> seen;
    for (const FieldSchema& field : schema.fields) {
      EXPECT_TRUE(seen.insert(field.member).second) << field.member << " stands twice";
      EXPECT_NE(std::ranges::find(schema.type->members, field.member, &Member::name),
                schema.type->members.end())
          << schema.doc << " " << field.member;
    }
  }
}

// The text in a list, map or optional, as opposed to what has its own limits.
bool HoldsText(const Type* type) {
  while (type->element != nullptr) type = &type->element();
  return type->shape == Shape::kString || type->shape == Shape::kDuration;
}

bool HoldsSeveral(const Type& type) {
  const Type& inner = type.shape == Shape::kOptional ? type.element() : type;
  return inner.shape == Shape::kList || inner.shape == Shape::kMap;
}

// Without these the API server cannot estimate what a rule costs, and refuses the CRD.
TEST(SchemaTest, EveryTextAndListOfASpecIsBounded) {
  std::set<const Type*> specs;
  Collect(TypeOf<VolumeBackupSpec>(), specs);
  Collect(TypeOf<VolumeRestoreSpec>(), specs);
  for (const StructSchema& schema : AllSchemas()) {
    if (!specs.contains(schema.type)) continue;
    for (const Member& member : schema.type->members) {
      const auto field = std::ranges::find(schema.fields, member.name, &FieldSchema::member);
      ASSERT_NE(field, schema.fields.end());
      const bool bounded = field->text.max_length.has_value() || !field->text.words.empty();
      EXPECT_TRUE(bounded || !HoldsText(&member.type())) << member.name;
      EXPECT_TRUE(field->max_items.has_value() || !HoldsSeveral(member.type())) << member.name;
    }
  }
}

TEST(SchemaTest, AStatusIsNeverRefused) {
  std::set<const Type*> statuses;
  Collect(TypeOf<VolumeBackupStatus>(), statuses);
  Collect(TypeOf<VolumeRestoreStatus>(), statuses);
  for (const StructSchema& schema : AllSchemas()) {
    if (!statuses.contains(schema.type)) continue;
    EXPECT_TRUE(schema.rules.empty()) << schema.doc;
    for (const FieldSchema& field : schema.fields) {
      EXPECT_TRUE(field.rules.empty() && field.text.rules.empty() && !field.text.max_length &&
                  !field.max_items)
          << field.member;
    }
  }
}

json::object Property(const Type& type, Schemas schemas, std::string_view key) {
  for (auto& schema : CommonSchemas()) schemas.push_back(std::move(schema));
  return OpenApi(type, schemas).at("properties").at({key.data(), key.size()}).as_object();
}

TEST(OpenApiTest, TellsADurationWithItsDefault) {
  const auto freeze = Property(TypeOf<VolumeBackupSpec>(), VolumeBackupSchemas(), "maxFreeze");
  EXPECT_EQ(freeze.at("type").as_string(), "string");
  EXPECT_EQ(freeze.at("default").as_string(), "30s");
  EXPECT_EQ(freeze.at("maxLength").as_int64(), 32);
  EXPECT_EQ(freeze.at("x-kubernetes-validations").as_array().size(), 2U);
}

TEST(OpenApiTest, TellsTheWordsOfAnEnum) {
  const auto policy = Property(TypeOf<VolumeBackupSpec>(), VolumeBackupSchemas(), "deletionPolicy");
  EXPECT_EQ(json::serialize(policy.at("enum")), R"(["Retain","Delete"])");
  EXPECT_EQ(policy.at("default").as_string(), "Retain");
}

TEST(OpenApiTest, TellsAListByItsKey) {
  const auto hooks = Property(TypeOf<VolumeBackupSpec>(), VolumeBackupSchemas(), "hooks");
  EXPECT_EQ(json::serialize(hooks.at("x-kubernetes-list-map-keys")), R"(["name"])");
  EXPECT_EQ(json::serialize(hooks.at("items").at("required")), R"(["name"])");
  EXPECT_FALSE(hooks.contains("default"));
}

TEST(OpenApiTest, AStatusHasNoDefaults) {
  const auto phase = Property(TypeOf<VolumeBackupStatus>(), VolumeBackupSchemas(), "phase");
  EXPECT_FALSE(phase.contains("default"));
}

TEST(SchemaRulesTest, CountsWhatIsSet) {
  EXPECT_EQ(ExactlyOneOf({"a", "b"}), "(has(self.a) ? 1 : 0) + (has(self.b) ? 1 : 0) == 1");
  EXPECT_EQ(AtMostOneOf({"a"}), "(has(self.a) ? 1 : 0) <= 1");
}

}  // namespace
}  // namespace stillpoint::api
