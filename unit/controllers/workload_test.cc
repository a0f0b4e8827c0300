#include "controllers/workload.h"

#include "controllers/workload_ref.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <string>

namespace stillpoint::controllers {
namespace {

using testing::HasSubstr;

struct Spelling {
  const char* text;
  WorkloadKind kind;
  const char* name;
};

TEST(ParseApplicationRefTest, TakesWhatKubectlTakes) {
  const Spelling spellings[] = {
      {"mysql", WorkloadKind::kDeployment, "mysql"},
      {"deployment/mysql", WorkloadKind::kDeployment, "mysql"},
      {"deploy/mysql", WorkloadKind::kDeployment, "mysql"},
      {"Deployments/mysql", WorkloadKind::kDeployment, "mysql"},
      {"deployment.apps/mysql", WorkloadKind::kDeployment, "mysql"},
      {"deployments.v1.apps/mysql", WorkloadKind::kDeployment, "mysql"},
      {"statefulset/pg", WorkloadKind::kStatefulSet, "pg"},
      {"sts/pg", WorkloadKind::kStatefulSet, "pg"},
      {"ds/x", WorkloadKind::kDaemonSet, "x"},
      {"daemonsets/x", WorkloadKind::kDaemonSet, "x"},
      {"rs/x", WorkloadKind::kReplicaSet, "x"},
      {"po/x.y", WorkloadKind::kPod, "x.y"},
      {"pods/x", WorkloadKind::kPod, "x"},
  };
  for (const auto& spelling : spellings) {
    const auto ref = ParseApplicationRef(spelling.text);
    ASSERT_TRUE(ref) << spelling.text;
    EXPECT_EQ(*ref, (WorkloadRef{spelling.kind, spelling.name})) << spelling.text;
  }
}

TEST(ParseApplicationRefTest, RefusesTheRestWithASentence) {
  for (const char* text : {"", "job/x", "deployment/", "/x", "a/b/c", "My_App", "pod.apps/x",
                           "deployment.batch/x", "-x"}) {
    const auto ref = ParseApplicationRef(text);
    ASSERT_FALSE(ref) << text;
    EXPECT_EQ(ref.error().code, api::Code::kInvalid);
  }
  EXPECT_THAT(ParseApplicationRef("job/x").error().message, HasSubstr("statefulset"));
}

TEST(ParseApplicationRefTest, ReadsBackItsOwnText) {
  for (const auto kind :
       {WorkloadKind::kDeployment, WorkloadKind::kStatefulSet, WorkloadKind::kDaemonSet,
        WorkloadKind::kReplicaSet, WorkloadKind::kPod}) {
    const WorkloadRef ref{kind, "x"};
    EXPECT_EQ(*ParseApplicationRef(ToString(ref)), ref);
    EXPECT_EQ(ParseWorkloadKind(ToString(kind)), kind);
  }
}

TEST(DecodeWorkloadTest, ReadsADeployment) {
  const auto object = boost::json::parse(R"({
    "kind": "Deployment", "metadata": {"name": "db", "generation": 4},
    "spec": {"replicas": 2, "paused": true, "selector": {"matchLabels": {"app": "db"}},
      "template": {"metadata": {"labels": {"app": "db"}, "annotations": {"a": "b"}},
        "spec": {"volumes": [{"name": "tmp", "emptyDir": {}},
                             {"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]}}},
    "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 1,
      "conditions": [{"type": "Progressing", "status": "False",
                      "reason": "ProgressDeadlineExceeded"}]}})");
  const auto workload = DecodeWorkload(WorkloadKind::kDeployment, object.as_object());
  ASSERT_TRUE(workload) << workload.error().message;
  EXPECT_EQ(workload->claim_volumes, (std::vector<ClaimVolume>{{"data", "c", 1}}));
  EXPECT_EQ(workload->replicas, 2);
  EXPECT_TRUE(workload->paused);
  EXPECT_EQ(workload->template_annotations.at("a"), "b");
  EXPECT_TRUE(workload->rollout.progress_deadline_exceeded);
  EXPECT_EQ(workload->rollout.desired, 2);
  EXPECT_TRUE(MountsClaim(*workload, "c"));
  EXPECT_FALSE(MountsClaim(*workload, "d"));
}

TEST(DecodeWorkloadTest, ReadsAStatefulSet) {
  const auto object = boost::json::parse(R"({
    "metadata": {"name": "pg"},
    "spec": {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"},
      "updateStrategy": {"type": "RollingUpdate"},
      "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}})");
  const auto workload = DecodeWorkload(WorkloadKind::kStatefulSet, object.as_object());
  ASSERT_TRUE(workload) << workload.error().message;
  EXPECT_EQ(workload->replicas, 1);
  EXPECT_TRUE(workload->scaling_deletes_claims);
  EXPECT_FALSE(workload->on_delete);
  EXPECT_TRUE(MountsClaim(*workload, "data-pg-0"));
  EXPECT_TRUE(MountsClaim(*workload, "data-pg-12"));
  EXPECT_FALSE(MountsClaim(*workload, "data-pg-"));
  EXPECT_FALSE(MountsClaim(*workload, "data-pg-old"));
}

TEST(DecodeWorkloadTest, ReadsADaemonSet) {
  const auto object = boost::json::parse(R"({
    "metadata": {"name": "agent"}, "spec": {"updateStrategy": {"type": "OnDelete"}},
    "status": {"desiredNumberScheduled": 3, "currentNumberScheduled": 3,
               "updatedNumberScheduled": 1, "numberAvailable": 2}})");
  const auto workload = DecodeWorkload(WorkloadKind::kDaemonSet, object.as_object());
  ASSERT_TRUE(workload) << workload.error().message;
  EXPECT_FALSE(workload->replicas);
  EXPECT_TRUE(workload->on_delete);
  EXPECT_EQ(workload->rollout,
            (RolloutState{.desired = 3, .replicas = 3, .updated = 1, .available = 2}));
}

TEST(DecodeWorkloadTest, TakesAPodAsItsOwnTemplate) {
  const auto object = boost::json::parse(R"({
    "metadata": {"name": "p", "labels": {"app": "x"}},
    "spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}})");
  const auto workload = DecodeWorkload(WorkloadKind::kPod, object.as_object());
  ASSERT_TRUE(workload) << workload.error().message;
  EXPECT_FALSE(workload->selector);
  EXPECT_EQ(workload->template_labels.at("app"), "x");
  EXPECT_TRUE(MountsClaim(*workload, "c"));
}

}  // namespace
}  // namespace stillpoint::controllers
