// NodeRuntime: the containers as they are reached through their node: not at all while it is down.
#pragma once

#include "sim/cluster/container_runtime.h"
#include "sim/cluster/kubelet.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace stillpoint::sim::run {

// Threads: one. Lifetime: both given outlive it.
class NodeRuntime final : public ContainerRuntime {
 public:
  NodeRuntime(ContainerRuntime& runtime, Kubelet& kubelet) : runtime_(runtime), kubelet_(kubelet) {}

  void Tell(ContainerEvents& events) override { runtime_.Tell(events); }
  void StartPod(const PodSandbox& sandbox) override { runtime_.StartPod(sandbox); }
  void RestartContainer(const std::string& pod_uid, const std::string& container) override {
    runtime_.RestartContainer(pod_uid, container);
  }
  void StopPod(const std::string& pod_uid, std::chrono::milliseconds grace,
               std::function<void()> stopped) override {
    runtime_.StopPod(pod_uid, grace, std::move(stopped));
  }
  [[nodiscard]] api::Result<std::unique_ptr<Command>> StartCommand(const CommandRequest& request,
                                                                   CommandSink sink) override {
    return kubelet_.StartCommand(request, std::move(sink));
  }

 private:
  ContainerRuntime& runtime_;
  Kubelet& kubelet_;
};

}  // namespace stillpoint::sim::run
