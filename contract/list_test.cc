// Lists: pages, selectors, versions.
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#list-and-watch-filtering
#include "contract/support/contract_test.h"

#include <fmt/format.h>

namespace stillpoint::contract {
namespace {

using kube::Verb;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ListTest : public ContractTest {
 protected:
  std::vector<std::string> Names(const Json& list) {
    std::vector<std::string> names;
    for (const Json& item : Elements(list, "/items")) names.push_back(NameOf(item));
    return names;
  }
  std::vector<std::string> ByLabel(const std::string& selector) {
    return Names(Do({.verb = Verb::kList, .resource = kBackups, .label_selector = selector}));
  }
  std::vector<std::string> ByField(const api::Resource& resource, const std::string& selector) {
    return Names(Do({.verb = Verb::kList, .resource = resource, .field_selector = selector}));
  }
  Json Page(int limit, const std::string& token = "") {
    return Do({.verb = Verb::kList, .resource = kBackups, .limit = limit, .continue_token = token});
  }
  static std::string Token(const Json& list) { return Text(list, "/metadata/continue"); }
  void CreateMany(const std::vector<std::string>& names) {
    for (const std::string& name : names) Create(kBackups, Backup(name));
  }
};

TEST_F(ListTest, OfNothingIsAnEmptyListWithAVersion) {
  const Json list = Do({.verb = Verb::kList, .resource = kBackups});
  EXPECT_EQ(Text(list, "/kind"), "VolumeBackupList");
  EXPECT_EQ(Text(list, "/apiVersion"), "backups.example.com/v1alpha1");
  EXPECT_TRUE(Has(list, "/items"));
  EXPECT_THAT(Elements(list, "/items"), IsEmpty());
  EXPECT_FALSE(VersionOf(list).empty());
}

TEST_F(ListTest, IsInTheOrderOfTheNames) {
  CreateMany({"b", "c", "a", "a-1", "aa"});
  EXPECT_THAT(Names(Do({.verb = Verb::kList, .resource = kBackups})),
              ElementsAre("a", "a-1", "aa", "b", "c"));
}

// Items of a custom resource name their kind; those of built-in kinds do not, the list does.
TEST_F(ListTest, ItemsOfBuiltInKindsDoNotNameTheirKind) {
  CreateMany({"a"});
  Create(kConfigMaps, Object(kConfigMaps, "a"));
  const Json ours = Do({.verb = Verb::kList, .resource = kBackups});
  EXPECT_EQ(Text(ours, "/items/0/kind"), "VolumeBackup");
  const Json theirs =
      Do({.verb = Verb::kList, .resource = kConfigMaps, .field_selector = "metadata.name=a"});
  EXPECT_EQ(Text(theirs, "/kind"), "ConfigMapList");
  EXPECT_EQ(NameOf(theirs.at("items").at(0)), "a");
  EXPECT_FALSE(Has(theirs, "/items/0/kind"));
}

TEST_F(ListTest, ComesInPages) {
  CreateMany({"a", "b", "c", "d", "e"});
  const Json first = Page(2);
  EXPECT_THAT(Names(first), ElementsAre("a", "b"));
  EXPECT_EQ(Number(first, "/metadata/remainingItemCount"), 3);
  const Json second = Page(2, Token(first));
  EXPECT_THAT(Names(second), ElementsAre("c", "d"));
  EXPECT_EQ(Number(second, "/metadata/remainingItemCount"), 1);
  const Json third = Page(2, Token(second));
  EXPECT_THAT(Names(third), ElementsAre("e"));
  EXPECT_EQ(Token(third), "");
  EXPECT_FALSE(Has(third, "/metadata/remainingItemCount"));
}

// All pages are of one moment: that of the first.
TEST_F(ListTest, PagesShowOneMoment) {
  CreateMany({"a", "b", "c"});
  const Json first = Page(1);
  Delete(kBackups, "c");
  Create(kBackups, Backup("d"));
  Merge(kBackups, "b", {{"spec", {{"ttl", "1d"}}}});
  const Json rest = Page(10, Token(first));
  EXPECT_THAT(Names(rest), ElementsAre("b", "c"));
  EXPECT_FALSE(Has(rest, "/items/0/spec/ttl"));
  EXPECT_EQ(VersionOf(rest), VersionOf(first));
}

TEST_F(ListTest, PagesBySelectorDoNotCountTheRest) {
  for (const char* name : {"a", "b", "c"}) {
    Create(kBackups, Backup(name, {{"labels", {{"app", "x"}}}}));
  }
  const Json first =
      Do({.verb = Verb::kList, .resource = kBackups, .label_selector = "app=x", .limit = 1});
  EXPECT_FALSE(Token(first).empty());
  EXPECT_FALSE(Has(first, "/metadata/remainingItemCount"));
}

TEST_F(ListTest, AnExactPageHasNoNext) {
  CreateMany({"a", "b"});
  EXPECT_EQ(Token(Page(2)), "");
}

TEST_F(ListTest, AForeignTokenIsRefused) {
  const Answer answer = Send("GET", Path(kBackups) + "?limit=1&continue=nonsense");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.Message(), HasSubstr("continue key is not valid"));
}

// A token names its version ({"v":"meta.k8s.io/v1","rv":...,"start":...} in base64): one of a
// version that was compacted is expired. A server compacts after five minutes at the earliest, and
// nobody can ask it to; until then the page of that moment is empty.
TEST_F(ListTest, AnExpiredTokenIsGone) {
  // {"v":"meta.k8s.io/v1","rv":1,"start":"a\u0000"}
  const Answer answer =
      Send("GET",
           Path(kBackups) +
               "?limit=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0");
  if (answer.status == 200) GTEST_SKIP() << "the server has not compacted its history yet";
  EXPECT_EQ(answer.status, 410) << answer.text;
  EXPECT_EQ(answer.Reason(), "Expired");
}

TEST_F(ListTest, TheHelperReadsAllPages) {
  CreateMany({"a", "b", "c"});
  auto all = Await(kube::List<api::VolumeBackup>(client(), {.ns = ns()}));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->items.size(), 3U);
}

