// Watches: order, selectors, where they begin and how they end.
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
#include "contract/support/contract_test.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::contract {
namespace {

using namespace std::chrono_literals;
using kube::Verb;
using kube::WatchEvent;
using testing::HasSubstr;

class WatchTest : public ContractTest {
 protected:
  std::string ListVersion() { return VersionOf(Do({.verb = Verb::kList, .resource = kBackups})); }

  std::unique_ptr<kube::WatchStream> From(const std::string& version,
                                          const std::string& labels = "",
                                          const std::string& fields = "") {
    return Watch({.resource = kBackups,
                  .label_selector = labels,
                  .field_selector = fields,
                  .resource_version = version});
  }

  void Label(const std::string& name, const std::string& value) {
    Merge(kBackups, name, {{"metadata", {{"labels", {{"app", value}}}}}});
  }

  // A watch of the given parameters to its end.
  Answer ToTheEnd(const std::string& parameters) {
    return Send("GET", Path(kBackups) + "?watch=true&timeoutSeconds=1" + parameters);
  }
};

TEST_F(WatchTest, ShowsEveryChangeInOrder) {
  auto watch = From(ListVersion());
  Create(kBackups, Backup("one"));
  Create(kBackups, Backup("two"));
  Label("one", "x");
  Label("one", "y");
  Delete(kBackups, "two");
  Delete(kBackups, "one");
  for (const char* change :
       {"ADDED one", "ADDED two", "MODIFIED one", "MODIFIED one", "DELETED two", "DELETED one"}) {
    EXPECT_EQ(NextChange(*watch), change);
  }
}

// The last state, with the version of the deletion: the place to go on from.
TEST_F(WatchTest, ADeletionShowsTheLastStateWithANewVersion) {
  const Json made = Create(kBackups, Backup("one", {{"labels", {{"app", "x"}}}}));
  auto watch = From(VersionOf(made));
  Delete(kBackups, "one");
  auto event = Next(*watch);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, WatchEvent::Type::kDeleted);
  EXPECT_EQ(Text(*event->object, "/metadata/labels/app"), "x");
  EXPECT_EQ(UidOf(*event->object), UidOf(made));
  EXPECT_NE(VersionOf(*event->object), VersionOf(made));
}

