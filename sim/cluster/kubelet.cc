#include "sim/cluster/kubelet.h"

#include "api/core.h"
#include "sim/cluster/claim_users.h"
#include "sim/cluster/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::sim {

namespace json = boost::json;
using Key = api::NamespacedName;

namespace {

constexpr auto& kPods = api::Pod::kResource;

std::chrono::milliseconds GraceOf(const json::object& pod) {
  const std::int64_t own = Int(pod, {"spec", "terminationGracePeriodSeconds"}, 30);
  return std::chrono::seconds(Int(pod, {"metadata", "deletionGracePeriodSeconds"}, own));
}

bool HasEnded(const json::object& pod) {
  const std::string_view phase = Text(pod, {"status", "phase"});
  return phase == "Failed" || phase == "Succeeded";
}

json::object Waiting(std::string_view reason, std::string_view message = {}) {
  json::object waiting{{"reason", reason}};
  if (!message.empty()) waiting["message"] = message;
  return {{"waiting", std::move(waiting)}};
}

}  // namespace

Kubelet::Kubelet(Store& store, ContainerRuntime& runtime, const NodeKnobs& knobs)
    : store_(store),
      runtime_(runtime),
      knobs_(knobs),
      lifecycle_(store, knobs),
      streams_(store.timeline()),
      keys_(store.timeline(), {.latency = knobs.status, .workers = 1000},
            [this](const Key& key, const WorkLoop::Done& done) { Work(key, done); }) {
  runtime_.Tell(*this);
  store_.On(kPods, [this](const Change& change) {
    const json::object& pod = change.now ? *change.now : *change.before;
    if (Text(pod, {"spec", "nodeName"}) != knobs_.name) return;
    // Its own writes of the status do not concern it.
    const bool news = !change.now || !change.before ||
                      IsTerminating(*change.before) != IsTerminating(*change.now) ||
                      Text(*change.before, {"spec", "nodeName"}).empty();
    if (news && !change.now) Stop(UidOf(pod));
    if (news && change.now) keys_.Add(KeyOf(pod));
  });
}

// ---- pods ---------------------------------------------------------------------------------------

void Kubelet::Work(const Key& key, const WorkLoop::Done& done) {
  const StoredObject object = store_.Find(kPods, key);
  if (!object || node_ != NodeState::kUp) return done(After::kNothing);
  const std::string uid = UidOf(*object);
  if (IsTerminating(*object)) {
    if (!pods_.contains(uid)) {
      store_.Remove(kPods, key, uid);
    } else {
      Stop(uid);
    }
    return done(After::kNothing);
  }
  if (HasEnded(*object) || pods_.contains(uid)) return done(After::kNothing);
  PodRecord& pod = pods_[uid];
  pod.key = key;
  pod.object = object;
  pod.started = store_.Now();
  pod.ip = fmt::format("10.88.{}.{}", last_ip_ / 250, last_ip_ % 250 + 1);
  ++last_ip_;
  for (const auto& name : ContainersOf(*object)) {
    pod.containers[name].state = Waiting("ContainerCreating");
  }
  WriteStatus(pod);
  store_.timeline().After(knobs_.pod_start, [this, uid] { Start(uid); });
  done(After::kNothing);
}

// Again and again, until its volumes are there.
void Kubelet::Start(const std::string& uid) {
  const auto found = pods_.find(uid);
  if (found == pods_.end() || found->second.step != PodRecord::Step::kWaiting) return;
  if (node_ != NodeState::kUp) return;  // begins again once it is up
  auto sandbox = SandboxOf(*found->second.object);
  if (!sandbox) {
    store_.timeline().After(std::chrono::seconds(1), [this, uid] { Start(uid); });
    return;
  }
  found->second.step = PodRecord::Step::kRunning;
  runtime_.StartPod(*sandbox);
}