TEST_F(ListTest, ByLabels) {
  Create(kBackups, Backup("a", {{"labels", {{"app", "x"}, {"tier", "db"}}}}));
  Create(kBackups, Backup("b", {{"labels", {{"app", "y"}}}}));
  Create(kBackups, Backup("c"));
  EXPECT_THAT(ByLabel("app=x"), ElementsAre("a"));
  EXPECT_THAT(ByLabel("app==x"), ElementsAre("a"));
  EXPECT_THAT(ByLabel("app!=x"), ElementsAre("b", "c"));
  EXPECT_THAT(ByLabel("app"), ElementsAre("a", "b"));
  EXPECT_THAT(ByLabel("!app"), ElementsAre("c"));
  EXPECT_THAT(ByLabel("app in (x,y),tier notin (web)"), ElementsAre("a", "b"));
  EXPECT_THAT(ByLabel("app=x,tier=web"), IsEmpty());
}

TEST_F(ListTest, ByWhatIsNoSelectorIsABadRequest) {
  const Answer answer = Send("GET", Path(kBackups) + "?labelSelector=app%3D%3D%3Dx");
  EXPECT_EQ(answer.status, 400) << answer.text;
}

TEST_F(ListTest, ByName) {
  CreateMany({"a", "b"});
  EXPECT_THAT(ByField(kBackups, "metadata.name=b"), ElementsAre("b"));
  EXPECT_THAT(ByField(kBackups, "metadata.name!=b"), ElementsAre("a"));
  EXPECT_THAT(ByField(kBackups, "metadata.namespace=" + ns()), ElementsAre("a", "b"));
  EXPECT_THAT(ByField(kBackups, "metadata.name=a,metadata.namespace=elsewhere"), IsEmpty());
}

// Only fields that the kind has declared selectable; ours declares none.
TEST_F(ListTest, ByAnyOtherFieldOfOursIsABadRequest) {
  const Answer answer = Send("GET", Path(kBackups) + "?fieldSelector=spec.applicationRef%3Dledger");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.Message(), "field label not supported: spec.applicationRef");
}

