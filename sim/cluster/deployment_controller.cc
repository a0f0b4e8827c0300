#include "sim/cluster/deployment_controller.h"

#include "api/apps.h"
#include "sim/cluster/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {

constexpr auto& kDeployments = api::Deployment::kResource;
constexpr auto& kSets = api::ReplicaSet::kResource;
constexpr char kHash[] = "pod-template-hash";
constexpr char kRevision[] = "deployment.kubernetes.io/revision";

// A number, or a percentage of `of`.
std::int64_t Share(const json::object& deployment, std::string_view member, std::int64_t of,
                   bool up) {
  const auto* value = At(deployment, {"spec", "strategy", "rollingUpdate", member});
  if (value != nullptr && value->is_number()) {
    return Int(deployment, {"spec", "strategy", "rollingUpdate", member});
  }
  std::int64_t percent = 25;
  if (value != nullptr && value->is_string()) {
    percent = std::atoll(std::string(std::string_view(value->get_string())).c_str());
  }
  return (of * percent + (up ? 99 : 0)) / 100;
}

std::int64_t Wanted(const json::object& set) {
  return Int(set, {"spec", "replicas"}, 1);
}

std::int64_t Sum(const std::vector<StoredObject>& sets, std::string_view status_member) {
  std::int64_t sum = 0;
  for (const auto& set : sets) sum += Int(*set, {"status", status_member});
  return sum;
}

std::int64_t Revision(const json::object& object) {
  return std::atoll(std::string(Annotation(object, kRevision)).c_str());
}

bool IsRecreate(const json::object& deployment) {
  return Text(deployment, {"spec", "strategy", "type"}) == "Recreate";
}

}  // namespace

DeploymentController::DeploymentController(Store& store, const WorkloadKnobs& knobs)
    : store_(store),
      deployments_(store, kDeployments, knobs,
                   [this](const StoredObject& deployment) { Work(deployment); }),
      sets_(store, kSets, [this](const std::string& owner) { deployments_.Add(owner); }),
      // A pod that has gone lets a Deployment of strategy Recreate go on.
      pods_(store, api::Pod::kResource, [this](const std::string& set) {
        const auto owner = owners_.find(set);
        if (owner != owners_.end()) deployments_.Add(owner->second);
      }) {
  store_.On(kDeployments, [this](const Change& change) {
    if (!change.now) progress_.erase(UidOf(*change.before));
  });
  store_.On(kSets, [this](const Change& change) {
    if (change.now) {
      owners_[UidOf(*change.now)] = ControllerOf(*change.now);
    } else {
      owners_.erase(UidOf(*change.before));
    }
  });
}

DeploymentController::Rollout DeploymentController::Look(const StoredObject& deployment) const {
  Rollout rollout{.deployment = deployment};
  rollout.desired = Int(*deployment, {"spec", "replicas"}, 1);
  if (IsRecreate(*deployment)) {
    rollout.max_total = rollout.desired;
  } else {
    const std::int64_t surge = Share(*deployment, "maxSurge", rollout.desired, true);
    const std::int64_t unavailable = Share(*deployment, "maxUnavailable", rollout.desired, false);
    const bool stuck = surge == 0 && unavailable == 0;
    rollout.max_total = rollout.desired + surge;
    rollout.min_available = rollout.desired - (stuck ? 1 : unavailable);
  }
  const std::string hash = TemplateHash(*deployment);
  for (auto& set : sets_.Of(UidOf(*deployment))) {
    if (Text(*set, {"metadata", "labels", kHash}) == hash) {
      rollout.newest = set;
    } else {
      rollout.old.push_back(std::move(set));
    }
  }
  return rollout;
}

void DeploymentController::Work(const StoredObject& deployment) {
  const Rollout rollout = Look(deployment);
  if (Flag(*deployment, {"spec", "paused"})) {
    if (rollout.newest) Scale(rollout.newest, rollout.desired);
  } else if (IsRecreate(*deployment)) {
    Recreate(rollout);
  } else {
    Roll(rollout);
  }
  ForgetOldest(rollout);
  WriteStatus(deployment);
}

