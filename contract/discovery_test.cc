// Discovery: how kubectl finds out what there is.
//
// https://kubernetes.io/docs/concepts/overview/kubernetes-api/
#include "contract/support/contract_test.h"

#include <algorithm>
#include <optional>

namespace stillpoint::contract {
namespace {

using testing::Contains;
using testing::StartsWith;

class DiscoveryTest : public ContractTest {
 protected:
  Json Read(const std::string& path) {
    const Answer answer = Send("GET", config().base_path + path);
    EXPECT_EQ(answer.status, 200) << path << answer.text;
    return answer.body;
  }
  static std::optional<Json> Named(const std::vector<Json>& elements, const std::string& name) {
    const auto found = std::ranges::find_if(
        elements, [&](const Json& element) { return Text(element, "/name") == name; });
    return found == elements.end() ? std::nullopt : std::optional(*found);
  }
};

TEST_F(DiscoveryTest, TheServerHasAVersion) {
  EXPECT_THAT(Text(Read("/version"), "/gitVersion"), StartsWith("v1."));
}

TEST_F(DiscoveryTest, TheServerIsReady) {
  EXPECT_EQ(Send("GET", config().base_path + "/readyz").text, "ok");
}

TEST_F(DiscoveryTest, TheGroupsAreListed) {
  EXPECT_EQ(Texts(Read("/api"), "/versions"), std::vector<std::string>{"v1"});
  const Json groups = Read("/apis");
  EXPECT_EQ(Text(groups, "/kind"), "APIGroupList");
  for (const char* name : {"apps", "backups.example.com", "coordination.k8s.io", "events.k8s.io",
                           "snapshot.storage.k8s.io", "storage.k8s.io"}) {
    const auto group = Named(Elements(groups, "/groups"), name);
    ASSERT_TRUE(group) << name;
    EXPECT_FALSE(Text(*group, "/preferredVersion/groupVersion").empty());
  }
}

TEST_F(DiscoveryTest, OurKindsAreListed) {
  const Json list = Read("/apis/backups.example.com/v1alpha1");
  EXPECT_EQ(Text(list, "/kind"), "APIResourceList");
  EXPECT_EQ(Text(list, "/groupVersion"), "backups.example.com/v1alpha1");
  const auto backups = Named(Elements(list, "/resources"), "volumebackups");
  ASSERT_TRUE(backups);
  EXPECT_EQ(Text(*backups, "/kind"), "VolumeBackup");
  EXPECT_EQ(Text(*backups, "/singularName"), "volumebackup");
  EXPECT_TRUE(Flag(*backups, "/namespaced"));
  EXPECT_EQ(Texts(*backups, "/shortNames"), std::vector<std::string>{"vb"});
  for (const char* verb : {"create", "delete", "get", "list", "patch", "update", "watch"}) {
    EXPECT_THAT(Texts(*backups, "/verbs"), Contains(verb));
  }
  EXPECT_TRUE(Named(Elements(list, "/resources"), "volumebackups/status"));
}

TEST_F(DiscoveryTest, PodsCanBeExecutedIn) {
  const auto resources = Elements(Read("/api/v1"), "/resources");
  const auto exec = Named(resources, "pods/exec");
  ASSERT_TRUE(exec);
  EXPECT_EQ(Text(*exec, "/kind"), "PodExecOptions");
  EXPECT_THAT(Texts(*exec, "/verbs"), Contains("create"));
  ASSERT_TRUE(Named(resources, "persistentvolumes"));
  EXPECT_FALSE(Flag(*Named(resources, "persistentvolumes"), "/namespaced"));
}

// kubectl apply and explain read the schema of a kind from here.
TEST_F(DiscoveryTest, TheSchemaOfOurKindsIsPublished) {
  const Json index = Read("/openapi/v3");
  const std::string url =
      Text(index, "/paths/apis~1backups.example.com~1v1alpha1/serverRelativeURL");
  ASSERT_FALSE(url.empty()) << ToText(index);
  const Json document = Read(url);
  bool found = false;
  for (const auto& [name, schema] : document.at("components").at("schemas").as_object()) {
    if (name != "com.example.backups.v1alpha1.VolumeBackup") continue;
    found = true;
    EXPECT_EQ(Text(schema, "/x-kubernetes-group-version-kind/0/kind"), "VolumeBackup");
    EXPECT_EQ(Text(schema, "/properties/spec/properties/maxFreeze/type"), "string");
    EXPECT_FALSE(Text(schema, "/properties/spec/properties/maxFreeze/description").empty());
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace stillpoint::contract
