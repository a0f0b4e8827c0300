#include "sim/cluster/sim_cluster.h"

#include "api/core.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/volume_binder.h"

#include <fmt/format.h>

namespace stillpoint::sim {

namespace json = boost::json;

SimCluster::SimCluster(ApiServer& api, Timeline& timeline, const ClusterKnobs& knobs,
                       const RuntimeKnobs& runtime_knobs)
    : storage_(timeline, truth_),
      runtime_(timeline, storage_, truth_, runtime_knobs),
      cluster_(api, timeline, storage_, runtime_, knobs) {
  // Whose volume it is: a kept one changes hands.
  cluster_.store().On(api::PersistentVolume::kResource, [this](const Change& change) {
    if (!change.now) return;
    const json::object& volume = *change.now;
    const std::string uid(Text(volume, {"spec", "claimRef", "uid"}));
    if (uid.empty()) return;
    storage_.SetClaim(std::string(Text(volume, {"spec", "csi", "volumeHandle"})),
                      std::string(Text(volume, {"spec", "claimRef", "namespace"})),
                      std::string(Text(volume, {"spec", "claimRef", "name"})), uid);
  });
}

void SimCluster::AddBoundClaim(const std::string& ns, const std::string& name,
                               const std::string& storage_class, const std::string& size) {
  const std::string volume = fmt::format("pv-{}-{}", ns, name);
  auto& store = cluster_.store();
  store.Create(api::PersistentVolumeClaim::kResource,
               {{"metadata",
                 {{"name", name},
                  {"namespace", ns},
                  {"annotations", {{kBindCompleted, "yes"}, {kBoundByController, "yes"}}},
                  {"finalizers", json::array{kClaimProtection}}}},
                {"spec",
                 {{"accessModes", json::array{"ReadWriteOnce"}},
                  {"storageClassName", storage_class},
                  {"volumeMode", "Filesystem"},
                  {"volumeName", volume},
                  {"resources", {{"requests", {{"storage", size}}}}}}},
                {"status",
                 {{"phase", "Bound"},
                  {"accessModes", json::array{"ReadWriteOnce"}},
                  {"capacity", {{"storage", size}}}}}});
  const auto claim = store.Find(api::PersistentVolumeClaim::kResource, {ns, name});
  const std::string uid = UidOf(*claim);
  storage_.AddVolume(
      {.handle = volume, .bytes = Bytes(size), .claim_ns = ns, .claim = name, .claim_uid = uid});
  store.Create(api::PersistentVolume::kResource,
               {{"metadata",
                 {{"name", volume},
                  {"annotations", {{"pv.kubernetes.io/provisioned-by", kDriver}}},
                  {"finalizers", json::array{"external-provisioner.volume.kubernetes.io/finalizer",
                                             kVolumeProtection}}}},
                {"spec",
                 {{"accessModes", json::array{"ReadWriteOnce"}},
                  {"capacity", {{"storage", size}}},
                  {"claimRef",
                   {{"apiVersion", "v1"},
                    {"kind", "PersistentVolumeClaim"},
                    {"namespace", ns},
                    {"name", name},
                    {"uid", uid}}},
                  {"csi", {{"driver", kDriver}, {"volumeHandle", volume}}},
                  {"persistentVolumeReclaimPolicy", "Delete"},
                  {"storageClassName", storage_class},
                  {"volumeMode", "Filesystem"}}},
                {"status", {{"phase", "Bound"}}}});
}

void SimCluster::KillNode() {
  kubelet().SetNode(NodeState::kDead);
  runtime_.KillAll();
}

}  // namespace stillpoint::sim
