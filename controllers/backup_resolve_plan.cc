#include "controllers/backup_resolve_plan.h"

#include "api/core.h"
#include "api/words.h"
#include "controllers/backup_names.h"
#include "controllers/reasons.h"
#include "controllers/snapshot_class_plan.h"
#include "controllers/workload_ref.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace stillpoint::controllers {

using namespace std::chrono_literals;

namespace {

// After its grace period a pod is killed, and its object goes when the kubelet has said so.
constexpr auto kKubeletPatience = 10s;

// The pods whose application writes now: those that end or have ended do not count.
std::vector<GroupPod> LivingPods(const ResolveFacts& facts) {
  std::vector<GroupPod> pods;
  std::ranges::copy_if(facts.pods, std::back_inserter(pods), [](const GroupPod& pod) {
    return !pod.goes_by && !api::HasEnded(pod.phase);
  });
  std::ranges::sort(pods, {}, [](const GroupPod& pod) { return pod.hook.name; });
  return pods;
}

// Which claims, in a stable order: the ones named, else all that the pods mount.
std::vector<std::string> WantedClaims(const api::VolumeBackup& backup,
                                      const std::vector<GroupPod>& pods) {
  if (!backup.spec.claims.empty()) return backup.spec.claims;
  std::set<std::string> claims;
  for (const GroupPod& pod : pods) claims.insert(pod.claims.begin(), pod.claims.end());
  return {claims.begin(), claims.end()};
}

std::optional<ResolveProblem> ClaimProblem(const ClaimFacts& claim) {
  if (!claim.found) {
    return ResolveProblem{reason::kTargetNotFound, claim.name,
                          fmt::format("there is no PersistentVolumeClaim \"{}\"", claim.name)};
  }
  if (claim.terminating) {
    return ResolveProblem{reason::kClaimTerminating, claim.name,
                          fmt::format("claim {} is being deleted", claim.name)};
  }
  if (claim.phase != "Bound") {
    return ResolveProblem{reason::kClaimNotBound, claim.name,
                          fmt::format("claim {} is {}, not Bound: it has no volume to cut",
                                      claim.name, claim.phase.empty() ? "Pending" : claim.phase)};
  }
  if (claim.driver.empty()) {
    return ResolveProblem{reason::kNotCSI, claim.name,
                          fmt::format("the volume of claim {} is not a CSI volume: only those can "
                                      "be snapshotted; leave it out with spec.claims",
                                      claim.name)};
  }
  return std::nullopt;
}

class Resolver {
 public:
  Resolver(const api::VolumeBackup& backup, const ResolveFacts& facts)
      : backup_(backup), facts_(facts), pods_(LivingPods(facts)) {}

  Resolution Run() {
    if (facts_.workload_error) {
      WorkloadProblem(*facts_.workload_error);
      return std::move(out_);
    }
    CheckPods();
    CheckClasses();
    for (const std::string& claim : WantedClaims(backup_, pods_)) AddClaim(claim);
    if (out_.volumes.empty() && out_.problems.empty()) {
      Problem(reason::kTargetNotFound, {},
              fmt::format("{} mounts no persistent volume claim: there is nothing to back up",
                          TargetText(backup_.spec)));
    }
    AddHooks();
    FindWriters();
    NoteEphemeral();
    return std::move(out_);
  }

 private:
  void Problem(std::string reason, std::string claim, std::string message) {
    out_.problems.push_back({std::move(reason), std::move(claim), std::move(message)});
  }

  void WorkloadProblem(const api::Error& error) {
    switch (error.code) {
      case api::Code::kNotFound:
        return Problem(reason::kTargetNotFound, {},
                       fmt::format("spec.applicationRef: there is no {} in namespace {}",
                                   TargetText(backup_.spec), backup_.metadata.ns));
      case api::Code::kForbidden:
        return Problem(reason::kForbidden, {}, error.message);
      default:
        return Problem(reason::kTargetNotFound, {},
                       fmt::format("spec.applicationRef: {}", error.message));
    }
  }

  bool ByClaims() const { return backup_.spec.application_ref.empty() && !backup_.spec.selector; }

  // Claims alone may be mounted by nobody; an application must run to be brought to a still point.
  void CheckPods() {
    for (const GroupPod& pod : pods_) out_.pod_uids.push_back(pod.hook.uid);
    if (ByClaims()) return;
    if (std::ranges::none_of(pods_, [](const GroupPod& p) { return p.phase == "Running"; })) {
      Problem(reason::kNoRunningPods, {},
              fmt::format("{} has no running pods: start it, or name its claims alone in "
                          "spec.claims",
                          TargetText(backup_.spec)));
    }
  }

  void CheckClasses() {
    if (!facts_.classes_error) return;
    const api::Error& error = *facts_.classes_error;
    if (error.code == api::Code::kForbidden) {
      return Problem(reason::kForbidden, {}, error.message);
    }
    Problem(reason::kSnapshotAPIAbsent, {},
            "the cluster does not serve snapshot.storage.k8s.io/v1: install the CRDs and the "
            "snapshot-controller of kubernetes-csi/external-snapshotter");
  }

