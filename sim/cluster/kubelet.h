// Kubelet: runs the pods of the one node through a ContainerRuntime and writes their status.
//
// Source of the contract: k8s.io/kubernetes/pkg/kubelet. Not modelled: init and ephemeral
// containers, probes other than readiness, resources, images.
#pragma once

#include "sim/cluster/container_runtime.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/node_lifecycle.h"
#include "sim/cluster/node_streams.h"
#include "sim/cluster/pod_status.h"
#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <map>
#include <memory>
#include <string>

namespace stillpoint::sim {

enum class NodeState {
  kUp,
  kSilent,  // its pods run on, and nobody reaches it
  kDead,    // nothing runs on it; what ran starts again once it is up
};

// Lifetime: must outlive what it has put on the timeline of `store`; `runtime` outlives it.
class Kubelet final : public ContainerEvents {
 public:
  // Registers the node.
  Kubelet(Store& store, ContainerRuntime& runtime, const NodeKnobs& knobs);

  // Before kDead: whoever has the runtime takes the power from it (SimRuntime::KillAll).
  void SetNode(NodeState state);

  // As when the node runs out of memory or disk: the pod ends as Failed, and stays as an object.
  // False: no such pod runs.
  bool Evict(const api::NamespacedName& key);

  // The exec subresource, once the API server has found the pod. Errors: as
  // ContainerRuntime::StartCommand; kUnavailable when the node is not up.
  [[nodiscard]] api::Result<std::unique_ptr<Command>> StartCommand(const CommandRequest& request,
                                                                   CommandSink sink);

  void OnStarted(const std::string& pod_uid, const std::string& container,
                 const std::string& container_id) override;
  void OnReady(const std::string& pod_uid, const std::string& container, bool ready) override;
  void OnEnded(const std::string& pod_uid, const std::string& container,
               const std::string& container_id, int exit_code) override;
  void OnStartFailed(const std::string& pod_uid, const std::string& container,
                     const std::string& reason, const std::string& message) override;

 private:
  using Key = api::NamespacedName;

  void Work(const Key& key, const WorkLoop::Done& done);
  void CatchUp(bool was_dead);
  void Start(const std::string& uid);
  void Stop(const std::string& uid);
  void RestartLater(const std::string& uid, const std::string& container);
  void Restart(const std::string& uid, const std::string& container);
  void StatusSoon(const std::string& uid);
  void WriteStatus(const PodRecord& pod);
  [[nodiscard]] api::Result<PodSandbox> SandboxOf(const boost::json::object& pod) const;
  [[nodiscard]] ContainerRecord* Find(const std::string& uid, const std::string& container);

  Store& store_;
  ContainerRuntime& runtime_;
  const NodeKnobs knobs_;
  NodeState node_ = NodeState::kUp;
  NodeLifecycle lifecycle_;
  std::map<std::string, PodRecord> pods_;  // by UID
  int last_ip_ = 1;
  NodeStreams streams_;
  WorkLoop keys_;
};

}  // namespace stillpoint::sim
