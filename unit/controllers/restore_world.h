// RestoreWorld: a model cluster (sim/) with one application on one claim and a Completed backup of
// it, and the product's controllers, one life after the other. Whose data is where it knows from
// the truth of the cluster's storage.
#pragma once

#include "api/core.h"
#include "api/meta.h"
#include "api/volume_restore.h"
#include "sim/cluster/api_server.h"
#include "sim/cluster/sim_cluster.h"
#include "sim/run/lives.h"
#include "sim/run/scenario.h"
#include "sim/world/faults.h"
#include "sim/world/network.h"
#include "sim/world/point.h"
#include "sim/world/world.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::controllers {

struct RestoreWorldOptions {
  sim::run::WorkloadKind kind = sim::run::WorkloadKind::kDeployment;
  bool late_binding = false;             // the class binds when a pod comes
  bool restored_data_is_broken = false;  // pods on it never get ready
  bool provisioning_fails = false;       // of volumes from snapshots
};

// Threads: one.
class RestoreWorld {
 public:
  // Throws std::logic_error when the application does not come up or its backup does not complete.
  explicit RestoreWorld(const RestoreWorldOptions& options);

  // Applies a VolumeRestore of the backup. The faults can strike from then on.
  void Restore(boost::json::object spec, const std::vector<sim::Fault>& faults);

  // Until the restore is over and all others have ended what they do then. False: it does not come
  // to an end.
  [[nodiscard]] bool RunToEnd();
  // The same, and the restore is deleted as soon as a fault has struck.
  [[nodiscard]] bool RunToEndDeletingWhenStruck();

  // At which a fault could strike, since Restore().
  [[nodiscard]] const std::vector<sim::Moment>& moments() { return world_.trace().moments(); }
  [[nodiscard]] bool FaultStruck();  // any

  // ---- what is the case ----
  [[nodiscard]] bool RestoreIsGone() const;
  [[nodiscard]] api::VolumeRestore restore() const;
  [[nodiscard]] std::string ClaimInTemplate() const;  // of a Deployment
  [[nodiscard]] std::int64_t Replicas() const;
  [[nodiscard]] std::set<std::string> ClaimNames() const;
  [[nodiscard]] api::PersistentVolumeClaim Claim(const std::string& name) const;
  // "old", "backup", "other"; empty: it is not bound.
  [[nodiscard]] std::string DataOf(const std::string& claim);
  [[nodiscard]] std::string PolicyOf(const std::string& claim) const;
  [[nodiscard]] bool OldVolumeExists();
  // What containers run on; each once.
  [[nodiscard]] std::set<std::string> DataInUse();
  [[nodiscard]] const std::string& old_claim() const { return old_claim_; }

 private:
  void BreakAsAsked(const RestoreWorldOptions& options);
  void Install();
  void LabelTheOldClaim();
  void BackUp();
  void Apply(const api::Resource& resource, std::string_view name, boost::json::object spec);
  void DeleteRestore();
  [[nodiscard]] bool Run(const std::function<bool()>& done, std::chrono::milliseconds limit);
  [[nodiscard]] bool ApplicationIsReady() const;
  [[nodiscard]] bool IsOver() const;
  [[nodiscard]] sim::StoredObject Find(const api::Resource& resource, std::string_view name) const;
  [[nodiscard]] sim::StoredObject VolumeOf(const std::string& claim) const;
  [[nodiscard]] std::string DataOn(const std::string& handle);

  const sim::run::Application application_;
  const std::string old_claim_;
  std::string old_handle_;

  sim::World world_{{.seed = 1, .fifo = true}};
  sim::ApiServer server_{[this] { return world_.Now(); }};
  sim::SimCluster cluster_{server_, world_};
  sim::Network network_;
  sim::run::Lives lives_;
};

}  // namespace stillpoint::controllers
