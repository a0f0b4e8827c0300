#include "kube/exec_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <ostream>
#include <string>
#include <utility>

namespace stillpoint::kube {
namespace {

using testing::HasSubstr;

// A pod as the API server gives it, with all kinds of containers in all states.
constexpr const char* kPod = R"({
  "metadata": {"name": "db-0", "namespace": "shop", "uid": "u1"},
  "spec": {
    "initContainers": [{"name": "sidecar"}, {"name": "setup"}],
    "containers": [{"name": "mysql"}, {"name": "broken"}, {"name": "young"}],
    "ephemeralContainers": [{"name": "debug"}]
  },
  "status": {
    "phase": "Running",
    "initContainerStatuses": [
      {"name": "sidecar", "containerID": "containerd://s", "state": {"running": {}}},
      {"name": "setup", "containerID": "containerd://i",
       "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}],
    "containerStatuses": [
      {"name": "mysql", "containerID": "containerd://m", "state": {"running": {"startedAt": "x"}}},
      {"name": "broken", "containerID": "", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
    "ephemeralContainerStatuses": [
      {"name": "debug", "containerID": "containerd://d", "state": {"running": {}}}]
  }
})";

ExecRequest Request(std::string container, std::string uid = "u1") {
  return {.ns = "shop",
          .pod = "db-0",
          .pod_uid = std::move(uid),
          .container = std::move(container),
          .command = {"true"}};
}

struct Case {
  const char* name;
  std::string container;
  std::string uid;
  std::string id;  // empty: an error
  api::Code code = api::Code::kUnknown;
  std::string sentence = {};
};

void PrintTo(const Case& wanted, std::ostream* out) {
  *out << wanted.container << " of the pod with UID " << wanted.uid;
}

class FindExecContainerTest : public testing::TestWithParam<Case> {};

TEST_P(FindExecContainerTest, Finds) {
  const Case& want = GetParam();
  const auto id =
      FindExecContainer(boost::json::parse(kPod).as_object(), Request(want.container, want.uid));
  if (!want.id.empty()) {
    ASSERT_TRUE(id) << id.error().message;
    EXPECT_EQ(*id, want.id);
  } else {
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().code, want.code);
    EXPECT_EQ(id.error().message, want.sentence);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Containers, FindExecContainerTest,
    testing::Values(
        Case{"Running", "mysql", "u1", "containerd://m"},
        Case{"Sidecar", "sidecar", "u1", "containerd://s"},
        Case{"Ephemeral", "debug", "u1", "containerd://d"},
        Case{"Replaced", "mysql", "u0", "", api::Code::kNotFound,
             "pod shop/db-0 was replaced: it has UID u1 now"},
        Case{"NoSuch", "mysqld", "u1", "", api::Code::kInvalid,
             "pod shop/db-0 has no container mysqld; it has: mysql, broken, young"},
        Case{"Waiting", "broken", "u1", "", api::Code::kInvalid,
             "container broken of pod shop/db-0 does not run: it is waiting (CrashLoopBackOff)"},
        Case{"Ended", "setup", "u1", "", api::Code::kInvalid,
             "container setup of pod shop/db-0 does not run: it is terminated (Completed)"},
        Case{"WithoutStatus", "young", "u1", "", api::Code::kInvalid,
             "container young of pod shop/db-0 does not run: it is not started"}),
    [](const auto& info) { return info.param.name; });

TEST(FindExecContainerTest, PodThatHasEndedIsNotFound) {
  auto pod = boost::json::parse(kPod);
  pod.at("status").as_object()["phase"] = "Failed";
  const auto id = FindExecContainer(pod.as_object(), Request("mysql"));
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, api::Code::kNotFound);
  EXPECT_EQ(id.error().message, "pod shop/db-0 has ended: its phase is Failed");
}

TEST(FindExecContainerTest, ObjectOfAnotherShapeIsAnErrorAndNoCrash) {
  for (const char* json :
       {"{}", R"({"metadata":1})", R"({"metadata":{"uid":"u1"},"spec":[],"status":"x"})",
        R"({"metadata":{"uid":"u1"},"status":{"containerStatuses":[1,null]}})"}) {
    EXPECT_FALSE(FindExecContainer(boost::json::parse(json).as_object(), Request("mysql"))) << json;
  }
}

TEST(ConfirmExecContainerTest, IsTheSameLifeOfTheSameContainer) {
  const auto pod =
      std::make_shared<const boost::json::object>(boost::json::parse(kPod).as_object());
  EXPECT_TRUE(ConfirmExecContainer(pod, Request("mysql"), "containerd://m"));
  const auto code = [](const api::Result<void>& result) { return result.error().code; };
  EXPECT_EQ(code(ConfirmExecContainer(pod, Request("mysql"), "containerd://old")),
            api::Code::kUnavailable);
  EXPECT_EQ(code(ConfirmExecContainer(pod, Request("broken"), "containerd://b")),
            api::Code::kUnavailable);
  EXPECT_EQ(code(ConfirmExecContainer(pod, Request("mysql", "u0"), "containerd://m")),
            api::Code::kNotFound);
  EXPECT_EQ(code(ConfirmExecContainer(api::Error{api::Code::kForbidden, "no"}, Request("mysql"),
                                      "containerd://m")),
            api::Code::kUnavailable);
}

TEST(ExecRequestTargetTest, EncodesEveryWord) {
  ExecRequest request = Request("mysql");
  request.command = {"/bin/sh", "-c", "echo \"a b\" && x=1%; \xc3\xa4\n", ""};
  EXPECT_EQ(ExecRequestTarget("", request),
            "/api/v1/namespaces/shop/pods/db-0/exec?container=mysql&command=%2Fbin%2Fsh"
            "&command=-c&command=echo%20%22a%20b%22%20%26%26%20x%3D1%25%3B%20%C3%A4%0A&command="
            "&stdin=false&stdout=true&stderr=true&tty=false");
}

TEST(ExecRequestTargetTest, HasBasePathAndStdin) {
  ExecRequest request = Request("mysql");
  request.stdin_open = true;
  const auto target = ExecRequestTarget("/k8s/clusters/c-1", request);
  EXPECT_TRUE(target.starts_with("/k8s/clusters/c-1/api/v1/namespaces/shop/"));
  EXPECT_THAT(target, HasSubstr("&stdin=true&"));
}

}  // namespace
}  // namespace stillpoint::kube