// Nothing of the new template runs beside anything of the old ones.
void DeploymentController::Recreate(const Rollout& rollout) {
  bool old_runs = false;
  for (const auto& set : rollout.old) {
    Scale(set, 0);
    for (const auto& pod : pods_.Of(UidOf(*set))) {
      const std::string_view phase = Text(*pod, {"status", "phase"});
      old_runs = old_runs || (phase != "Failed" && phase != "Succeeded");
    }
  }
  if (old_runs) return;
  if (rollout.newest) {
    Scale(rollout.newest, rollout.desired);
  } else {
    MakeNewest(rollout, rollout.desired);
  }
}

void DeploymentController::Roll(const Rollout& rollout) {
  std::int64_t total = rollout.newest ? Wanted(*rollout.newest) : 0;
  const std::int64_t newest = total;
  for (const auto& set : rollout.old) total += Wanted(*set);
  const std::int64_t room = std::max<std::int64_t>(0, rollout.max_total - total);
  const std::int64_t next = std::min(newest + room, rollout.desired);
  if (!rollout.newest) return MakeNewest(rollout, next);
  if (next != newest) return Scale(rollout.newest, next);
  ScaleOldDown(rollout);
}

// As reconcileOldReplicaSets: what does not run goes first.
void DeploymentController::ScaleOldDown(const Rollout& rollout) {
  std::int64_t total = Wanted(*rollout.newest);
  for (const auto& set : rollout.old) total += Wanted(*set);
  const std::int64_t newest_available = Int(*rollout.newest, {"status", "availableReplicas"});
  const std::int64_t newest_unavailable = Wanted(*rollout.newest) - newest_available;
  std::int64_t may_go = total - rollout.min_available - newest_unavailable;
  std::int64_t available = newest_available + Sum(rollout.old, "availableReplicas");
  for (const auto& set : rollout.old) {
    std::int64_t left = Wanted(*set);
    const std::int64_t runs = Int(*set, {"status", "availableReplicas"});
    const std::int64_t idle =
        std::clamp<std::int64_t>(left - runs, 0, std::max<std::int64_t>(0, may_go));
    left -= idle;
    may_go -= idle;
    const std::int64_t spare = std::max<std::int64_t>(0, available - rollout.min_available);
    const std::int64_t more = std::clamp<std::int64_t>(std::min(left, may_go), 0, spare);
    left -= more;
    may_go -= more;
    available -= more;
    Scale(set, left);
  }
}

void DeploymentController::MakeNewest(const Rollout& rollout, std::int64_t replicas) {
  const json::object& deployment = *rollout.deployment;
  json::object pod_template = TemplateOf(deployment);
  const std::string hash = TemplateHash(deployment);
  Into(pod_template, {"metadata", "labels"})[kHash] = hash;
  json::object selector;
  if (const auto* given = Map(deployment, {"spec", "selector"})) selector = *given;
  Into(selector, {"matchLabels"})[kHash] = hash;
  std::int64_t revision = 0;
  for (const auto& set : rollout.old) revision = std::max(revision, Revision(*set));
  store_.Create(
      kSets,
      {{"metadata",
        {{"name", fmt::format("{}-{}", Text(deployment, {"metadata", "name"}), hash)},
         {"namespace", Text(deployment, {"metadata", "namespace"})},
         {"labels", Into(pod_template, {"metadata", "labels"})},
         {"annotations", {{kRevision, std::to_string(revision + 1)}}},
         {"ownerReferences", json::array{ControllerReference(deployment)}}}},
       {"spec",
        {{"replicas", replicas}, {"selector", selector}, {"template", std::move(pod_template)}}}});
}