TEST_F(WatchTest, TheLastFinalizerIsADeletionAndNoModification) {
  Create(kBackups, Backup("one", {{"finalizers", List({"example.com/hold"})}}));
  auto watch = From(ListVersion());
  Delete(kBackups, "one");
  Merge(kBackups, "one", {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(NextChange(*watch), "MODIFIED one");
  EXPECT_EQ(NextChange(*watch), "DELETED one");
}

TEST_F(WatchTest, WritesThatChangeNothingAreNotShown) {
  Create(kBackups, Backup("one"));
  Label("one", "x");
  auto watch = From(ListVersion());
  Label("one", "x");
  Label("one", "y");
  auto event = Next(*watch);
  ASSERT_TRUE(event);
  EXPECT_EQ(Text(*event->object, "/metadata/labels/app"), "y");
}

TEST_F(WatchTest, StatusAndSpecAreShownAlike) {
  Create(kBackups, Backup("one"));
  auto watch = From(ListVersion());
  Merge(kBackups, "one", {{"status", {{"phase", "Pending"}}}}, "status");
  EXPECT_EQ(NextChange(*watch), "MODIFIED one");
}

// An object that comes to match is new to the watcher, and one that no longer does is gone.
TEST_F(WatchTest, ALabelSelectorTurnsChangesIntoComingAndGoing) {
  Create(kBackups, Backup("one", {{"labels", {{"app", "other"}}}}));
  auto watch = From(ListVersion(), "app=x");
  Label("one", "x");
  Merge(kBackups, "one", {{"spec", {{"ttl", "1d"}}}});
  Label("one", "other");
  Label("one", "x");
  Delete(kBackups, "one");
  for (const char* change :
       {"ADDED one", "MODIFIED one", "DELETED one", "ADDED one", "DELETED one"}) {
    EXPECT_EQ(NextChange(*watch), change);
  }
}

// ... with the labels that it had when it still matched, and the version of the change.
TEST_F(WatchTest, WhatLeavesTheSelectorIsShownAsItWas) {
  Create(kBackups, Backup("one", {{"labels", {{"app", "x"}}}}));
  auto watch = From(ListVersion(), "app=x");
  Label("one", "other");
  auto event = Next(*watch);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, WatchEvent::Type::kDeleted);
  EXPECT_EQ(Text(*event->object, "/metadata/labels/app"), "x");
  EXPECT_EQ(VersionOf(*event->object), VersionOf(Get(kBackups, "one")));
}

TEST_F(WatchTest, WhatNeverMatchedIsNotShown) {
  auto watch = From(ListVersion(), "app=x");
  Create(kBackups, Backup("one", {{"labels", {{"app", "other"}}}}));
  Delete(kBackups, "one");
  Create(kBackups, Backup("two", {{"labels", {{"app", "x"}}}}));
  EXPECT_EQ(NextChange(*watch), "ADDED two");
}

TEST_F(WatchTest, AFieldSelectorOfTheName) {
  auto watch = From(ListVersion(), "", "metadata.name=two");
  Create(kBackups, Backup("one"));
  Create(kBackups, Backup("two"));
  Delete(kBackups, "one");
  Delete(kBackups, "two");
  EXPECT_EQ(NextChange(*watch), "ADDED two");
  EXPECT_EQ(NextChange(*watch), "DELETED two");
}

TEST_F(WatchTest, AnotherNamespaceIsNotShown) {
  auto watch = From(ListVersion());
  Session other("other");
  other.Create(kBackups, Backup("theirs"));
  Create(kBackups, Backup("ours"));
  EXPECT_EQ(NextChange(*watch), "ADDED ours");
}

TEST_F(WatchTest, AcrossNamespacesAllAreShown) {
  const std::string version = ListVersion();
  Session other("other");
  auto answer = Await(client().Watch(
      {.resource = kBackups, .label_selector = "run=" + ns(), .resource_version = version}));
  ASSERT_TRUE(answer);
  other.Create(kBackups, Backup("theirs", {{"labels", {{"run", ns()}}}}));
  Create(kBackups, Backup("ours", {{"labels", {{"run", ns()}}}}));
  EXPECT_EQ(NextChange(**answer), "ADDED theirs");
  EXPECT_EQ(NextChange(**answer), "ADDED ours");
}

// ---- where it begins ---------------------------------------------------------------------------

TEST_F(WatchTest, ResumesAfterTheVersionOfAnyEvent) {
  const std::string before = ListVersion();
  const std::string one = VersionOf(Create(kBackups, Backup("one")));
  Create(kBackups, Backup("two"));
  auto all = From(before);
  EXPECT_EQ(NextChange(*all), "ADDED one");
  EXPECT_EQ(NextChange(*all), "ADDED two");
  auto rest = From(one);
  EXPECT_EQ(NextChange(*rest), "ADDED two");
}

TEST_F(WatchTest, TheVersionOfAListIsAfterAllItsItems) {
  Create(kBackups, Backup("one"));
  auto watch = From(ListVersion());
  Create(kBackups, Backup("two"));
  EXPECT_EQ(NextChange(*watch), "ADDED two");
}

// Without a version: what there is, as ADDED in no certain order, then the changes.
TEST_F(WatchTest, WithoutAVersionItBeginsWithWhatThereIs) {
  Create(kBackups, Backup("one"));
  Create(kBackups, Backup("two"));
  auto watch = From("");
  std::vector<std::string> first{NextChange(*watch), NextChange(*watch)};
  EXPECT_THAT(first, testing::UnorderedElementsAre("ADDED one", "ADDED two"));
  Delete(kBackups, "one");
  EXPECT_EQ(NextChange(*watch), "DELETED one");
}

// 0 means any version, which may be old; but what it shows goes on without a hole.
TEST_F(WatchTest, VersionZeroBeginsWithWhatThereIs) {
  Create(kBackups, Backup("one"));
  auto watch = From("0");
  EXPECT_EQ(NextChange(*watch), "ADDED one");
  Create(kBackups, Backup("two"));
  EXPECT_EQ(NextChange(*watch), "ADDED two");
}

// The head of the answer is a 200: the refusal is an event in the stream, or a 410 in the head.
TEST_F(WatchTest, AVersionThatIsTooOldIsExpired) {
  const Answer answer = ToTheEnd("&resourceVersion=1");
  if (answer.status == 200) {
    const auto events = answer.Events();
    ASSERT_EQ(events.size(), 1U) << answer.text;
    EXPECT_EQ(Text(events[0], "/type"), "ERROR");
    EXPECT_EQ(Text(events[0], "/object/kind"), "Status");
    EXPECT_EQ(Number(events[0], "/object/code"), 410);
    EXPECT_EQ(Text(events[0], "/object/reason"), "Expired");
    EXPECT_THAT(Text(events[0], "/object/message"), HasSubstr("too old resource version: 1 ("));
  } else {
    EXPECT_EQ(answer.status, 410) << answer.text;
    EXPECT_EQ(answer.Reason(), "Expired");
  }
}

TEST_F(WatchTest, TheClientCallsThatExpired) {
  auto answer = Await(client().Watch({.resource = kBackups, .ns = ns(), .resource_version = "1"}));
  const auto event = answer ? Next(**answer) : api::Result<WatchEvent>(answer.error());
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, api::Code::kExpired) << event.error().message;
}

