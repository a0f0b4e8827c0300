#include "sim/pocket/http_api.h"

#include "api/core.h"
#include "api/time.h"
#include "sim/pocket/json_path.h"

#include <gtest/gtest.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <string>
#include <utility>
#include <variant>

namespace stillpoint::sim::pocket {
namespace {

namespace json = boost::json;

constexpr char kClaims[] = "/api/v1/namespaces/shop/persistentvolumeclaims";
constexpr char kBackups[] = "/apis/backups.example.com/v1alpha1/namespaces/shop/volumebackups";
constexpr char kTable[] = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

class HttpApiTest : public testing::Test {
 protected:
  static api::Time Now() { return *api::ParseTime("2026-01-01T00:00:00Z"); }

  HttpReply Do(std::string method, std::string target, std::string body = "",
               std::string content_type = "application/json", std::string accept = "") {
    auto outcome = api_.Handle({std::move(method), std::move(target), std::move(accept),
                                std::move(content_type), std::move(body)});
    auto* reply = std::get_if<HttpReply>(&outcome);
    return reply ? std::move(*reply) : HttpReply{.status = -1};
  }

  static json::object Body(const HttpReply& reply) { return json::parse(reply.body).as_object(); }

  void CreateClaim(const std::string& name) {
    ASSERT_EQ(
        Do("POST", kClaims, R"({"metadata": {"name": ")" + name + R"("}, "spec": {}})").status,
        201);
  }

