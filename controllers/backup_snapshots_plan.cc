// The snapshots of a backup: what is seen of them, and which are missing.
#include "controllers/backup_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::controllers {

void BackupPlanner::RecordSnapshots() {
  if (IsFinal(next_.phase)) return;  // what was true at the end stays on record
  std::size_t ready = 0;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    const SnapshotView& seen = view_.snapshots[i];
    api::VolumeStatus& volume = next_.volumes[i];
    // Seen is seen, also while its record is not worth a write or cannot be written.
    if (volume.snapshot_uid.empty()) volume.snapshot_uid = seen.first_uid;
    if (seen.ours && IsThere(i)) {
      if (!volume.created_at) volume.created_at = seen.created_at.value_or(now_);
      if (!seen.content_name.empty()) volume.content_name = seen.content_name;
      if (!seen.handle.empty()) volume.snapshot_handle = seen.handle;
      if (!seen.restore_size.empty()) volume.size = seen.restore_size;
      if (seen.cut && !volume.cut_at) volume.cut_at = seen.cut_at.value_or(now_);
      if (seen.ready && !volume.ready_at) volume.ready_at = seen.ready_at.value_or(now_);
      volume.error = seen.error;
    } else if (seen.exists && !seen.ours) {
      volume.error = fmt::format("VolumeSnapshot {} exists and belongs to somebody else",
                                 volume.snapshot_name);
    } else if (!volume.snapshot_uid.empty()) {
      volume.error =
          fmt::format("VolumeSnapshot {} was deleted by somebody else", volume.snapshot_name);
      volume.ready_at.reset();
    }
    if (CutFromAnother(i)) {
      volume.error = fmt::format(
          "VolumeSnapshot {} was cut from volume {}, not from {}: the claim "
          "was replaced meanwhile",
          volume.snapshot_name, seen.source_volume_handle, volume.volume_handle);
      volume.ready_at.reset();
    }
    if (volume.ready_at) ++ready;
  }
  next_.volumes_ready = fmt::format("{}/{}", ready, next_.volumes.size());
}

// A create that lay in the network may make it a second time, from another instant.
bool BackupPlanner::IsThere(std::size_t i) const {
  if (i >= view_.snapshots.size() || !view_.snapshots[i].exists) return false;
  if (!view_.snapshots[i].there.value_or(true)) return false;
  const std::string& known = next_.volumes[i].snapshot_uid;
  return known.empty() || known == view_.snapshots[i].uid;
}

// The claim of that name was replaced between our look at it and the cut.
bool BackupPlanner::CutFromAnother(std::size_t i) const {
  if (i >= view_.snapshots.size()) return false;
  const SnapshotView& seen = view_.snapshots[i];
  return seen.exists && !seen.source_volume_handle.empty() &&
         seen.source_volume_handle != next_.volumes[i].volume_handle;
}

// Which volume was cut is told by the content alone, and a controller that came after the cut has
// not seen it. Who may not read contents has to go without.
std::vector<std::size_t> BackupPlanner::UnseenSources() const {
  std::vector<std::size_t> unseen;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    const SnapshotView& seen = view_.snapshots[i];
    if (seen.source_volume_handle.empty() && !seen.content_asked) unseen.push_back(i);
  }
  return unseen;
}

bool BackupPlanner::AllCut() const {
  return !next_.volumes.empty() &&
         std::ranges::all_of(next_.volumes, [](const auto& v) { return v.cut_at.has_value(); });
}

bool BackupPlanner::AllReady() const {
  return !next_.volumes.empty() && std::ranges::all_of(next_.volumes, [](const auto& v) {
    return v.ready_at.has_value() && v.error.empty();
  });
}

// Only what was never there: a snapshot that somebody deleted is not quietly made again, as its
// cut would be from another instant.
void BackupPlanner::CreateMissingSnapshots() {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < next_.volumes.size(); ++i) {
    const SnapshotView seen = i < view_.snapshots.size() ? view_.snapshots[i] : SnapshotView{};
    if (seen.exists || seen.creating || !next_.volumes[i].snapshot_uid.empty()) continue;
    if (seen.create_after && now_ < *seen.create_after) {
      WakeAt(*seen.create_after);
    } else {
      missing.push_back(i);
    }
  }
  if (missing.empty()) return;
  // Before the write of the status: the application stands still meanwhile.
  Act(CreateSnapshots{std::move(missing)});
}

void BackupPlanner::ReadLateContents() {
  std::vector<std::size_t> unread;
  for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
    if (view_.snapshots[i].content_unread && !next_.volumes[i].cut_at) unread.push_back(i);
  }
  if (!unread.empty()) Act(ReadContents{std::move(unread)});
  WakeAt(now_ + std::chrono::seconds(1));
}

}  // namespace stillpoint::controllers
