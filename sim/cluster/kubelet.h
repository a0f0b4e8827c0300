// Kubelet: runs the pods of the one node through a ContainerRuntime and writes their status; and
// what becomes of the node's pods when the node is silent.
//
// Source of the contract: kubelet and the node lifecycle controller of the kube-controller-manager.
// Not modelled: init and ephemeral containers, probes other than readiness, resources, images.
#pragma once

#include "sim/cluster/container_runtime.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/node_streams.h"
#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
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

  struct Container {
    bool running = false;
    bool ready = false;
    bool ended = false;  // for good
    std::string id;
    api::Time started{};
    int restarts = 0;
    boost::json::object state;  // as in status.containerStatuses
    boost::json::object last_state;
  };
  struct Pod {
    Key key;
    StoredObject object;
    enum class Step { kWaiting, kRunning, kStopping } step = Step::kWaiting;
    std::map<std::string, Container> containers;
    std::string ip;
    std::string reason;  // why it has failed; empty: it has not
    api::Time started{};
    bool status_due = false;
  };

  void Work(const Key& key, const WorkLoop::Done& done);
  void Start(const std::string& uid);
  void Stop(const std::string& uid);
  void RestartLater(const std::string& uid, const std::string& container);
  void Restart(const std::string& uid, const std::string& container);
  void StatusSoon(const std::string& uid);
  void WriteStatus(Pod& pod);
  void FillStatus(const Pod& pod, boost::json::object& object) const;
  [[nodiscard]] std::string PhaseOf(const Pod& pod) const;
  [[nodiscard]] api::Result<PodSandbox> SandboxOf(const boost::json::object& pod) const;
  [[nodiscard]] Container* Find(const std::string& uid, const std::string& container);

  void ReportNode(bool ready);
  void Silence(std::uint64_t spell);
  void EvictAll(std::uint64_t spell);

  Store& store_;
  ContainerRuntime& runtime_;
  const NodeKnobs knobs_;
  NodeState node_ = NodeState::kUp;
  std::uint64_t spell_ = 0;          // counts changes of node_
  std::map<std::string, Pod> pods_;  // by UID
  int last_ip_ = 1;
  NodeStreams streams_;
  WorkLoop keys_;
};

}  // namespace stillpoint::sim
