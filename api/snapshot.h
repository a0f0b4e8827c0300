// Volume snapshots. Source of truth: external-snapshotter, client/apis/volumesnapshot/v1.
#pragma once

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resource.h"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::api {

inline constexpr std::string_view kSnapshotGroup = "snapshot.storage.k8s.io";

// The last error. It may go away again: the driver is asked until it succeeds.
struct SnapshotError {
  std::optional<Time> time;
  std::string message;
  bool operator==(const SnapshotError&) const = default;
};
BOOST_DESCRIBE_STRUCT(SnapshotError, (), (time, message))

// ---- VolumeSnapshot ---------------------------------------------------------------------------

struct SnapshotSource {
  std::string persistent_volume_claim_name;
  bool operator==(const SnapshotSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(SnapshotSource, (), (persistent_volume_claim_name))

struct VolumeSnapshotSpec {
  SnapshotSource source;
  std::string volume_snapshot_class_name;
  bool operator==(const VolumeSnapshotSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeSnapshotSpec, (), (source, volume_snapshot_class_name))

struct VolumeSnapshotStatus {
  std::string bound_volume_snapshot_content_name;
  std::optional<Time> creation_time;  // the cut
  std::optional<bool> ready_to_use;   // absent: the driver has not said yet
  std::optional<Quantity> restore_size;
  std::optional<SnapshotError> error;
  bool operator==(const VolumeSnapshotStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeSnapshotStatus, (),
                      (bound_volume_snapshot_content_name, creation_time, ready_to_use,
                       restore_size, error))

struct VolumeSnapshot {
  static constexpr Resource kResource{kSnapshotGroup, "v1", "VolumeSnapshot", "volumesnapshots"};

  ObjectMeta metadata;
  VolumeSnapshotSpec spec;
  VolumeSnapshotStatus status;
  bool operator==(const VolumeSnapshot&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeSnapshot, (), (metadata, spec, status))

// ---- VolumeSnapshotContent --------------------------------------------------------------------

struct SnapshotReference {
  std::string name;
  std::string ns;
  std::string uid;
  bool operator==(const SnapshotReference&) const = default;
};
BOOST_DESCRIBE_STRUCT(SnapshotReference, (), (name, ns, uid))

struct SnapshotContentSource {
  std::string volume_handle;  // of the volume that is cut; absent for a pre-provisioned snapshot
  bool operator==(const SnapshotContentSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(SnapshotContentSource, (), (volume_handle))

struct VolumeSnapshotContentSpec {
  SnapshotReference volume_snapshot_ref;
  std::string deletion_policy;  // Retain, Delete
  std::string driver;
  SnapshotContentSource source;
  bool operator==(const VolumeSnapshotContentSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeSnapshotContentSpec, (),
                      (volume_snapshot_ref, deletion_policy, driver, source))

struct VolumeSnapshotContentStatus {
  std::string snapshot_handle;
  // The cut, in nanoseconds since 1970 (TimeFromUnixNanoseconds), unlike in VolumeSnapshot.
  std::optional<std::int64_t> creation_time;
  std::optional<bool> ready_to_use;
  std::optional<std::int64_t> restore_size;  // bytes
  std::optional<SnapshotError> error;
  bool operator==(const VolumeSnapshotContentStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeSnapshotContentStatus, (),
                      (snapshot_handle, creation_time, ready_to_use, restore_size, error))

struct VolumeSnapshotContent {
  static constexpr Resource kResource{kSnapshotGroup, "v1", "VolumeSnapshotContent",
                                      "volumesnapshotcontents", false};

  ObjectMeta metadata;
  VolumeSnapshotContentSpec spec;
  VolumeSnapshotContentStatus status;
  bool operator==(const VolumeSnapshotContent&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeSnapshotContent, (), (metadata, spec, status))

// ---- VolumeSnapshotClass ----------------------------------------------------------------------

struct VolumeSnapshotClass {
  static constexpr Resource kResource{kSnapshotGroup, "v1", "VolumeSnapshotClass",
                                      "volumesnapshotclasses", false};

  ObjectMeta metadata;  // annotation snapshot.storage.kubernetes.io/is-default-class
  std::string driver;
  std::string deletion_policy;
  bool operator==(const VolumeSnapshotClass&) const = default;
};
BOOST_DESCRIBE_STRUCT(VolumeSnapshotClass, (), (metadata, driver, deletion_policy))

}  // namespace stillpoint::api