// kubectl get pods --field-selector; and by the node, what a kubelet asks for.
TEST_F(ListTest, PodsByPhaseAndNode) {
  EXPECT_THAT(ByField(kPods, "status.phase=Running"), IsEmpty());
  EXPECT_THAT(ByField(kPods, "spec.nodeName=nowhere"), IsEmpty());
}

TEST_F(ListTest, AcrossNamespaces) {
  Session other("other");
  other.Create(kBackups, Backup("theirs", {{"labels", {{"run", ns()}}}}));
  Create(kBackups, Backup("ours", {{"labels", {{"run", ns()}}}}));
  auto all = Await(
      client().Do({.verb = Verb::kList, .resource = kBackups, .label_selector = "run=" + ns()}));
  ASSERT_TRUE(all);
  EXPECT_THAT(Names(**all), testing::UnorderedElementsAre("ours", "theirs"));
}

// Without a version: the newest. A writer sees its own write in the next list.
TEST_F(ListTest, ShowsWhatWasWrittenBeforeIt) {
  for (int i = 0; i < 20; ++i) {
    Create(kBackups, Backup(fmt::format("b{}", i)));
    ASSERT_EQ(Elements(Do({.verb = Verb::kList, .resource = kBackups}), "/items").size(),
              static_cast<std::size_t>(i + 1));
  }
}

// At a version: not older than it.
TEST_F(ListTest, NotOlderThanAVersion) {
  const std::string version = VersionOf(Create(kBackups, Backup("a")));
  const Answer answer = Send("GET", Path(kBackups) + "?resourceVersion=" + version);
  EXPECT_EQ(answer.status, 200) << answer.text;
  EXPECT_THAT(Names(answer.body), ElementsAre("a"));
}

// It waits for a while (3 s), in case that another server is ahead.
TEST_F(ListTest, NotOlderThanTheFutureIsATimeout) {
  const Answer answer = Send("GET", Path(kBackups) + "?resourceVersion=9000000000000");
  EXPECT_EQ(answer.status, 504) << answer.text;
  EXPECT_EQ(answer.Reason(), "Timeout");
  EXPECT_EQ(Text(answer.body, "/details/causes/0/reason"), "ResourceVersionTooLarge");
}

// What kubectl shows: the printer columns of our CRD, with a row for each object.
TEST_F(ListTest, AsATable) {
  Create(kBackups, Backup("one"));
  for (const std::string& path : {Path(kBackups), Path(kBackups, "one")}) {
    const Answer answer = GetAs("application/json;as=Table;v=v1;g=meta.k8s.io", path);
    EXPECT_EQ(Text(answer.body, "/kind"), "Table") << answer.text;
    EXPECT_EQ(Text(answer.body, "/apiVersion"), "meta.k8s.io/v1");
    std::vector<std::string> columns;
    for (const Json& column : Elements(answer.body, "/columnDefinitions")) {
      columns.push_back(Text(column, "/name"));
    }
    EXPECT_THAT(columns, ElementsAre("Name", "Target", "Phase", "Consistency", "Frozen", "Volumes",
                                     "Reason", "Started", "Finished", "Age"));
    EXPECT_EQ(Text(answer.body, "/rows/0/cells/0"), "one");
    EXPECT_TRUE(answer.body.at("rows").at(0).at("cells").at(1).is_null()) << "nothing there yet";
    EXPECT_EQ(Text(answer.body, "/rows/0/object/kind"), "PartialObjectMetadata");
    EXPECT_EQ(NameOf(answer.body.at("rows").at(0).at("object")), "one");
  }
}

// What a garbage collector and a namespace controller read.
TEST_F(ListTest, AsMetadataAlone) {
  Create(kBackups, Backup("one"));
  const Answer answer =
      GetAs("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", Path(kBackups));
  EXPECT_EQ(Text(answer.body, "/kind"), "PartialObjectMetadataList") << answer.text;
  EXPECT_EQ(NameOf(answer.body.at("items").at(0)), "one");
  EXPECT_FALSE(Has(answer.body, "/items/0/spec"));
}

}  // namespace
}  // namespace stillpoint::contract
