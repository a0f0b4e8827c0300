// ContainerRuntime: what runs the containers of the model cluster's one node. The simulator's are
// applications whose truth is known (sim_runtime.h); the embedded cluster's are local processes.
//
// The kubelet (kubelet.h) drives it: it decides when a pod starts, restarts and ends, and writes
// what it learns here into the pod's status.
#pragma once

#include "api/error.h"
#include "kube/exec.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim {

// A pod whose volumes are there.
struct PodSandbox {
  std::string uid;
  std::string ns;
  std::string name;
  boost::json::object pod;                     // as the API server has it
  std::map<std::string, std::string> volumes;  // handle by the name in spec.volumes; claims only
};

// What becomes of the containers, told to the kubelet.
class ContainerEvents {
 public:
  virtual ~ContainerEvents() = default;

  // `container_id` names this life of the container: "containerd://...".
  virtual void OnStarted(const std::string& pod_uid, const std::string& container,
                         const std::string& container_id) = 0;
  virtual void OnReady(const std::string& pod_uid, const std::string& container, bool ready) = 0;
  virtual void OnEnded(const std::string& pod_uid, const std::string& container,
                       const std::string& container_id, int exit_code) = 0;
  // It could not be started; `reason` as in status.containerStatuses[].state.waiting.
  virtual void OnStartFailed(const std::string& pod_uid, const std::string& container,
                             const std::string& reason, const std::string& message) = 0;
};

struct CommandRequest {
  std::string pod_uid;
  std::string container;
  std::vector<std::string> argv;
  bool stdin_open = false;
};

// The end of an exec stream at the command. Destroying it loses the stream: the command reads
// end-of-file if it reads its stdin, and goes on if it does not.
class Command {
 public:
  virtual ~Command() = default;
  virtual void WriteStdin(std::string_view data) = 0;
  virtual void CloseStdin() = 0;
  // Of the container that it runs in.
  [[nodiscard]] virtual const std::string& container_id() const = 0;
};

// What a command says, in order; kExit or an error (its container died) is the last. Not called any
// more once the Command is destroyed, nor from within StartCommand().
using CommandSink = std::function<void(api::Result<kube::ExecEvent>)>;

// Threads: one, that of the Timeline. Events and sinks are called from the Timeline, never from
// within a call.
class ContainerRuntime {
 public:
  virtual ~ContainerRuntime() = default;

  // Before the first pod. `events` outlives all pods.
  virtual void Tell(ContainerEvents& events) = 0;

  virtual void StartPod(const PodSandbox& sandbox) = 0;
  // Again, after OnEnded.
  virtual void RestartContainer(const std::string& pod_uid, const std::string& container) = 0;
  // SIGTERM, after `grace` SIGKILL; `stopped` once nothing of it runs. It is not told of the ends
  // of its containers. Called again with less grace: the smaller one holds.
  virtual void StopPod(const std::string& pod_uid, std::chrono::milliseconds grace,
                       std::function<void()> stopped) = 0;

  // Errors: kNotFound (no such pod), kInvalid (no such container, or it does not run).
  [[nodiscard]] virtual api::Result<std::unique_ptr<Command>> StartCommand(
      const CommandRequest& request, CommandSink sink) = 0;
};

}  // namespace stillpoint::sim