void DeploymentController::Scale(const StoredObject& set, std::int64_t replicas) {
  if (Wanted(*set) == replicas) return;
  store_.Edit(kSets, KeyOf(*set),
              [&](json::object& object) { Into(object, {"spec"})["replicas"] = replicas; });
}

void DeploymentController::ForgetOldest(const Rollout& rollout) {
  std::vector<StoredObject> idle = rollout.old;
  std::erase_if(idle, [](const auto& set) {
    return Wanted(*set) != 0 || Int(*set, {"status", "replicas"}) != 0 || IsTerminating(*set);
  });
  const auto limit =
      static_cast<std::size_t>(Int(*rollout.deployment, {"spec", "revisionHistoryLimit"}, 10));
  if (idle.size() <= limit) return;
  std::ranges::sort(idle, {},
                    [](const auto& set) { return std::pair(Revision(*set), KeyOf(*set)); });
  for (std::size_t i = 0; i < idle.size() - limit; ++i) {
    store_.Delete(kSets, KeyOf(*idle[i]), UidOf(*idle[i]));
  }
}

// ---- status -------------------------------------------------------------------------------------

void DeploymentController::WriteStatus(const StoredObject& deployment) {
  const Rollout rollout = Look(deployment);
  std::vector<StoredObject> sets = rollout.old;
  if (rollout.newest) sets.push_back(rollout.newest);
  const std::int64_t replicas = Sum(sets, "replicas");
  const std::int64_t available = Sum(sets, "availableReplicas");
  const std::int64_t updated = rollout.newest ? Int(*rollout.newest, {"status", "replicas"}) : 0;
  const bool complete = rollout.newest && updated == rollout.desired &&
                        replicas == rollout.desired && available == rollout.desired;
  const std::string counts = fmt::format("{} {} {}", updated, replicas - updated, available);
  const bool exceeded = IsExceeded(rollout, counts, complete);
  const auto* before = Map(*deployment, {"status"});
  json::object next;
  if (before != nullptr) next["status"] = *before;
  auto& status = Into(next, {"status"});
  status["observedGeneration"] = Int(*deployment, {"metadata", "generation"});
  status["replicas"] = replicas;
  status["updatedReplicas"] = updated;
  status["readyReplicas"] = Sum(sets, "readyReplicas");
  status["availableReplicas"] = available;
  status["unavailableReplicas"] = std::max<std::int64_t>(0, replicas - available);
  for (const char* count : {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
                            "unavailableReplicas"}) {
    if (status[count] == json::value(0)) status.erase(count);  // left out, as all that is empty
  }
  const bool enough = available >= rollout.min_available;
  SetStatusCondition(next, "Available", enough,
                     enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                     enough ? "Deployment has minimum availability."
                            : "Deployment does not have minimum availability.",
                     store_.Now());
  const char* reason = complete   ? "NewReplicaSetAvailable"
                       : exceeded ? "ProgressDeadlineExceeded"
                                  : "ReplicaSetUpdated";
  SetStatusCondition(next, "Progressing", !exceeded, reason, "", store_.Now());
  deployments_.WriteStatus(*deployment, next.at("status").get_object());
}

// Comes back when the deadline would pass.
bool DeploymentController::IsExceeded(const Rollout& rollout, const std::string& counts,
                                      bool complete) {
  Progress& progress = progress_[UidOf(*rollout.deployment)];
  const std::string generation =
      fmt::format("{} {}", counts, Int(*rollout.deployment, {"metadata", "generation"}));
  if (complete || Flag(*rollout.deployment, {"spec", "paused"})) {
    progress = {};
    return false;
  }
  const std::chrono::seconds deadline(
      Int(*rollout.deployment, {"spec", "progressDeadlineSeconds"}, 600));
  if (progress.counts != generation) {
    progress = {.counts = generation, .since = store_.Now()};
    deployments_.AddAfter(*rollout.deployment, deadline);
  }
  return store_.Now() >= progress.since + deadline;
}

}  // namespace stillpoint::sim
