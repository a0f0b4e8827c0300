// LocalRuntime: containers as processes of this machine.
//
// A container sees the machine's own files and programs, with its volumes at their mount paths, and
// in its process namespace nothing but itself (sandbox.h; there too: what it sees where the kernel
// makes no namespaces for users). Its output goes to a file. Images, ports, limits and security
// contexts are not looked at. Readiness is an exec probe, or else that it runs.
#pragma once

#include "sim/cluster/api_server.h"
#include "sim/cluster/container_runtime.h"
#include "sim/cluster/timeline.h"
#include "sim/pocket/container_spec.h"
#include "sim/pocket/local_volumes.h"
#include "sim/pocket/sandbox.h"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace stillpoint::sim::pocket {

// Threads: one. Lifetime: outlives the loop's run; its processes die with this one.
class LocalRuntime final : public ContainerRuntime {
 public:
  // Pods stand in DIRECTORY/pods. `server` holds the Secrets and ConfigMaps.
  LocalRuntime(boost::asio::any_io_executor executor, Timeline& timeline, const ApiServer& server,
               const LocalVolumes& volumes, std::string directory);

  void Tell(ContainerEvents& events) override { events_ = &events; }
  void StartPod(const PodSandbox& sandbox) override;
  void RestartContainer(const std::string& pod_uid, const std::string& container) override;
  void StopPod(const std::string& pod_uid, std::chrono::milliseconds grace,
               std::function<void()> stopped) override;
  [[nodiscard]] api::Result<std::unique_ptr<Command>> StartCommand(const CommandRequest& request,
                                                                   CommandSink sink) override;

  // Where the output of a container goes; empty: no such container.
  [[nodiscard]] std::string LogFile(const std::string& pod_uid, const std::string& name) const;

  // Do containers have namespaces of their own?
  [[nodiscard]] bool sandboxed() const { return sandboxed_; }

  // Kills every process.
  void KillAll();

 private:
  struct Container {
    ContainerSpec spec;
    pid_t supervisor = 0;  // 0: does not run
    pid_t first = 0;       // of its processes; 0: not known yet
    int life = 0;
    std::string id;
    bool reported = false;     // whether it has started
    std::optional<int> ended;  // before that was known
    bool ready = false;
    int failed_probes = 0;
    std::unique_ptr<Command> probe;
  };
  struct Pod {
    PodSandbox sandbox;
    std::map<std::string, Container> containers;
    std::function<void()> stopped;  // set: it is stopping
  };

  [[nodiscard]] std::string PodDirectory(const std::string& pod_uid) const;
  [[nodiscard]] std::string EmptyDirOf(const std::string& pod_uid, const std::string& volume) const;
  [[nodiscard]] Container* Find(const std::string& pod_uid, const std::string& container);
  [[nodiscard]] SandboxProcess PlanOf(const Pod& pod, const ContainerSpec& spec) const;
  [[nodiscard]] std::map<std::string, std::string> TextsOf(const std::string& ns,
                                                           const std::string& kind,
                                                           const std::string& name) const;
  void StartContainer(const std::string& pod_uid, const std::string& container);
  void ReadReport(int descriptor, std::string pod_uid, std::string container, int life);
  void OnReport(const std::string& pod_uid, const std::string& container, int life,
                const std::string& report);
  void OnEnded(const std::string& pod_uid, const std::string& container, int life, int exit_code);
  void Probe(const std::string& pod_uid, const std::string& container, int life);
  void OnProbed(const std::string& pod_uid, const std::string& container, int life, bool good);
  void Signal(const Pod& pod, int number) const;
  void FinishStop(const std::string& pod_uid);

  const boost::asio::any_io_executor executor_;
  Timeline& timeline_;
  const ApiServer& server_;
  const LocalVolumes& volumes_;
  const std::string directory_;
  const bool sandboxed_;
  ContainerEvents* events_ = nullptr;
  std::map<std::string, Pod> pods_;  // by UID
  std::uint64_t last_id_ = 0;
};

}  // namespace stillpoint::sim::pocket
