#include "api/type.h"

#include "api/volume_backup.h"

#include <gmock/gmock.h>

namespace stillpoint::api {
namespace {

using testing::ElementsAre;
using testing::Field;

struct Name {
  std::string_view member;
  std::string_view key;
};

class JsonKeyTest : public testing::TestWithParam<Name> {};

TEST_P(JsonKeyTest, IsTheNameInJson) {
  EXPECT_EQ(JsonKey(GetParam().member), GetParam().key);
}

INSTANTIATE_TEST_SUITE_P(
    Table, JsonKeyTest,
    testing::Values(Name{"name", "name"}, Name{"api_version", "apiVersion"}, Name{"uid", "uid"},
                    Name{"claim_uid", "claimUID"}, Name{"pod_uid", "podUID"},
                    Name{"container_id", "containerID"}, Name{"class_", "class"},
                    Name{"new_", "new"}, Name{"new_uid", "newUID"}, Name{"operator_", "operator"},
                    Name{"ns", "namespace"},
                    Name{"volume_snapshot_class_name", "volumeSnapshotClassName"}));

TEST(TypeTest, IsOneTablePerType) {
  EXPECT_EQ(&TypeOf<ObjectMeta>(), &TypeOf<ObjectMeta>());
  const Type& backup = TypeOf<VolumeBackup>();
  EXPECT_EQ(&backup.members[0].type(), &TypeOf<ObjectMeta>());
  EXPECT_EQ(backup.resource, &VolumeBackup::kResource);
  EXPECT_EQ(TypeOf<VolumeBackupSpec>().resource, nullptr);
}

TEST(TypeTest, WritesEnumeratorsWithoutTheirK) {
  EXPECT_THAT(TypeOf<OnError>().values,
              ElementsAre(Field(&EnumValue::name, "Fail"), Field(&EnumValue::name, "Continue")));
}

}  // namespace
}  // namespace stillpoint::api