  ApiServer server_{&Now};
  HttpApi api_{server_, &Now};
};

TEST_F(HttpApiTest, CreatesGetsAndDeletes) {
  CreateClaim("a");
  const auto got = Do("GET", std::string(kClaims) + "/a");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(TextAt(Body(got), ".kind"), "PersistentVolumeClaim");
  EXPECT_EQ(TextAt(Body(got), ".metadata.namespace"), "shop");
  const auto gone = Do("DELETE", std::string(kClaims) + "/a");
  EXPECT_EQ(TextAt(Body(gone), ".status"), "Success");
  EXPECT_EQ(Do("GET", std::string(kClaims) + "/a").status, 404);
}

TEST_F(HttpApiTest, FailsAsAnApiServerDoes) {
  const auto missing = Body(Do("GET", std::string(kClaims) + "/a"));
  EXPECT_EQ(TextAt(missing, ".kind"), "Status");
  EXPECT_EQ(TextAt(missing, ".reason"), "NotFound");
  EXPECT_EQ(TextAt(missing, ".details.name"), "a");
  EXPECT_EQ(missing.at("code"), 404);
  CreateClaim("a");
  EXPECT_EQ(Do("POST", kClaims, R"({"metadata": {"name": "a"}})").status, 409);
  EXPECT_EQ(Do("POST", kClaims, "no json").status, 400);
  EXPECT_EQ(Do("POST", kClaims, R"({"metadata": {"name": "b", "namespace": "x"}})").status, 400);
  EXPECT_EQ(Do("GET", "/apis/batch/v1/jobs").status, 404);
  EXPECT_EQ(Do("POST", std::string(kClaims) + "/a").status, 405);
}

TEST_F(HttpApiTest, ListsInPages) {
  for (const char* name : {"a", "b", "c"}) CreateClaim(name);
  const auto first = Body(Do("GET", std::string(kClaims) + "?limit=2"));
  EXPECT_EQ(first.at("items").as_array().size(), 2U);
  EXPECT_EQ(TextAt(first, ".kind"), "PersistentVolumeClaimList");
  const auto rest = Body(
      Do("GET", std::string(kClaims) + "?limit=2&continue=" + TextAt(first, ".metadata.continue")));
  EXPECT_EQ(rest.at("items").as_array().size(), 1U);
}

TEST_F(HttpApiTest, ShowsTables) {
  CreateClaim("a");
  const auto table = Body(Do("GET", kClaims, "", "", kTable));
  EXPECT_EQ(TextAt(table, ".kind"), "Table");
  EXPECT_EQ(TextAt(table, ".columnDefinitions[0].name"), "Name");
  EXPECT_EQ(TextAt(table, ".rows[0].object.metadata.name"), "a");
}

TEST_F(HttpApiTest, WatchesFromAVersionOn) {
  CreateClaim("a");
  const auto list = Body(Do("GET", kClaims));
  auto outcome = api_.Handle({.method = "GET",
                              .target = std::string(kClaims) + "?watch=1&resourceVersion=" +
                                        TextAt(list, ".metadata.resourceVersion")});
  auto* feed = std::get_if<WatchFeed>(&outcome);
  ASSERT_NE(feed, nullptr);
  EXPECT_EQ(feed->Next(), std::nullopt);
  CreateClaim("b");
  const auto line = feed->Next();
  ASSERT_TRUE(line);
  EXPECT_EQ(TextAt(json::parse(*line).as_object(), ".type"), "ADDED");
  EXPECT_EQ(TextAt(json::parse(*line).as_object(), ".object.metadata.name"), "b");
}

TEST_F(HttpApiTest, TellsTheEndOfTheInitialEvents) {
  CreateClaim("a");
  auto outcome = api_.Handle({.method = "GET",
                              .target = std::string(kClaims) +
                                        "?watch=true&sendInitialEvents=true"
                                        "&resourceVersionMatch=NotOlderThan&resourceVersion="});
  auto* feed = std::get_if<WatchFeed>(&outcome);
  ASSERT_NE(feed, nullptr);
  EXPECT_TRUE(feed->Next());
  const auto end = feed->Next();
  ASSERT_TRUE(end);
  EXPECT_EQ(TextAt(json::parse(*end).as_object(),
                   R"(.object.metadata.annotations.k8s\.io/initial-events-end)"),
            "true");
  EXPECT_EQ(feed->Next(), std::nullopt);
}

TEST_F(HttpApiTest, PatchesInEveryWay) {
  CreateClaim("a");
  const std::string a = std::string(kClaims) + "/a";
  EXPECT_EQ(
      Do("PATCH", a, R"({"metadata": {"labels": {"x": "1"}}})", "application/merge-patch+json")
          .status,
      200);
  EXPECT_EQ(Do("PATCH", a, R"([{"op": "add", "path": "/metadata/labels/y", "value": "2"}])",
               "application/json-patch+json")
                .status,
            200);
  EXPECT_EQ(Do("PATCH", a, R"({"metadata": {"labels": {"z": "3"}}})",
               "application/strategic-merge-patch+json")
                .status,
            200);
  EXPECT_EQ(
      Do("PATCH", std::string(kClaims) + "/b?fieldManager=me",
         R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim"})", "application/apply-patch+yaml")
          .status,
      201);
  const auto labels = Body(Do("GET", a)).at("metadata").at("labels").as_object();
  EXPECT_EQ(labels, (json::object{{"x", "1"}, {"y", "2"}, {"z", "3"}}));
}

TEST_F(HttpApiTest, CustomKindsTakeNoStrategicPatch) {
  ASSERT_EQ(Do("POST", kBackups, R"({"metadata": {"name": "a"}, "spec": {}})").status, 201);
  EXPECT_EQ(
      Do("PATCH", std::string(kBackups) + "/a", "{}", "application/strategic-merge-patch+json")
          .status,
      415);
}

TEST_F(HttpApiTest, RefusesOrNamesUnknownFields) {
  constexpr char kBody[] = R"({"metadata": {"name": "a"}, "spec": {"retries": 3}})";
  const auto strict = Do("POST", std::string(kBackups) + "?fieldValidation=Strict", kBody);
  EXPECT_EQ(strict.status, 400);
  EXPECT_NE(strict.body.find(R"(unknown field \"spec.retries\")"), std::string::npos);
  EXPECT_EQ(Do("POST", kBackups, kBody).warnings.size(), 1U);
}

TEST_F(HttpApiTest, EventsHaveTwoNames) {
  ASSERT_EQ(Do("POST", "/apis/events.k8s.io/v1/namespaces/shop/events",
               R"({"metadata": {"name": "e"}, "note": "hello", "regarding": {"name": "a"},
                   "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal", "action": "A",
                   "reason": "R", "reportingController": "c", "reportingInstance": "i"})")
                .status,
            201);
  const auto list = Body(Do("GET",
                            "/api/v1/namespaces/shop/events?fieldSelector="
                            "involvedObject.name%3Da"));
  EXPECT_EQ(TextAt(list, ".items[0].message"), "hello");
  EXPECT_TRUE(Body(Do("GET", "/api/v1/events?fieldSelector=involvedObject.name=b"))
                  .at("items")
                  .as_array()
                  .empty());
}

TEST_F(HttpApiTest, ScalesAWorkload) {
  constexpr char kWorkloads[] = "/apis/apps/v1/namespaces/shop/deployments";
  ASSERT_EQ(
      Do("POST", kWorkloads, R"({"metadata": {"name": "w"}, "spec": {"replicas": 1}})").status,
      201);
  const auto scale = Body(Do("PATCH", std::string(kWorkloads) + "/w/scale",
                             R"({"spec": {"replicas": 3}})", "application/merge-patch+json"));
  EXPECT_EQ(TextAt(scale, ".kind"), "Scale");
  EXPECT_EQ(*FindFirst(Body(Do("GET", std::string(kWorkloads) + "/w")), ".spec.replicas"), 3);
}

TEST_F(HttpApiTest, HandsOutExecAndLogs) {
  auto exec = api_.Handle({.method = "GET",
                           .target = "/api/v1/namespaces/shop/pods/db-0/exec?command=sh&command=-c"
                                     "&command=echo%20a%2Bb&stdin=true&container=db"});
  auto* call = std::get_if<ExecCall>(&exec);
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->argv, (std::vector<std::string>{"sh", "-c", "echo a+b"}));
  EXPECT_TRUE(call->input);
  auto log =
      api_.Handle({.method = "GET", .target = "/api/v1/namespaces/shop/pods/a/log?follow=1"});
  ASSERT_NE(std::get_if<LogCall>(&log), nullptr);
  EXPECT_TRUE(std::get<LogCall>(log).follow);
}

TEST_F(HttpApiTest, TellsWhatItServes) {
  EXPECT_EQ(Do("GET", "/healthz").body, "ok");
  EXPECT_EQ(TextAt(Body(Do("GET", "/api")), ".versions[0]"), "v1");
  EXPECT_EQ(TextAt(Body(Do("GET", "/apis/backups.example.com/v1alpha1")),
                   R"(.resources[?(@.name=="volumebackups")].shortNames[0])"),
            "vb");
  const auto open_api = Body(Do("GET", "/openapi/v3/apis/backups.example.com/v1alpha1?hash=1"));
  EXPECT_TRUE(open_api.at("components")
                  .at("schemas")
                  .as_object()
                  .contains("com.example.backups.v1alpha1.VolumeBackup"));
}

}  // namespace
}  // namespace stillpoint::sim::pocket
