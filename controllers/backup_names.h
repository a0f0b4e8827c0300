// Names, labels and keys that tie snapshots to their backup. Derived from UIDs, so that the next
// controller finds what the last one made, and nobody else's.
#pragma once

#include <string>
#include <string_view>

namespace stillpoint::controllers {

inline constexpr char kBackupFinalizer[] = "backups.example.com/backup";
inline constexpr char kManagedByLabel[] = "app.kubernetes.io/managed-by";
inline constexpr char kManagedByValue[] = "stillpoint";
inline constexpr char kBackupLabel[] = "backups.example.com/backup";
inline constexpr char kBackupUidLabel[] = "backups.example.com/backup-uid";
inline constexpr char kClaimLabel[] = "backups.example.com/claim";
inline constexpr char kBackupNameAnnotation[] = "backups.example.com/backup-name";
inline constexpr char kClaimUidAnnotation[] = "backups.example.com/claim-uid";
inline constexpr char kSnapshotClassAnnotation[] = "backups.example.com/snapshot-class";

// `<backup>-<claim>-<hash>`, at most 253 bytes, the same for the same backup UID and claim.
[[nodiscard]] std::string SnapshotName(std::string_view backup_name, std::string_view backup_uid,
                                       std::string_view claim);

// A label value holds 63 bytes: a longer name is cut and given a hash.
[[nodiscard]] std::string LabelValue(std::string_view name);

// The name that the snapshot-controller gives to the content of a snapshot.
// Source: external-snapshotter, pkg/utils GetDynamicSnapshotContentNameForSnapshot.
[[nodiscard]] std::string ContentName(std::string_view snapshot_uid);

}  // namespace stillpoint::controllers
