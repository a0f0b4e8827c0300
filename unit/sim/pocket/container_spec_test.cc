#include "sim/pocket/container_spec.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace stillpoint::sim::pocket {
namespace {

using testing::ElementsAre;
using testing::Pair;

PodSandbox Sandbox(const char* container) {
  PodSandbox sandbox{.uid = "u", .ns = "shop", .name = "db-0"};
  sandbox.pod = {{"metadata", {{"name", "db-0"}}},
                 {"spec", {{"containers", boost::json::array{boost::json::parse(container)}}}}};
  sandbox.volumes = {{"data", "vol-1"}};
  return sandbox;
}

std::map<std::string, std::string> Texts(const std::string& kind, const std::string& name) {
  if (kind != "Secret" || name != "login") return {};
  return {{"password", "s3cret"}};
}

TEST(ContainerSpecTest, ReadsCommandEnvironmentAndMounts) {
  const auto spec = ReadContainerSpec(
      Sandbox(R"x({"name": "db", "command": ["run", "$(WHO)"], "args": ["$(NOBODY)"],
        "env": [{"name": "WHO", "value": "me"},
                {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "tmp", "mountPath": "/x"}],
        "readinessProbe": {"exec": {"command": ["ok"]}, "periodSeconds": 2}})x"),
      "db", Texts);
  ASSERT_TRUE(spec);
  EXPECT_THAT(spec->argv, ElementsAre("run", "me", "$(NOBODY)"));
  EXPECT_THAT(spec->environment,
              ElementsAre(Pair("POD", "db-0"), Pair("PW", "s3cret"), Pair("WHO", "me")));
  const ContainerMount data{.handle = "vol-1", .volume = "data"};
  EXPECT_THAT(spec->mounts, ElementsAre(Pair("/data", data)));
  EXPECT_THAT(spec->probe, ElementsAre("ok"));
  EXPECT_EQ(spec->probe_period, std::chrono::seconds(2));
}

TEST(ContainerSpecTest, AnEmptyDirAndAPartOfAVolumeAreMounts) {
  PodSandbox sandbox = Sandbox(R"({"name": "db", "command": ["x"], "volumeMounts": [
    {"name": "data", "mountPath": "/data", "subPath": "db/main"},
    {"name": "scratch", "mountPath": "/scratch"},
    {"name": "settings", "mountPath": "/etc/db"}]})");
  sandbox.pod["spec"].as_object()["volumes"] =
      boost::json::parse(R"([{"name": "scratch", "emptyDir": {}},
                             {"name": "settings", "configMap": {"name": "db"}}])");
  EXPECT_THAT(EmptyDirs(sandbox.pod), ElementsAre("scratch"));
  const auto spec = ReadContainerSpec(sandbox, "db", Texts);
  ASSERT_TRUE(spec);
  const ContainerMount part{.handle = "vol-1", .volume = "data", .sub_path = "db/main"};
  const ContainerMount scratch{.volume = "scratch"};
  EXPECT_THAT(spec->mounts, ElementsAre(Pair("/data", part), Pair("/scratch", scratch)));
}

TEST(ContainerSpecTest, NoPartOfAVolumeLeadsOutOfIt) {
  for (const char* path : {"../other", "a/../../b", "/etc"}) {
    const std::string container = fmt::format(
        R"({{"name": "db", "command": ["x"],
             "volumeMounts": [{{"name": "data", "mountPath": "/d", "subPath": "{}"}}]}})",
        path);
    const auto spec = ReadContainerSpec(Sandbox(container.c_str()), "db", Texts);
    ASSERT_FALSE(spec) << path;
    EXPECT_THAT(spec.error().message, testing::HasSubstr(path));
  }
}

TEST(ContainerSpecTest, NeedsACommandAndWhatItRefersTo) {
  EXPECT_FALSE(ReadContainerSpec(Sandbox(R"({"name": "db", "args": ["x"]})"), "db", Texts));
  EXPECT_FALSE(ReadContainerSpec(Sandbox(R"({"name": "db", "command": ["x"], "env": [
    {"name": "A", "valueFrom": {"secretKeyRef": {"name": "login", "key": "user"}}}]})"),
                                 "db", Texts));
  EXPECT_FALSE(ReadContainerSpec(Sandbox(R"({"name": "db", "command": ["x"]})"), "web", Texts));
}

}  // namespace
}  // namespace stillpoint::sim::pocket