void Kubelet::Stop(const std::string& uid) {
  const auto found = pods_.find(uid);
  if (found == pods_.end() || node_ != NodeState::kUp) return;
  const auto step = std::exchange(found->second.step, PodRecord::Step::kStopping);
  if (step == PodRecord::Step::kStopping) return;
  const Key key = found->second.key;
  const auto object = store_.Find(kPods, key);
  const auto grace = GraceOf(object ? *object : *found->second.object);
  const auto stopped = [this, uid, key] {
    store_.timeline().After(knobs_.status, [this, uid, key] {
      pods_.erase(uid);
      const auto pod = store_.Find(kPods, key);
      if (pod && IsTerminating(*pod)) store_.Remove(kPods, key, uid);
    });
  };
  if (step == PodRecord::Step::kWaiting) return stopped();
  runtime_.StopPod(uid, grace, stopped);
}

api::Result<PodSandbox> Kubelet::SandboxOf(const json::object& pod) const {
  const Key key = KeyOf(pod);
  PodSandbox sandbox{.uid = UidOf(pod), .ns = key.ns, .name = key.name, .pod = pod};
  for (const auto& mount : ClaimMounts(pod)) {
    const auto claim = store_.Find(api::PersistentVolumeClaim::kResource, {key.ns, mount.claim});
    const std::string name(claim ? Text(*claim, {"spec", "volumeName"}) : std::string_view());
    const auto volume = store_.Find(api::PersistentVolume::kResource, {"", name});
    if (!claim || !volume || Text(*claim, {"status", "phase"}) != "Bound") {
      return api::Error{api::Code::kUnavailable, "unattached volume " + mount.volume};
    }
    sandbox.volumes[mount.volume] = Text(*volume, {"spec", "csi", "volumeHandle"});
  }
  return sandbox;
}

bool Kubelet::Evict(const Key& key) {
  const auto object = store_.Find(kPods, key);
  const auto found = object ? pods_.find(UidOf(*object)) : pods_.end();
  if (found == pods_.end() || found->second.step == PodRecord::Step::kStopping) return false;
  const std::string uid = found->first;
  found->second.reason = "Evicted";
  for (auto& [name, container] : found->second.containers) {
    container.running = container.ready = false;
    container.state = {{"terminated", {{"exitCode", 137}, {"reason", "ContainerStatusUnknown"}}}};
  }
  WriteStatus(found->second);
  Stop(uid);
  return true;
}

// ---- containers ---------------------------------------------------------------------------------

ContainerRecord* Kubelet::Find(const std::string& uid, const std::string& container) {
  const auto pod = pods_.find(uid);
  if (pod == pods_.end() || pod->second.step != PodRecord::Step::kRunning) return nullptr;
  const auto found = pod->second.containers.find(container);
  return found == pod->second.containers.end() ? nullptr : &found->second;
}

void Kubelet::OnStarted(const std::string& pod_uid, const std::string& container,
                        const std::string& container_id) {
  ContainerRecord* at = Find(pod_uid, container);
  if (at == nullptr) return;
  at->running = true;
  at->id = container_id;
  at->started = store_.Now();
  at->state = {{"running", {{"startedAt", Seconds(store_.Now())}}}};
  StatusSoon(pod_uid);
}

void Kubelet::OnReady(const std::string& pod_uid, const std::string& container, bool ready) {
  ContainerRecord* at = Find(pod_uid, container);
  if (at == nullptr || !at->running) return;
  at->ready = ready;
  StatusSoon(pod_uid);
}

void Kubelet::OnEnded(const std::string& pod_uid, const std::string& container,
                      const std::string& container_id, int exit_code) {
  ContainerRecord* at = Find(pod_uid, container);
  if (at == nullptr || at->id != container_id) return;
  at->running = at->ready = false;
  at->state = {{"terminated",
                {{"exitCode", exit_code},
                 {"reason", exit_code == 0 ? "Completed" : "Error"},
                 {"startedAt", Seconds(at->started)},
                 {"finishedAt", Seconds(store_.Now())},
                 {"containerID", container_id}}}};
  const std::string_view policy = Text(*pods_.at(pod_uid).object, {"spec", "restartPolicy"});
  at->ended = policy == "Never" || (policy == "OnFailure" && exit_code == 0);
  if (!at->ended) RestartLater(pod_uid, container);
  StatusSoon(pod_uid);
}

void Kubelet::OnStartFailed(const std::string& pod_uid, const std::string& container,
                            const std::string& reason, const std::string& message) {
  ContainerRecord* at = Find(pod_uid, container);
  if (at == nullptr) return;
  at->state = Waiting(reason, message);
  RestartLater(pod_uid, container);
  StatusSoon(pod_uid);
}

