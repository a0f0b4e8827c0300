// Pods, claims, volumes and namespaces: of the core group, the fields that this product reads.
// Source of truth: k8s.io/api/core/v1.
#pragma once

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resource.h"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::api {

// Another object, as Events and claimRef name it.
struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string ns;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string field_path;
  bool operator==(const ObjectReference&) const = default;
};
BOOST_DESCRIBE_STRUCT(ObjectReference, (),
                      (api_version, kind, ns, name, uid, resource_version, field_path))

// ---- Pod --------------------------------------------------------------------------------------

struct ClaimVolumeSource {
  std::string claim_name;
  bool read_only = false;
  bool operator==(const ClaimVolumeSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(ClaimVolumeSource, (), (claim_name, read_only))

// A generic ephemeral volume: its claim is called `<pod>-<volume>` and dies with the pod.
struct EphemeralVolumeSource {
  bool operator==(const EphemeralVolumeSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(EphemeralVolumeSource, (), ())

struct Volume {
  std::string name;
  std::optional<ClaimVolumeSource> persistent_volume_claim;
  std::optional<EphemeralVolumeSource> ephemeral;
  bool operator==(const Volume&) const = default;
};
BOOST_DESCRIBE_STRUCT(Volume, (), (name, persistent_volume_claim, ephemeral))

struct VolumeMount {
  std::string name;
  std::string mount_path;
  bool read_only = false;
  bool operator==(const VolumeMount&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeMount, (), (name, mount_path, read_only))

struct VolumeDevice {
  std::string name;
  std::string device_path;
  bool operator==(const VolumeDevice&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeDevice, (), (name, device_path))

struct Container {
  std::string name;
  std::vector<VolumeMount> volume_mounts;
  std::vector<VolumeDevice> volume_devices;
  bool operator==(const Container&) const = default;
};
BOOST_DESCRIBE_STRUCT(Container, (), (name, volume_mounts, volume_devices))

struct PodSpec {
  std::vector<Volume> volumes;
  std::vector<Container> init_containers;  // native sidecars are among them
  std::vector<Container> containers;
  std::string node_name;
  bool operator==(const PodSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(PodSpec, (), (volumes, init_containers, containers, node_name))

struct ContainerRunning {
  std::optional<Time> started_at;
  bool operator==(const ContainerRunning&) const = default;
};
BOOST_DESCRIBE_STRUCT(ContainerRunning, (), (started_at))

struct ContainerTerminated {
  std::int64_t exit_code = 0;
  std::string reason;
  std::optional<Time> finished_at;
  bool operator==(const ContainerTerminated&) const = default;
};
BOOST_DESCRIBE_STRUCT(ContainerTerminated, (), (exit_code, reason, finished_at))

struct ContainerWaiting {
  std::string reason;  // CrashLoopBackOff, ImagePullBackOff, ...
  std::string message;
  bool operator==(const ContainerWaiting&) const = default;
};
BOOST_DESCRIBE_STRUCT(ContainerWaiting, (), (reason, message))

// At most one is set.
struct ContainerState {
  std::optional<ContainerWaiting> waiting;
  std::optional<ContainerRunning> running;
  std::optional<ContainerTerminated> terminated;
  bool operator==(const ContainerState&) const = default;
};
BOOST_DESCRIBE_STRUCT(ContainerState, (), (waiting, running, terminated))

struct ContainerStatus {
  std::string name;
  bool ready = false;
  std::int64_t restart_count = 0;
  std::string container_id;
  ContainerState state;
  bool operator==(const ContainerStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(ContainerStatus, (), (name, ready, restart_count, container_id, state))

struct PodStatus {
  std::string phase;  // Pending, Running, Succeeded, Failed, Unknown
  std::vector<Condition> conditions;
  std::vector<ContainerStatus> init_container_statuses;
  std::vector<ContainerStatus> container_statuses;
  bool operator==(const PodStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(PodStatus, (),
                      (phase, conditions, init_container_statuses, container_statuses))

// Of a pod's phase: no container of it runs, and none will again.
// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
[[nodiscard]] inline bool HasEnded(std::string_view phase) {
  return phase == "Succeeded" || phase == "Failed";
}

struct Pod {
  static constexpr Resource kResource{"", "v1", "Pod", "pods"};

  ObjectMeta metadata;
  PodSpec spec;
  PodStatus status;
  bool operator==(const Pod&) const = default;
};
BOOST_DESCRIBE_STRUCT(Pod, (), (metadata, spec, status))

// The template of a workload.
struct PodTemplate {
  ObjectMeta metadata;
  PodSpec spec;
  bool operator==(const PodTemplate&) const = default;
};
BOOST_DESCRIBE_STRUCT(PodTemplate, (), (metadata, spec))

// ---- PersistentVolumeClaim --------------------------------------------------------------------

// What a claim is filled from. `ns` only in dataSourceRef.
struct DataSource {
  std::optional<std::string> api_group;  // absent: the core group
  std::string kind;
  std::string name;
  std::string ns;
  bool operator==(const DataSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(DataSource, (), (api_group, kind, name, ns))

struct VolumeResources {
  std::map<std::string, Quantity> requests;  // one key: storage
  bool operator==(const VolumeResources&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeResources, (), (requests))

struct PersistentVolumeClaimSpec {
  std::vector<std::string> access_modes;
  // Absent: the default class. Empty: no class at all.
  std::optional<std::string> storage_class_name;
  std::string volume_mode;  // Filesystem, Block
  std::string volume_name;
  VolumeResources resources;
  std::optional<DataSource> data_source;
  std::optional<DataSource> data_source_ref;
  bool operator==(const PersistentVolumeClaimSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(PersistentVolumeClaimSpec, (),
                      (access_modes, storage_class_name, volume_mode, volume_name, resources,
                       data_source, data_source_ref))

struct PersistentVolumeClaimStatus {
  std::string phase;  // Pending, Bound, Lost
  std::map<std::string, Quantity> capacity;
  bool operator==(const PersistentVolumeClaimStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(PersistentVolumeClaimStatus, (), (phase, capacity))

struct PersistentVolumeClaim {
  static constexpr Resource kResource{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"};

  ObjectMeta metadata;
  PersistentVolumeClaimSpec spec;
  PersistentVolumeClaimStatus status;
  bool operator==(const PersistentVolumeClaim&) const = default;
};
BOOST_DESCRIBE_STRUCT(PersistentVolumeClaim, (), (metadata, spec, status))

// ---- PersistentVolume -------------------------------------------------------------------------

struct CsiVolumeSource {
  std::string driver;
  std::string volume_handle;
  bool operator==(const CsiVolumeSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(CsiVolumeSource, (), (driver, volume_handle))

struct PersistentVolumeSpec {
  std::optional<CsiVolumeSource> csi;
  std::optional<ObjectReference> claim_ref;
  std::string persistent_volume_reclaim_policy;  // Retain, Delete
  std::string storage_class_name;
  bool operator==(const PersistentVolumeSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(PersistentVolumeSpec, (),
                      (csi, claim_ref, persistent_volume_reclaim_policy, storage_class_name))

struct PersistentVolumeStatus {
  std::string phase;  // Pending, Available, Bound, Released, Failed
  bool operator==(const PersistentVolumeStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(PersistentVolumeStatus, (), (phase))

struct PersistentVolume {
  static constexpr Resource kResource{"", "v1", "PersistentVolume", "persistentvolumes", false};

  ObjectMeta metadata;
  PersistentVolumeSpec spec;
  PersistentVolumeStatus status;
  bool operator==(const PersistentVolume&) const = default;
};
BOOST_DESCRIBE_STRUCT(PersistentVolume, (), (metadata, spec, status))

// ---- Namespace --------------------------------------------------------------------------------

struct Namespace {
  static constexpr Resource kResource{"", "v1", "Namespace", "namespaces", false};

  ObjectMeta metadata;
  bool operator==(const Namespace&) const = default;
};
BOOST_DESCRIBE_STRUCT(Namespace, (), (metadata))

}  // namespace stillpoint::api
