// Workloads: from their templates to pods, and what their status says meanwhile.
#include "api/apps.h"
#include "api/core.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "unit/sim/cluster_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace stillpoint::sim {
namespace {

using api::DaemonSet;
using api::Deployment;
using api::PersistentVolumeClaim;
using api::Pod;
using api::ReplicaSet;
using api::StatefulSet;
using testing::ElementsAre;
using namespace std::chrono_literals;

class Workloads : public ClusterFixture {
 protected:
  Workloads() {
    for (const char* claim : {"data", "other"}) cluster_->AddBoundClaim("shop", claim, "fast");
  }

  void AddDeployment(const std::string& strategy, int replicas = 1) {
    Put(Deployment::kResource,
        R"({"metadata":{"name":"db","namespace":"shop"},"spec":{"replicas":)" +
            std::to_string(replicas) + R"(,"strategy":{"type":")" + strategy +
            R"("},"selector":{"matchLabels":{"app":"db"}},"template":
        {"metadata":{"labels":{"app":"db"}},"spec":{"containers":[{"name":"db"}],"volumes":
        [{"name":"data","persistentVolumeClaim":{"claimName":"data"}}]}}}})");
  }
  void Repoint(const std::string& claim) {
    Edit(Deployment::kResource, "db", [&](boost::json::object& object) {
      auto& volumes = Into(object, {"spec", "template", "spec"})["volumes"].as_array();
      volumes[0].as_object()["persistentVolumeClaim"].as_object()["claimName"] = claim;
    });
  }
  void Scale(const api::Resource& resource, int replicas) {
    Edit(resource, "db",
         [&](boost::json::object& object) { Into(object, {"spec"})["replicas"] = replicas; });
  }
  // Of each pod, terminating ones too.
  [[nodiscard]] std::vector<std::string> Claims() {
    std::vector<std::string> claims;
    cluster_->store().ForEach(Pod::kResource, [&](const boost::json::object& pod) {
      for (const auto& mount : ClaimMounts(pod)) claims.push_back(mount.claim);
    });
    std::ranges::sort(claims);
    return claims;
  }
  // Seen by its controller, and as many available as wanted.
  [[nodiscard]] bool IsDone(const api::Resource& resource, std::int64_t replicas) {
    const auto object = Find(resource, "db");
    return Int(*object, {"status", "observedGeneration"}) ==
               Int(*object, {"metadata", "generation"}) &&
           Int(*object, {"status", "updatedReplicas"}) == replicas &&
           Int(*object, {"status", "replicas"}) == replicas &&
           Int(*object, {"status", "availableReplicas"}) == replicas;
  }
};

TEST_F(Workloads, ADeploymentRunsItsPods) {
  AddDeployment("RollingUpdate", 2);
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 2); }));
  const auto deployment = Find(Deployment::kResource, "db");
  EXPECT_EQ(ConditionStatus(*deployment, "Progressing"), "True");
  EXPECT_EQ(ConditionStatus(*deployment, "Available"), "True");
  EXPECT_THAT(Claims(), ElementsAre("data", "data"));
}

TEST_F(Workloads, ARollingUpdateStartsTheNewBeforeItStopsTheOld) {
  AddDeployment("RollingUpdate");
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 1); }));
  Repoint("other");
  ASSERT_TRUE(Until([&] { return Claims().size() == 2; }));
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 1) && Claims().size() == 1; }));
  EXPECT_THAT(Claims(), ElementsAre("other"));
  Repoint("data");  // the ReplicaSet of before comes back
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 1) && Claims().size() == 1; }));
  int sets = 0;
  cluster_->store().ForEach(ReplicaSet::kResource, [&](const auto&) { ++sets; });
  EXPECT_EQ(sets, 2);
}

TEST_F(Workloads, RecreateStopsTheOldBeforeItStartsTheNew) {
  AddDeployment("Recreate");
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 1); }));
  Repoint("other");
  bool both = false;
  ASSERT_TRUE(Until([&] {
    both = both || Claims().size() > 1;
    return Claims() == std::vector<std::string>{"other"} && IsDone(Deployment::kResource, 1);
  }));
  EXPECT_FALSE(both);
}

