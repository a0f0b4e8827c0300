#include "kube/request_url.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace stillpoint::kube {
namespace {

constexpr api::Resource kPods{"", "v1", "Pod", "pods"};
constexpr api::Resource kNamespaces{"", "v1", "Namespace", "namespaces", false};
constexpr api::Resource kSnapshots{"snapshot.storage.k8s.io", "v1", "VolumeSnapshot",
                                   "volumesnapshots"};

struct Case {
  const char* name;
  Request request;
  const char* method;
  const char* target;
  const char* content_type;
  const char* body;
  const char* said;
};

void PrintTo(const Case& c, std::ostream* os) {
  *os << c.name;
}

class RequestUrlTest : public testing::TestWithParam<Case> {};

TEST_P(RequestUrlTest, Builds) {
  const Case& c = GetParam();
  const auto built = BuildHttpRequest(c.request, "");
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(built->method, c.method);
  EXPECT_EQ(built->target, c.target);
  EXPECT_EQ(built->content_type, c.content_type);
  EXPECT_EQ(built->body, c.body);
  EXPECT_EQ(NameOf(c.request).ToString(), c.said);
}

const Case kCases[] = {
    {"Get",
     {.verb = Verb::kGet, .resource = kPods, .ns = "shop", .name = "db-0"},
     "GET",
     "/api/v1/namespaces/shop/pods/db-0",
     "",
     "",
     "get pods shop/db-0"},
    {"GetClusterScoped",
     {.verb = Verb::kGet, .resource = kNamespaces, .name = "shop"},
     "GET",
     "/api/v1/namespaces/shop",
     "",
     "",
     "get namespaces shop"},
    {"GetOfGroup",
     {.verb = Verb::kGet, .resource = kSnapshots, .ns = "shop", .name = "s"},
     "GET",
     "/apis/snapshot.storage.k8s.io/v1/namespaces/shop/volumesnapshots/s",
     "",
     "",
     "get volumesnapshots.snapshot.storage.k8s.io shop/s"},
    {"ListEverywhere",
     {.verb = Verb::kList, .resource = kPods},
     "GET",
     "/api/v1/pods",
     "",
     "",
     "list pods"},
    {"ListWithSelectorsAndPages",
     {.verb = Verb::kList,
      .resource = kPods,
      .ns = "shop",
      .label_selector = "app in (a,b)",
      .field_selector = "spec.nodeName=n1",
      .limit = 500,
      .continue_token = "a+b/c=="},
     "GET",
     "/api/v1/namespaces/shop/pods?labelSelector=app%20in%20%28a%2Cb%29"
     "&fieldSelector=spec.nodeName%3Dn1&limit=500&continue=a%2Bb%2Fc%3D%3D",
     "",
     "",
     "list pods in shop"},
    {"ListThatMayBeOld",
     {.verb = Verb::kList, .resource = kPods, .ns = "shop", .resource_version = "0"},
     "GET",
     "/api/v1/namespaces/shop/pods?resourceVersion=0",
     "",
     "",
     "list pods in shop"},
    {"Create",
     {.verb = Verb::kCreate,
      .resource = kPods,
      .ns = "shop",
      .body = {{"metadata", {{"name", "new"}}}},
      .dry_run = true},
     "POST",
     "/api/v1/namespaces/shop/pods?fieldManager=stillpoint&dryRun=All",
     "application/json",
     R"({"metadata":{"name":"new"}})",
     "create pods shop/new"},
    {"CreateSubresource",
     {.verb = Verb::kCreate,
      .resource = kPods,
      .ns = "shop",
      .name = "db-0",
      .subresource = "eviction",
      .body = boost::json::object()},
     "POST",
     "/api/v1/namespaces/shop/pods/db-0/eviction?fieldManager=stillpoint",
     "application/json",
     "{}",
     "create pods/eviction shop/db-0"},
    {"ApplyStatus",
     {.verb = Verb::kApply,
      .resource = kSnapshots,
      .ns = "shop",
      .name = "s",
      .subresource = "status",
      .body = boost::json::object(),
      .force = true},
     "PATCH",
     "/apis/snapshot.storage.k8s.io/v1/namespaces/shop/volumesnapshots/s/status"
     "?fieldManager=stillpoint&force=true",
     "application/apply-patch+yaml",
     "{}",
     "patch volumesnapshots.snapshot.storage.k8s.io/status shop/s"},
    {"MergePatch",
     {.verb = Verb::kMergePatch,
      .resource = kPods,
      .ns = "shop",
      .name = "db-0",
      .body = {{"metadata", {{"finalizers", nullptr}}}}},
     "PATCH",
     "/api/v1/namespaces/shop/pods/db-0?fieldManager=stillpoint",
     "application/merge-patch+json",
     R"({"metadata":{"finalizers":null}})",
     "patch pods shop/db-0"},
    {"JsonPatch",
     {.verb = Verb::kJsonPatch,
      .resource = kPods,
      .ns = "shop",
      .name = "db-0",
      .body = boost::json::array()},
     "PATCH",
     "/api/v1/namespaces/shop/pods/db-0?fieldManager=stillpoint",
     "application/json-patch+json",
     "[]",
     "patch pods shop/db-0"},
    {"Delete",
     {.verb = Verb::kDelete, .resource = kPods, .ns = "shop", .name = "db-0"},
     "DELETE",
     "/api/v1/namespaces/shop/pods/db-0",
     "application/json",
     R"({"apiVersion":"v1","kind":"DeleteOptions"})",
     "delete pods shop/db-0"},
    {"DeleteWithOptions",
     {.verb = Verb::kDelete,
      .resource = kPods,
      .ns = "shop",
      .name = "db-0",
      .dry_run = true,
      .precondition_uid = "u",
      .precondition_resource_version = "7",
      .propagation_policy = "Foreground"},
     "DELETE",
     "/api/v1/namespaces/shop/pods/db-0",
     "application/json",
     R"({"apiVersion":"v1","kind":"DeleteOptions",)"
     R"("preconditions":{"uid":"u","resourceVersion":"7"},)"
     R"("propagationPolicy":"Foreground","dryRun":["All"]})",
     "delete pods shop/db-0"},
};

INSTANTIATE_TEST_SUITE_P(Request, RequestUrlTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(RequestUrlTest, PutsBasePathInFront) {
  const auto built = BuildHttpRequest(
      Request{.verb = Verb::kGet, .resource = kPods, .ns = "a", .name = "b"}, "/k8s/c-1");
  ASSERT_TRUE(built);
  EXPECT_EQ(built->target, "/k8s/c-1/api/v1/namespaces/a/pods/b");
}

TEST(RequestUrlTest, RefusesWhatWouldMeanSomethingElse) {
  const Request requests[] = {
      {.verb = Verb::kDelete, .resource = kPods, .ns = "shop"},  // the whole collection
      {.verb = Verb::kGet, .resource = kPods, .ns = "shop"},
      {.verb = Verb::kDelete, .resource = kPods, .name = "db-0"},
      {.verb = Verb::kCreate, .resource = kPods},
      {.verb = Verb::kGet, .resource = kPods, .ns = "shop", .name = ".."},
      {.verb = Verb::kGet, .resource = kPods, .ns = "..", .name = "x"},
      {.verb = Verb::kGet, .resource = kPods, .ns = "shop", .name = "a/b"},
      {.verb = Verb::kGet, .resource = kPods, .ns = "shop", .name = "a%2Fb"},
  };
  for (const Request& request : requests) {
    const auto built = BuildHttpRequest(request, "");
    ASSERT_FALSE(built) << NameOf(request).ToString();
    EXPECT_EQ(built.error().code, api::Code::kInvalid);
  }
}

TEST(RequestUrlTest, EncodesNames) {
  const auto built = BuildHttpRequest(
      Request{.verb = Verb::kGet, .resource = kNamespaces, .name = "system:a b?c#d"}, "");
  ASSERT_TRUE(built);
  EXPECT_EQ(built->target, "/api/v1/namespaces/system%3Aa%20b%3Fc%23d");
}

TEST(RequestUrlTest, BuildsWatch) {
  const WatchRequest request{.resource = kSnapshots,
                             .ns = "shop",
                             .label_selector = "a=b",
                             .field_selector = "metadata.name=s",
                             .resource_version = "42",
                             .lifetime = std::chrono::seconds(90)};
  const auto built = BuildHttpRequest(request, "");
  ASSERT_TRUE(built);
  EXPECT_EQ(built->method, "GET");
  EXPECT_EQ(built->target,
            "/apis/snapshot.storage.k8s.io/v1/namespaces/shop/volumesnapshots?watch=true"
            "&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=42&labelSelector=a%3Db"
            "&fieldSelector=metadata.name%3Ds");
  EXPECT_EQ(NameOf(request).ToString(), "watch volumesnapshots.snapshot.storage.k8s.io in shop");
}

}  // namespace
}  // namespace stillpoint::kube