// The first time at once, then after a back-off that doubles.
void Kubelet::RestartLater(const std::string& uid, const std::string& container) {
  ContainerRecord& at = pods_.at(uid).containers.at(container);
  if (at.restarts++ == 0) {
    store_.timeline().After(knobs_.status, [this, uid, container] { Restart(uid, container); });
    return;
  }
  const auto doubled = knobs_.restart_backoff * (std::int64_t{1} << std::min(at.restarts - 2, 20));
  const auto backoff = std::min<std::chrono::milliseconds>(doubled, knobs_.max_restart_backoff);
  const std::string why =
      fmt::format("back-off {}s restarting failed container={} pod={}",
                  std::chrono::duration_cast<std::chrono::seconds>(backoff).count(), container,
                  pods_.at(uid).key.name);
  at.last_state = std::exchange(at.state, Waiting("CrashLoopBackOff", why));
  store_.timeline().After(backoff, [this, uid, container] { Restart(uid, container); });
}

void Kubelet::Restart(const std::string& uid, const std::string& container) {
  const ContainerRecord* at = Find(uid, container);
  if (at == nullptr || at->running || node_ == NodeState::kDead) return;
  runtime_.RestartContainer(uid, container);
}

// ---- status -------------------------------------------------------------------------------------

void Kubelet::StatusSoon(const std::string& uid) {
  PodRecord& pod = pods_.at(uid);
  if (std::exchange(pod.status_due, true)) return;
  store_.timeline().After(knobs_.status, [this, uid] {
    const auto found = pods_.find(uid);
    if (found == pods_.end()) return;
    found->second.status_due = false;
    WriteStatus(found->second);
  });
}

void Kubelet::WriteStatus(const PodRecord& pod) {
  if (node_ != NodeState::kUp) return;
  const auto object = store_.Find(kPods, pod.key);
  if (!object || UidOf(*object) != UidOf(*pod.object)) return;
  store_.Edit(kPods, pod.key, [&](json::object& now) { FillStatus(pod, store_.Now(), now); });
}

// ---- the node -----------------------------------------------------------------------------------

api::Result<std::unique_ptr<Command>> Kubelet::StartCommand(const CommandRequest& request,
                                                            CommandSink sink) {
  if (node_ != NodeState::kUp) {
    return api::Error{api::Code::kUnavailable, "error dialing backend: i/o timeout"};
  }
  return streams_.Open(runtime_, request, std::move(sink));
}

void Kubelet::SetNode(NodeState state) {
  if (state == node_) return;
  const NodeState before = std::exchange(node_, state);
  if (state != NodeState::kUp) {
    streams_.Cut();
    if (before == NodeState::kUp) lifecycle_.SetHeard(false);
    return;
  }
  streams_.Heal();
  lifecycle_.SetHeard(true);
  CatchUp(before == NodeState::kDead);
}

// With what has changed while nobody reached the node.
void Kubelet::CatchUp(bool was_dead) {
  std::vector<std::string> orphans;
  for (auto& [uid, pod] : pods_) {
    const auto object = store_.Find(kPods, pod.key);
    if (!object || UidOf(*object) != uid) orphans.push_back(uid);
    if (pod.step == PodRecord::Step::kWaiting) {
      store_.timeline().After(knobs_.pod_start, [this, id = uid] { Start(id); });
    }
    if (!was_dead || pod.step != PodRecord::Step::kRunning) continue;
    for (auto& [name, container] : pod.containers) {
      container.running = container.ready = false;
      container.state = {
          {"terminated",
           {{"exitCode", 255}, {"reason", "Unknown"}, {"containerID", container.id}}}};
      ++container.restarts;
      store_.timeline().After(knobs_.pod_start, [this, id = uid, of = name] { Restart(id, of); });
    }
  }
  for (const auto& uid : orphans) Stop(uid);
  for (const auto& [uid, pod] : pods_) WriteStatus(pod);
  store_.ForEach(kPods, [this](const json::object& pod) {
    if (Text(pod, {"spec", "nodeName"}) == knobs_.name) keys_.Add(KeyOf(pod));
  });
}

}  // namespace stillpoint::sim
