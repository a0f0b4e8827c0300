#include "sim/cluster/sim_runtime.h"

#include "sim/cluster/fields.h"
#include "sim/cluster/sim_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

// The failureThreshold of a readiness probe, where nobody sets it: one good answer makes up for it.
constexpr int kFailedProbes = 3;

// The client's end of a command.
class Stream final : public Command {
 public:
  explicit Stream(std::shared_ptr<SimCommand> command) : command_(std::move(command)) {}
  ~Stream() override { command_->OnStreamLost(); }

  void WriteStdin(std::string_view data) override { command_->OnStdin(data); }
  void CloseStdin() override { command_->OnStdinEnded(); }
  [[nodiscard]] const std::string& container_id() const override {
    return command_->container_id();
  }

 private:
  const std::shared_ptr<SimCommand> command_;
};

// Handles of the claims that the container mounts. In a pod of one container it has them all.
std::set<std::string> VolumesOf(const PodSandbox& sandbox, const json::object& container,
                                bool alone) {
  std::set<std::string> handles;
  for (const auto& [name, handle] : sandbox.volumes) {
    bool mounts = alone;
    for (const char* list : {"volumeMounts", "volumeDevices"}) {
      const auto* items = List(container, {list});
      if (items == nullptr) continue;
      for (const auto& item : *items) {
        mounts = mounts || (item.is_object() && Text(item.get_object(), {"name"}) == name);
      }
    }
    if (mounts) handles.insert(handle);
  }
  return handles;
}

}  // namespace

SimRuntime::SimRuntime(Timeline& timeline, SimStorage& storage, Truth& truth, RuntimeKnobs knobs)
    : timeline_(timeline), storage_(storage), truth_(truth), knobs_(knobs) {}

SimRuntime::~SimRuntime() = default;

// ---- pods ---------------------------------------------------------------------------------------

void SimRuntime::StartPod(const PodSandbox& sandbox) {
  Pod& pod = pods_[sandbox.uid];
  pod.sandbox = sandbox;
  const auto* containers = List(sandbox.pod, {"spec", "containers"});
  if (containers == nullptr) return;
  for (const auto& item : *containers) {
    if (!item.is_object()) continue;
    const std::string name(Text(item.get_object(), {"name"}));
    pod.containers[name].volumes = VolumesOf(sandbox, item.get_object(), containers->size() == 1);
    RestartContainer(sandbox.uid, name);
  }
}

void SimRuntime::RestartContainer(const std::string& pod_uid, const std::string& container) {
  timeline_.After(knobs_.container_start, [this, pod_uid, container, boot = boot_] {
    if (boot == boot_) Begin(pod_uid, container);
  });
}

SimRuntime::Container* SimRuntime::Find(const std::string& pod_uid, const std::string& container) {
  const auto pod = pods_.find(pod_uid);
  if (pod == pods_.end()) return nullptr;
  const auto found = pod->second.containers.find(container);
  return found == pod->second.containers.end() ? nullptr : &found->second;
}

void SimRuntime::Begin(const std::string& pod_uid, const std::string& name) {
  Container* container = Find(pod_uid, name);
  if (container == nullptr || container->running || pods_.at(pod_uid).stopping) return;
  const PodSandbox& sandbox = pods_.at(pod_uid).sandbox;
  container->running = true;
  container->id = fmt::format("containerd://{:08x}", ++last_container_);
  container->life = truth_.lives.size();
  truth_.lives.push_back({.ns = sandbox.ns,
                          .pod = sandbox.name,
                          .pod_uid = pod_uid,
                          .container = name,
                          .container_id = container->id,
                          .volumes = container->volumes,
                          .starts = Now()});
  for (const auto& volume : container->volumes) storage_.AddWriter(volume);
  const bool ready = !on_start || on_start(sandbox, name);
  container->probe = ready && on_probe ? on_probe(sandbox) : milliseconds(0);
  events_->OnStarted(pod_uid, name, container->id);
  if (!ready) return;
  timeline_.After(knobs_.ready, [this, pod_uid, name, id = container->id] {
    const Container* now = Find(pod_uid, name);
    if (now == nullptr || !now->running || now->id != id) return;
    const bool fails = now->still && now->probe > milliseconds(0);
    if (!fails) events_->OnReady(pod_uid, name, true);
  });
}

void SimRuntime::StopPod(const std::string& pod_uid, milliseconds grace,
                         std::function<void()> stopped) {
  const auto found = pods_.find(pod_uid);
  if (found == pods_.end()) {
    timeline_.After(milliseconds(0), std::move(stopped));
    return;
  }
  Pod& pod = found->second;
  pod.stopping = true;
  pod.when_stopped.push_back(std::move(stopped));
  const milliseconds own = on_stop ? on_stop(pod.sandbox) : knobs_.stop;
  timeline_.After(std::min(grace, own), [this, pod_uid] { Finish(pod_uid); });
}

void SimRuntime::Finish(const std::string& pod_uid) {
  const auto found = pods_.find(pod_uid);
  if (found == pods_.end()) return;
  for (const auto& [name, container] : found->second.containers) End(found->second, name, 143);
  const auto when_stopped = std::move(found->second.when_stopped);
  pods_.erase(found);
  for (const auto& stopped : when_stopped) stopped();
}

// ---- containers ---------------------------------------------------------------------------------

std::vector<std::shared_ptr<SimCommand>> SimRuntime::CommandsIn(const Container& container) const {
  std::vector<std::shared_ptr<SimCommand>> commands;
  for (const auto& [id, command] : commands_) {
    if (command->container_id() == container.id) commands.push_back(command);
  }
  return commands;
}

