// Rollouts: the status fields by which controllers/rollout_plan.cc knows that one is over.
//
// https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
// https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
#include "contract/support/contract_test.h"

#include <fmt/format.h>

#include <set>

namespace stillpoint::contract {
namespace {

using kube::Verb;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

class RolloutTest : public ContractTest {
 protected:
  static bool IsOver(const Json& now, int replicas) {
    return Number(now, "/status/observedGeneration") == GenerationOf(now) &&
           Number(now, "/status/replicas") == replicas &&
           Number(now, "/status/updatedReplicas") == replicas &&
           Number(now, "/status/availableReplicas") == replicas;
  }
  Json UntilOver(const api::Resource& resource, int replicas) {
    return Until(
        resource, "app", [replicas](const Json& now) { return IsOver(now, replicas); },
        "rolled out");
  }
  std::vector<Json> Pods() {
    return Elements(Do({.verb = Verb::kList, .resource = kPods, .label_selector = "app=app"}),
                    "/items");
  }
  std::set<std::string> PodUids() {
    std::set<std::string> uids;
    for (const Json& pod : Pods()) uids.insert(UidOf(pod));
    return uids;
  }
  void ChangeTemplate(const api::Resource& resource) {
    Merge(resource, "app",
          {{"spec", {{"template", {{"metadata", {{"annotations", {{"round", "2"}}}}}}}}}});
  }
  void Scale(const api::Resource& resource, int replicas) {
    Merge(resource, "app", {{"spec", {{"replicas", replicas}}}});
  }
};

TEST_F(RolloutTest, ADeploymentIsAvailableWhenItsPodsAre) {
  Create(kDeployments, Deployment("app", 2));
  const Json over = UntilOver(kDeployments, 2);
  EXPECT_EQ(Number(over, "/status/readyReplicas"), 2);
  EXPECT_FALSE(Has(over, "/status/unavailableReplicas"));
  EXPECT_EQ(ConditionOf(over, "Available"), "True");
  EXPECT_EQ(ConditionOf(over, "Progressing"), "True");
  for (const Json& pod : Pods()) {
    EXPECT_EQ(Text(pod, "/status/phase"), "Running");
    EXPECT_EQ(ConditionOf(pod, "Ready"), "True");
    EXPECT_TRUE(Has(pod, "/status/containerStatuses/0/state/running/startedAt"));
    EXPECT_THAT(Text(pod, "/status/containerStatuses/0/containerID"), HasSubstr("://"));
    EXPECT_TRUE(Flag(pod, "/status/containerStatuses/0/ready"));
    EXPECT_FALSE(Text(pod, "/spec/nodeName").empty());
  }
}

// pod -> ReplicaSet -> Deployment, each by a controller reference with the uid.
TEST_F(RolloutTest, APodLeadsToItsDeployment) {
  const Json made = Create(kDeployments, Deployment("app", 1));
  UntilOver(kDeployments, 1);
  const Json pod = Pods().at(0);
  EXPECT_EQ(Text(pod, "/metadata/ownerReferences/0/kind"), "ReplicaSet");
  EXPECT_TRUE(Flag(pod, "/metadata/ownerReferences/0/controller"));
  const Json set = Get(kReplicaSets, Text(pod, "/metadata/ownerReferences/0/name"));
  EXPECT_EQ(UidOf(set), Text(pod, "/metadata/ownerReferences/0/uid"));
  EXPECT_EQ(Text(set, "/metadata/ownerReferences/0/kind"), "Deployment");
  EXPECT_EQ(Text(set, "/metadata/ownerReferences/0/uid"), UidOf(made));
  EXPECT_EQ(Text(pod, "/metadata/labels/pod-template-hash"),
            Text(set, "/metadata/labels/pod-template-hash"));
  EXPECT_THAT(NameOf(pod), StartsWith(NameOf(set) + "-"));
}

TEST_F(RolloutTest, AChangedTemplateMakesNewPods) {
  Create(kDeployments, Deployment("app", 1));
  const Json before = UntilOver(kDeployments, 1);
  const auto old = PodUids();
  ChangeTemplate(kDeployments);
  EXPECT_GT(GenerationOf(Get(kDeployments, "app")), GenerationOf(before));
  UntilOver(kDeployments, 1);
  for (const Json& pod : Pods()) {
    // An old one may still be on its way out.
    EXPECT_EQ(old.contains(UidOf(pod)), Has(pod, "/metadata/deletionTimestamp"));
  }
}

TEST_F(RolloutTest, TheGenerationRunsAheadOfWhatIsObserved) {
  Create(kDeployments, Deployment("app", 0));
  UntilOver(kDeployments, 0);
  const Json changed = Merge(kDeployments, "app", {{"spec", {{"paused", true}}}});
  EXPECT_EQ(Number(changed, "/status/observedGeneration"), GenerationOf(changed) - 1);
  Until(
      kDeployments, "app",
      [](const Json& now) {
        return Number(now, "/status/observedGeneration") == GenerationOf(now);
      },
      "observed");
}

TEST_F(RolloutTest, APausedDeploymentRollsNothingOut) {
  Create(kDeployments, Deployment("app", 1));
  UntilOver(kDeployments, 1);
  const auto old = PodUids();
  Merge(kDeployments, "app", {{"spec", {{"paused", true}}}});
  ChangeTemplate(kDeployments);
  const Json now = Until(
      kDeployments, "app",
      [](const Json& seen) {
        return Number(seen, "/status/observedGeneration") == GenerationOf(seen) &&
               Number(seen, "/status/updatedReplicas") == 0;
      },
      "seen");
  EXPECT_EQ(Number(now, "/status/availableReplicas"), 1);
  EXPECT_EQ(PodUids(), old);
}

TEST_F(RolloutTest, ScaledToZeroHasNoPods) {
  Create(kDeployments, Deployment("app", 2));
  UntilOver(kDeployments, 2);
  Scale(kDeployments, 0);
  const Json over = UntilOver(kDeployments, 0);
  EXPECT_FALSE(Has(over, "/status/replicas")) << "zeros are left out";
  EXPECT_EQ(ConditionOf(over, "Available"), "True");
  // It no longer counts a pod that is on its way out.
  for (const Json& pod : Pods()) EXPECT_TRUE(Has(pod, "/metadata/deletionTimestamp"));
  Scale(kDeployments, 1);
  UntilOver(kDeployments, 1);
}

// Replace and Recreate wait for it: first nothing, then the new.
TEST_F(RolloutTest, RecreateHasNoTwoGenerationsAtOnce) {
  Json deployment = Deployment("app", 1);
  deployment.at("spec").as_object()["strategy"] = {{"type", "Recreate"}};
  Create(kDeployments, deployment);
  UntilOver(kDeployments, 1);
  const std::string old = UidOf(Pods().at(0));
  ChangeTemplate(kDeployments);
  UntilOver(kDeployments, 1);
  // An old pod that has come to its end need not be gone yet: the Deployment controller looks at
  // the phase alone (oldPodsRunning in pkg/controller/deployment/recreate.go).
  std::size_t fresh = 0;
  for (const Json& pod : Pods()) {
    if (UidOf(pod) != old) {
      ++fresh;
    } else {
      EXPECT_THAT(Text(pod, "/status/phase"), AnyOf("Succeeded", "Failed"));
    }
  }
  EXPECT_EQ(fresh, 1U);
}

TEST_F(RolloutTest, APodThatIsDeletedComesBackAsAnother) {
  Create(kDeployments, Deployment("app", 1));
  UntilOver(kDeployments, 1);
  const Json old = Pods().at(0);
  Delete(kPods, NameOf(old));
  UntilGone(kPods, NameOf(old));
  UntilOver(kDeployments, 1);
  const Json fresh = Pods().at(0);
  EXPECT_NE(UidOf(fresh), UidOf(old));
  EXPECT_NE(NameOf(fresh), NameOf(old));
}

TEST_F(RolloutTest, ADeletedDeploymentTakesItsPodsWithIt) {
  Create(kDeployments, Deployment("app", 1));
  UntilOver(kDeployments, 1);
  const std::string pod = NameOf(Pods().at(0));
  Delete(kDeployments, "app");
  UntilGone(kPods, pod);
}

// A claim that is not there: the pod is Pending, and the rollout does not go on.
TEST_F(RolloutTest, WithoutItsClaimAPodIsPending) {
  Create(kDeployments, Deployment("app", 1, "nobody"));
  // A pod is counted as unavailable before it exists, and as a replica afterwards.
  Until(
      kDeployments, "app",
      [](const Json& now) {
        return Number(now, "/status/replicas") == 1 &&
               Number(now, "/status/unavailableReplicas") == 1;
      },
      "unavailable");
  EXPECT_EQ(Text(Pods().at(0), "/status/phase"), "Pending");
  EXPECT_EQ(ConditionOf(Get(kDeployments, "app"), "Available"), "False");
}

// spec.progressDeadlineSeconds: how a rollout that will not come to an end says so.
TEST_F(RolloutTest, ARolloutThatStopsSaysSoAfterItsDeadline) {
  Json deployment = Deployment("app", 1, "nobody");
  deployment.at("spec").as_object()["progressDeadlineSeconds"] = 1;
  Create(kDeployments, deployment);
  const Json stuck = Until(
      kDeployments, "app",
      [](const Json& now) { return ConditionOf(now, "Progressing") == "False"; }, "given up");
  EXPECT_THAT(ToText(stuck.at("status").at("conditions")), HasSubstr("ProgressDeadlineExceeded"));
}

// ---- pods ---------------------------------------------------------------------------------------

// The thaw of an application whose pod is on its way out goes to that very pod.
TEST_F(RolloutTest, ATerminatingPodStillTakesCommands) {
  const std::string end = "/tmp/" + ns() + "-end";
  Json pod = Pod("app");
  auto& spec = pod.at("spec").as_object();
  spec["terminationGracePeriodSeconds"] = 60;
  spec.at("containers").at(0).as_object()["command"] = List(
      {"/bin/sh", "-c", fmt::format("trap : TERM; until [ -e {} ]; do sleep 0.05; done", end)});
  StartPod(*this, pod);
  Delete(kPods, "app");
  const Json leaving = Get(kPods, "app");
  EXPECT_TRUE(Has(leaving, "/metadata/deletionTimestamp"));
  EXPECT_EQ(Number(leaving, "/metadata/deletionGracePeriodSeconds"), 60);
  Sh("app", ": >" + end);
  UntilGone(kPods, "app");
}

// restartPolicy Never: the phase tells how it ended, and no command starts in it any more.
TEST_F(RolloutTest, APodThatHasEndedTakesNoCommands) {
  for (const auto& [script, phase] :
       {std::pair("exit 0", "Succeeded"), std::pair("exit 3", "Failed")}) {
    const std::string name = script[5] == '0' ? "well" : "badly";
    Json pod = Pod(name);
    pod.at("spec").as_object()["restartPolicy"] = "Never";
    pod.at("spec").at("containers").at(0).as_object()["command"] = List({"/bin/sh", "-c", script});
    MakePod(*this, pod);
    const Json ended = Until(
        kPods, name, [phase](const Json& now) { return Text(now, "/status/phase") == phase; },
        phase);
    EXPECT_EQ(Number(ended, "/status/containerStatuses/0/state/terminated/exitCode"),
              script[5] - '0');
    const Outcome refused = Exec(name, {"true"});
    ASSERT_TRUE(refused.error);
    EXPECT_EQ(refused.error->code, api::Code::kNotFound) << refused.error->message;
  }
}

// A running pod is another one after a restart of its container only by the count and the ID.
TEST_F(RolloutTest, ARestartedContainerHasAnotherId) {
  const std::string end = "/tmp/" + ns() + "-end";
  Json pod = Pod("app");
  pod.at("spec").at("containers").at(0).as_object()["command"] =
      List({"/bin/sh", "-c", fmt::format("rm -f {0}; until [ -e {0} ]; do sleep 0.05; done", end)});
  StartPod(*this, pod);
  const Json before = Get(kPods, "app");
  Sh("app", ": >" + end);
  const Json after = Until(
      kPods, "app",
      [](const Json& now) {
        return Number(now, "/status/containerStatuses/0/restartCount") == 1 &&
               Has(now, "/status/containerStatuses/0/state/running");
      },
      "restarted");
  EXPECT_EQ(UidOf(before), UidOf(after));
  EXPECT_NE(Text(before, "/status/containerStatuses/0/containerID"),
            Text(after, "/status/containerStatuses/0/containerID"));
}

// ---- StatefulSets -------------------------------------------------------------------------------

TEST_F(RolloutTest, AStatefulSetNamesItsPods) {
  Create(kStatefulSets, StatefulSet("app", 2));
  const Json over = UntilOver(kStatefulSets, 2);
  EXPECT_EQ(Number(over, "/status/readyReplicas"), 2);
  EXPECT_EQ(Text(over, "/status/currentRevision"), Text(over, "/status/updateRevision"));
  for (const char* name : {"app-0", "app-1"}) {
    const Json pod = Get(kPods, name);
    EXPECT_EQ(Text(pod, "/metadata/ownerReferences/0/uid"), UidOf(over));
    EXPECT_EQ(Text(pod, "/metadata/labels/statefulset.kubernetes.io~1pod-name"), name);
  }
}

TEST_F(RolloutTest, AStatefulSetThatIsScaledToZeroAndBackHasNewPodsOfTheSameName) {
  Create(kStatefulSets, StatefulSet("app", 1));
  UntilOver(kStatefulSets, 1);
  const std::string old = UidOf(Get(kPods, "app-0"));
  Scale(kStatefulSets, 0);
  const Json none = Until(
      kStatefulSets, "app",
      [](const Json& now) {
        return Number(now, "/status/observedGeneration") == GenerationOf(now) &&
               Number(now, "/status/replicas") == 0;
      },
      "scaled to zero");
  // It counts a pod until it is gone, unlike a Deployment.
  EXPECT_FALSE(Exists(kPods, "app-0")) << ToText(none);
  Scale(kStatefulSets, 1);
  UntilOver(kStatefulSets, 1);
  EXPECT_NE(UidOf(Get(kPods, "app-0")), old);
}

TEST_F(RolloutTest, AChangedTemplateOfAStatefulSetIsANewRevision) {
  Create(kStatefulSets, StatefulSet("app", 1));
  const Json before = UntilOver(kStatefulSets, 1);
  const std::string old = UidOf(Get(kPods, "app-0"));
  ChangeTemplate(kStatefulSets);
  const Json over = Until(
      kStatefulSets, "app",
      [&before](const Json& now) {
        return IsOver(now, 1) &&
               Text(now, "/status/currentRevision") != Text(before, "/status/currentRevision");
      },
      "rolled out");
  EXPECT_EQ(Text(over, "/status/currentRevision"), Text(over, "/status/updateRevision"));
  EXPECT_NE(UidOf(Get(kPods, "app-0")), old);
}

}  // namespace
}  // namespace stillpoint::contract
