// Names that the snapshot-controller and the csi-snapshotter share. Source of truth:
// external-snapshotter 8.7, pkg/utils/util.go.
#pragma once

namespace stillpoint::sim {

inline constexpr char kContentFinalizer[] =
    "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection";
inline constexpr char kBoundFinalizer[] =
    "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection";
inline constexpr char kAsSourceFinalizer[] =
    "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection";
inline constexpr char kClaimFinalizer[] = "snapshot.storage.kubernetes.io/pvc-as-source-protection";
inline constexpr char kBeingCreated[] =
    "snapshot.storage.kubernetes.io/volumesnapshot-being-created";
inline constexpr char kBeingDeleted[] =
    "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted";
inline constexpr char kDefaultSnapshotClass[] = "snapshot.storage.kubernetes.io/is-default-class";

}  // namespace stillpoint::sim
