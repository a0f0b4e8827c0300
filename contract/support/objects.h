// The objects that the suite makes, as small as the API lets them be.
#pragma once

#include "api/apps.h"
#include "api/authorization.h"
#include "api/coordination.h"
#include "api/core.h"
#include "api/event.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "contract/support/session.h"

#include <boost/json/object.hpp>

#include <string>

namespace stillpoint::contract {

inline constexpr api::Resource kBackups = api::VolumeBackup::kResource;
inline constexpr api::Resource kRestores = api::VolumeRestore::kResource;
inline constexpr api::Resource kPods = api::Pod::kResource;
inline constexpr api::Resource kClaims = api::PersistentVolumeClaim::kResource;
inline constexpr api::Resource kVolumes = api::PersistentVolume::kResource;
inline constexpr api::Resource kSnapshots = api::VolumeSnapshot::kResource;
inline constexpr api::Resource kContents = api::VolumeSnapshotContent::kResource;
inline constexpr api::Resource kSnapshotClasses = api::VolumeSnapshotClass::kResource;
inline constexpr api::Resource kStorageClasses = api::StorageClass::kResource;
inline constexpr api::Resource kDeployments = api::Deployment::kResource;
inline constexpr api::Resource kReplicaSets = api::ReplicaSet::kResource;
inline constexpr api::Resource kStatefulSets = api::StatefulSet::kResource;
inline constexpr api::Resource kLeases = api::Lease::kResource;
inline constexpr api::Resource kEvents = api::Event::kResource;
inline constexpr api::Resource kConfigMaps{"", "v1", "ConfigMap", "configmaps"};

// Where pods find their claim, and how a script in one says so: where a container has no root
// directory of its own, it is told where to look.
inline constexpr char kMountPath[] = "/data";
inline constexpr char kData[] = "$POD_ROOT/data";

// apiVersion, kind and name, merged into `fields`.
[[nodiscard]] Json Object(const api::Resource& resource, const std::string& name,
                          boost::json::object fields = {});

// A VolumeBackup of an application that is not there: no controller runs, so nobody minds.
[[nodiscard]] Json Backup(const std::string& name, boost::json::object metadata = {});

// A pod that sleeps; it ends at once when it is told to. `claim` may be empty.
[[nodiscard]] Json Pod(const std::string& name, const std::string& claim = "");

// The same as the template of a workload, with the label app=`name`.
[[nodiscard]] Json Deployment(const std::string& name, int replicas, const std::string& claim = "");
[[nodiscard]] Json StatefulSet(const std::string& name, int replicas);

// Of 16 MiB; `snapshot` may be empty. The class is the suite's.
[[nodiscard]] Json Claim(const std::string& name, const std::string& snapshot = "");
[[nodiscard]] Json Snapshot(const std::string& name, const std::string& claim,
                            const std::string& snapshot_class);

// The class that the settings name, else the default one, else the only one.
[[nodiscard]] Json FindStorageClass(Session& session);
[[nodiscard]] Json FindSnapshotClass(Session& session);

// Makes the pod as soon as its namespace takes one.
void MakePod(Session& session, const Json& pod);

// Makes the pod and waits until it is ready.
Json StartPod(Session& session, const Json& pod);

// The claim, Bound: with a pod that uses it for a while where its class waits for one.
Json BoundClaim(Session& session, const Json& claim);

}  // namespace stillpoint::contract