// A surprise: no error, but silence to the end. Who restores an older etcd sees nothing any more.
TEST_F(WatchTest, FromTheFutureNothingIsShown) {
  const Answer answer = ToTheEnd("&resourceVersion=9000000000000");
  EXPECT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.text, "");
}

TEST_F(WatchTest, WhatIsNoVersionIsRefused) {
  const Answer answer = ToTheEnd("&resourceVersion=yesterday");
  EXPECT_GE(answer.status, 400) << answer.text;
}

// ---- how it goes on and ends -------------------------------------------------------------------

TEST_F(WatchTest, TheServerEndsItAfterItsTime) {
  const auto start = clock().SteadyNow();
  const Answer answer = ToTheEnd("&resourceVersion=" + ListVersion());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text, "") << "no event, and the body is complete";
  EXPECT_GE(clock().SteadyNow() - start, 900ms);
}

// KEP-956: before the stream ends there is a bookmark with a version to go on from. It has the
// kind, the version, and nothing else.
TEST_F(WatchTest, ABookmarkTellsTheVersion) {
  const Json made = Create(kBackups, Backup("one"));
  const Answer answer = Send("GET", Path(kBackups) +
                                        "?watch=true&allowWatchBookmarks=true&timeoutSeconds=4"
                                        "&resourceVersion=" +
                                        VersionOf(made));
  const auto events = answer.Events();
  ASSERT_FALSE(events.empty()) << "no bookmark";
  for (const Json& event : events) {
    EXPECT_EQ(Text(event, "/type"), "BOOKMARK");
    EXPECT_EQ(Text(event, "/object/kind"), "VolumeBackup");
    EXPECT_EQ(Text(event, "/object/apiVersion"), "backups.example.com/v1alpha1");
    EXPECT_FALSE(VersionOf(event.at("object")).empty());
    EXPECT_FALSE(Has(event, "/object/metadata/name"));
  }
  auto rest = From(VersionOf(events.back().at("object")));
  Create(kBackups, Backup("two"));
  EXPECT_EQ(NextChange(*rest), "ADDED two");
}

TEST_F(WatchTest, ThereAreNoBookmarksUnlessAskedFor) {
  const Answer answer =
      Send("GET", Path(kBackups) + "?watch=true&timeoutSeconds=4&resourceVersion=" + ListVersion());
  EXPECT_EQ(answer.text, "");
}

// KEP-3157, what kubectl and informers of today do: the state first, then one marked bookmark.
TEST_F(WatchTest, InitialEventsEndInAMarkedBookmark) {
  Create(kBackups, Backup("one"));
  const Answer answer = ToTheEnd(
      "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
  const auto events = answer.Events();
  ASSERT_GE(events.size(), 2U) << answer.text;
  EXPECT_EQ(Text(events[0], "/type"), "ADDED");
  EXPECT_EQ(Text(events[1], "/type"), "BOOKMARK");
  EXPECT_EQ(Text(events[1], "/object/metadata/annotations/k8s.io~1initial-events-end"), "true");
}

// Built-in kinds tell it by the same words.
TEST_F(WatchTest, OfABuiltInKind) {
  auto watch = Watch({.resource = kConfigMaps,
                      .field_selector = "metadata.name=one",
                      .resource_version = ListVersion()});
  Create(kConfigMaps, Object(kConfigMaps, "one"));
  Merge(kConfigMaps, "one", {{"data", {{"a", "b"}}}});
  Delete(kConfigMaps, "one");
  EXPECT_EQ(NextChange(*watch), "ADDED one");
  EXPECT_EQ(NextChange(*watch), "MODIFIED one");
  EXPECT_EQ(NextChange(*watch), "DELETED one");
}

}  // namespace
}  // namespace stillpoint::contract