  void AddClaim(const std::string& name) {
    api::VolumeStatus volume;
    volume.claim = name;
    const auto found = std::ranges::find(facts_.claims, name, &ClaimFacts::name);
    const ClaimFacts claim = found == facts_.claims.end() ? ClaimFacts{.name = name} : *found;
    volume.claim_uid = claim.uid;
    volume.source = claim.source;
    volume.driver = claim.driver;
    volume.volume_handle = claim.volume_handle;
    volume.snapshot_name = SnapshotName(backup_.metadata.name, backup_.metadata.uid, name);
    auto problem = ClaimProblem(claim);
    if (!problem && !ByClaims() && !MountedByGroup(name)) {
      problem = ResolveProblem{
          reason::kTargetNotFound, name,
          fmt::format("spec.claims: no pod of {} mounts claim {}", TargetText(backup_.spec), name)};
    }
    if (!problem && !facts_.classes_error) {
      ClassChoice choice = ChooseClass(backup_, facts_, claim);
      volume.class_ = std::move(choice.name);
      problem = std::move(choice.problem);
    }
    if (problem) {
      volume.error = problem->message;
      out_.problems.push_back(std::move(*problem));
    }
    out_.volumes.push_back(std::move(volume));
  }

  bool MountedByGroup(const std::string& claim) const {
    return std::ranges::any_of(pods_, [&](const GroupPod& pod) {
      return std::ranges::find(pod.claims, claim) != pod.claims.end();
    });
  }

  void AddHooks() {
    std::vector<hooks::PodFacts> pods;
    for (const GroupPod& pod : pods_) pods.push_back(pod.hook);
    hooks::HookPlan plan = hooks::PlanHooks({.spec_hooks = backup_.spec.hooks,
                                             .quiesce = backup_.spec.quiesce,
                                             .quiesce_path = backup_.spec.quiesce_path,
                                             .pods = std::move(pods),
                                             .workload_annotations = facts_.workload_annotations,
                                             .max_freeze = backup_.spec.max_freeze});
    for (auto& problem : plan.problems) Problem(problem.reason, {}, problem.message);
    for (auto& warning : plan.warnings) {
      out_.warnings.push_back({warning.reason, warning.message});
    }
    for (const hooks::HookTarget& target : plan.targets) AddTarget(target);
  }

  void AddTarget(const hooks::HookTarget& target) {
    const auto pod =
        std::ranges::find(pods_, target.pod_uid, [](const GroupPod& p) { return p.hook.uid; });
    if (pod != pods_.end() && pod->phase != "Running") {
      return Problem(reason::kNoRunningPods, {},
                     fmt::format("pod {} is {}: it has a hook and must run to be brought to a "
                                 "still point",
                                 target.pod, pod->phase.empty() ? "Pending" : pod->phase));
    }
    out_.targets.push_back({.pod = target.pod,
                            .pod_uid = target.pod_uid,
                            .container = target.container,
                            .hook = target.hook,
                            .mode = target.mode,
                            .weight = target.weight,
                            .guarded = target.guarded,
                            .session_lock = target.session_lock,
                            .pre_command = target.pre_command,
                            .post_command = target.post_command,
                            .timeout = target.timeout,
                            .on_error = target.on_error});
  }

  // Pods that may write to a volume while it is cut, as no pre-hook holds them still.
  void FindWriters() {
    for (const GroupPod& pod : facts_.pods) {
      const bool held = std::ranges::any_of(out_.targets, [&](const api::FreezeTarget& target) {
        return target.pod_uid == pod.hook.uid && !target.pre_command.empty();
      });
      if (api::HasEnded(pod.phase) || held || !FirstWanted(pod.claims)) continue;
      out_.writers.push_back(
          fmt::format("pod {} uses a volume of this backup and {}", pod.hook.name,
                      pod.goes_by ? "is still being deleted" : "has no pre-hook"));
      if (pod.goes_by) WaitFor(pod);
    }
    for (const OtherPod& pod : facts_.others) {
      const auto claim = FirstWanted(pod.claims);
      if (!claim) continue;
      out_.writers.push_back(
          fmt::format("pod {} is not of {} and may write to claim {}: give it a read-only mount if "
                      "it only reads",
                      pod.name, TargetText(backup_.spec), *claim));
    }
  }

  void WaitFor(const GroupPod& pod) {
    const api::Time until = *pod.goes_by + kKubeletPatience;
    if (out_.ending && out_.ending->until >= until) return;
    out_.ending = Ending{
        fmt::format("pod {} is being deleted and may still write to its volumes", pod.hook.name),
        until};
  }

  std::optional<std::string> FirstWanted(const std::vector<std::string>& claims) const {
    const auto wanted = std::ranges::find_if(out_.volumes, [&](const api::VolumeStatus& volume) {
      return std::ranges::find(claims, volume.claim) != claims.end();
    });
    if (wanted == out_.volumes.end()) return std::nullopt;
    return wanted->claim;
  }

  void NoteEphemeral() {
    std::vector<std::string> names;
    for (const GroupPod& pod : pods_) {
      for (const std::string& volume : pod.ephemeral_volumes) {
        names.push_back(fmt::format("{} of pod {}", volume, pod.hook.name));
      }
    }
    if (!names.empty()) {
      out_.note = fmt::format("not backed up, as they go with their pod: ephemeral volumes {}",
                              api::Listed(names));
    }
  }

  const api::VolumeBackup& backup_;
  const ResolveFacts& facts_;
  const std::vector<GroupPod> pods_;
  Resolution out_;
};

}  // namespace

std::string TargetText(const api::VolumeBackupSpec& spec) {
  if (!spec.application_ref.empty()) {
    const auto ref = ParseApplicationRef(spec.application_ref);
    return ref ? ToString(*ref) : spec.application_ref;
  }
  return spec.selector ? "selector" : "claims";
}

Resolution PlanResolve(const api::VolumeBackup& backup, const ResolveFacts& facts) {
  return Resolver(backup, facts).Run();
}

}  // namespace stillpoint::controllers