std::vector<std::shared_ptr<SimCommand>> SimRuntime::HooksWith(
    const std::string& key, const std::string& container_id) const {
  std::vector<std::shared_ptr<SimCommand>> hooks;
  for (const auto& [id, command] : commands_) {
    const bool is_reaper = command->request().argv.back() == "reap";
    if (command->container_id() == container_id && command->key() == key && !is_reaper) {
      hooks.push_back(command);
    }
  }
  return hooks;
}

void SimRuntime::End(Pod& pod, const std::string& name, int exit_code) {
  Container& container = pod.containers.at(name);
  if (!container.running) return;
  const auto commands = CommandsIn(container);
  container.frozen = false;
  container.holders.clear();
  if (container.still) {
    StillTruth& still = truth_.stills[*container.still];
    still.ends = Now();
    still.ended_by_death = true;
    container.still.reset();
  } else {
    for (const auto& volume : container.volumes) storage_.RemoveWriter(volume);
  }
  container.running = false;
  truth_.lives[container.life].ends = Now();
  for (const auto& command : commands) command->Kill(exit_code == 143 ? 143 : 137);
}

bool SimRuntime::Kill(const std::string& pod_uid, const std::string& container, int exit_code) {
  const Container* found = Find(pod_uid, container);
  if (found == nullptr || !found->running || pods_.at(pod_uid).stopping) return false;
  End(pods_.at(pod_uid), container, exit_code);
  timeline_.After(milliseconds(0), [this, pod_uid, container, id = found->id, exit_code] {
    events_->OnEnded(pod_uid, container, id, exit_code);
  });
  return true;
}

void SimRuntime::KillCommands(const std::string& pod_uid, const std::string& name) {
  const Container* container = Find(pod_uid, name);
  if (container == nullptr || !container->running) return;
  for (const auto& command : CommandsIn(*container)) command->Kill(137);
}

void SimRuntime::KillAll() {
  ++boot_;
  for (auto& [uid, pod] : pods_) {
    for (const auto& [name, container] : pod.containers) End(pod, name, 137);
  }
}

bool SimRuntime::SetReady(const std::string& pod_uid, const std::string& container, bool ready) {
  const Container* found = Find(pod_uid, container);
  if (found == nullptr || !found->running) return false;
  timeline_.After(milliseconds(0), [this, pod_uid, container, ready] {
    events_->OnReady(pod_uid, container, ready);
  });
  return true;
}

bool SimRuntime::IsStill(const std::string& pod_uid, const std::string& container) const {
  const auto pod = pods_.find(pod_uid);
  if (pod == pods_.end()) return false;
  const auto found = pod->second.containers.find(container);
  return found != pod->second.containers.end() && found->second.still.has_value();
}

// ---- applications -------------------------------------------------------------------------------

void SimRuntime::Freeze(Container& container, std::uint64_t command, bool held) {
  if (held) {
    container.holders.insert(command);
  } else {
    container.frozen = true;
  }
  Settle(container);
  StillTruth& still = truth_.stills[*container.still];
  (held ? still.holders : still.frozen_by).insert(command);
}

void SimRuntime::Thaw(Container& container) {
  container.frozen = false;
  Settle(container);
}

void SimRuntime::Release(Container& container, std::uint64_t command) {
  if (container.holders.erase(command) > 0) Settle(container);
}

void SimRuntime::Settle(Container& container) {
  const bool stands = container.frozen || !container.holders.empty();
  if (stands == container.still.has_value()) return;
  if (!stands) {
    truth_.stills[*std::exchange(container.still, std::nullopt)].ends = Now();
    for (const auto& volume : container.volumes) storage_.AddWriter(volume);
    return Probe(container);
  }
  const LifeTruth& life = truth_.lives[container.life];
  for (const auto& volume : container.volumes) storage_.RemoveWriter(volume);
  container.still = truth_.stills.size();
  truth_.stills.push_back({.ns = life.ns,
                           .pod = life.pod,
                           .pod_uid = life.pod_uid,
                           .container = life.container,
                           .container_id = life.container_id,
                           .starts = Now()});
  Probe(container);
}

void SimRuntime::Probe(const Container& container) {
  if (container.probe == milliseconds(0)) return;
  const bool ready = !container.still;
  const LifeTruth& life = truth_.lives[container.life];
  timeline_.After(ready ? container.probe / kFailedProbes : container.probe,
                  [this, ready, pod = life.pod_uid, name = life.container, id = container.id,
                   still = container.still] {
                    const Container* now = Find(pod, name);
                    const bool same = now != nullptr && now->running && now->id == id;
                    if (same && now->still == still) events_->OnReady(pod, name, ready);
                  });
}

api::Result<std::unique_ptr<Command>> SimRuntime::StartCommand(const CommandRequest& request,
                                                               CommandSink sink) {
  const Container* container = Find(request.pod_uid, request.container);
  if (!pods_.contains(request.pod_uid)) {
    return api::Error{api::Code::kNotFound, "no such pod runs here"};
  }
  if (container == nullptr || !container->running) {
    return api::Error{api::Code::kInvalid,
                      fmt::format("container {} does not run", request.container)};
  }
  const PodSandbox& sandbox = pods_.at(request.pod_uid).sandbox;
  const std::uint64_t id = truth_.commands.size() + 1;
  truth_.commands.push_back({.id = id,
                             .ns = sandbox.ns,
                             .pod = sandbox.name,
                             .pod_uid = request.pod_uid,
                             .container = request.container,
                             .container_id = container->id,
                             .starts = Now()});
  auto command = std::make_shared<SimCommand>(*this, id, request, container->id, std::move(sink));
  commands_[id] = command;
  command->Start();
  return std::make_unique<Stream>(std::move(command));
}

}  // namespace stillpoint::sim