TEST_F(Workloads, ADeploymentThatCannotProgressSaysSo) {
  AddDeployment("RollingUpdate");
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 1); }));
  Repoint("nowhere");
  time_.RunFor(11min);
  EXPECT_EQ(ConditionStatus(*Find(Deployment::kResource, "db"), "Progressing"), "False");
  EXPECT_EQ(Get(Deployment::kResource, "db", {"status", "availableReplicas"}), "1");
}

TEST_F(Workloads, ADeploymentStopsAndStartsAgain) {
  AddDeployment("RollingUpdate");
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 1); }));
  Scale(Deployment::kResource, 0);
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 0) && Claims().empty(); }));
  Scale(Deployment::kResource, 1);
  EXPECT_TRUE(Until([&] { return IsDone(Deployment::kResource, 1); }));
}

TEST_F(Workloads, WhatADeploymentOwnsGoesWithIt) {
  AddDeployment("RollingUpdate", 2);
  ASSERT_TRUE(Until([&] { return IsDone(Deployment::kResource, 2); }));
  Delete(Deployment::kResource, "db");
  EXPECT_TRUE(Until([&] { return Claims().empty(); }));
}

TEST_F(Workloads, AStatefulSetHasPodsAndClaimsOfTheirOwn) {
  Put(StatefulSet::kResource, R"({"metadata":{"name":"db","namespace":"shop"},"spec":{"replicas":2,
      "selector":{"matchLabels":{"app":"db"}},"template":{"metadata":{"labels":{"app":"db"}},
      "spec":{"containers":[{"name":"db"}]}},"volumeClaimTemplates":[{"metadata":{"name":"data"},
      "spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"late",
      "resources":{"requests":{"storage":"1Gi"}}}}]}})");
  ASSERT_TRUE(Until([&] { return Find(Pod::kResource, "db-1") != nullptr; }));
  EXPECT_TRUE(IsReady("db-0")) << "in order";
  ASSERT_TRUE(Until([&] { return IsDone(StatefulSet::kResource, 2); }));
  EXPECT_THAT(Claims(), ElementsAre("data-db-0", "data-db-1"));
  Scale(StatefulSet::kResource, 0);
  ASSERT_TRUE(Until([&] { return Claims().empty(); }));
  EXPECT_TRUE(Find(PersistentVolumeClaim::kResource, "data-db-1"));
  Scale(StatefulSet::kResource, 2);
  ASSERT_TRUE(Until([&] { return IsDone(StatefulSet::kResource, 2); }));
  const std::string uid = UidOfPod("db-0");
  Edit(StatefulSet::kResource, "db", [](boost::json::object& object) {
    Into(object, {"spec", "template", "metadata", "labels"})["version"] = "2";
  });
  ASSERT_TRUE(Until([&] { return UidOfPod("db-0") != uid && IsReady("db-0"); }));
  ASSERT_TRUE(Until([&] { return IsDone(StatefulSet::kResource, 2); }));
  EXPECT_EQ(Get(StatefulSet::kResource, "db", {"status", "currentRevision"}),
            Get(StatefulSet::kResource, "db", {"status", "updateRevision"}));
}

TEST_F(Workloads, ADaemonSetHasOnePodPerNode) {
  Put(DaemonSet::kResource, R"({"metadata":{"name":"db","namespace":"shop"},"spec":{
      "selector":{"matchLabels":{"app":"db"}},"template":{"metadata":{"labels":{"app":"db"}},
      "spec":{"containers":[{"name":"db"}],"volumes":[{"name":"data","persistentVolumeClaim":
      {"claimName":"data"}}]}}}})");
  ASSERT_TRUE(
      Until([&] { return Get(DaemonSet::kResource, "db", {"status", "numberAvailable"}) == "1"; }));
  EXPECT_THAT(Claims(), ElementsAre("data"));
  Edit(DaemonSet::kResource, "db", [](boost::json::object& object) {
    Into(object, {"spec", "template", "metadata", "labels"})["version"] = "2";
  });
  ASSERT_TRUE(Until([&] {
    const auto set = Find(DaemonSet::kResource, "db");
    return Int(*set, {"status", "observedGeneration"}) == 2 &&
           Int(*set, {"status", "updatedNumberScheduled"}) == 1 &&
           Int(*set, {"status", "numberAvailable"}) == 1;
  }));
  EXPECT_EQ(Claims().size(), 1u);
}

}  // namespace
}  // namespace stillpoint::sim
