// What BackupController sees: the view that a pass is planned on.
#include "controllers/backup_controller.h"
#include "controllers/backup_names.h"
#include "controllers/restore_hold.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace stillpoint::controllers {

using namespace std::chrono_literals;

namespace {

// Older than this, what was read of the application and of the snapshots is read again.
constexpr auto kFactsLifetime = 5s;
constexpr auto kLookLifetime = 2s;  // longer than anybody waits for its answer

// What was asked of the API server itself is believed for so long before its news by watch.
constexpr auto kInformerPatience = 1s;

// A content without an event for so long is asked for by name.
constexpr auto kContentPatience = 1s;

// Why this restore is in the way of the backup; empty: it is not.
std::string HoldOf(const api::VolumeRestore& restore, const BackupSession& session) {
  if (HoldsWorkload(restore) && restore.status.target == TargetText(session.object.spec)) {
    return fmt::format("restore {} is changing {}", restore.metadata.name, restore.status.target);
  }
  if (!session.facts) return {};
  const auto in_use = ClaimsInUse(restore);
  for (const ClaimFacts& claim : session.facts->claims) {
    if (in_use.contains(claim.name)) {
      return fmt::format("restore {} is working on claim {}", restore.metadata.name, claim.name);
    }
  }
  return {};
}

bool BelongsTo(const api::VolumeSnapshot& snapshot, const api::VolumeBackup& backup) {
  const auto uid = snapshot.metadata.labels.find(kBackupUidLabel);
  return uid != snapshot.metadata.labels.end() && uid->second == backup.metadata.uid;
}

}  // namespace

BackupController::SessionPtr BackupController::SessionOf(const api::VolumeBackup& backup) {
  SessionPtr& session = sessions_[backup.metadata.uid];
  if (!session) session = std::make_shared<BackupSession>(deps_.executor);
  session->object = backup;
  if (session->thaw_began && !ThawOwed(backup.status)) session->holds_pods = false;
  if (backup.status.freeze) session->targets.resize(backup.status.freeze->targets.size());
  session->snapshots.resize(backup.status.volumes.size());
  return session;
}

BackupView BackupController::Observe(BackupSession& session) {
  const api::VolumeBackup& backup = session.object;
  const auto& freeze = backup.status.freeze;
  BackupView view{
      .backup = backup,
      .identity = options_.identity,
      .leads = deps_.leads(),
      .may_freeze = !stopping_ && deps_.may_act(),
      .looked = session.looked_at && deps_.clock.Now() - *session.looked_at < kLookLifetime,
      .queued_behind = QueuedBehind(session),
      .in_use_by_restore = InUseByRestore(backup),
      .own_freeze = freeze && freeze->holder == options_.identity && !session.pod_uids.empty(),
      .read_since = freeze && freeze->intended_at < session.facts_read_at,
      .thaw_began = session.thaw_began,
      .cut_before_thaw = session.cut_before_thaw,
      .held_after_journal = session.held_after_journal,
      .recheck = session.recheck,
      .writers = session.writers,
      .stray_thaw = session.recheck && !backup.status.consistency ? StrayThawIn(backup) : "",
      .targets = session.targets,
      .lists_known = ListsKnown()};
  if (session.facts && deps_.clock.Now() - session.facts_read_at < kFactsLifetime) {
    view.facts = session.facts;
  }
  for (std::size_t i = 0; i < backup.status.volumes.size(); ++i) {
    view.snapshots.push_back(ObserveSnapshot(session, i));
  }
  return view;
}

// Where the snapshot API is absent there are no snapshots to know of.
bool BackupController::ListsKnown() const {
  if (!deps_.restores.Synced()) return false;
  const auto& problem = deps_.snapshots.Problem();
  return deps_.snapshots.Synced() || (problem && problem->code == api::Code::kNotFound);
}

SnapshotView BackupController::ObserveSnapshot(BackupSession& session, std::size_t volume) {
  const api::VolumeBackup& backup = session.object;
  BackupSession::Snapshot& own = session.snapshots[volume];
  const api::Time now = deps_.clock.Now();
  SnapshotView view{.content_asked = own.content_asked,
                    .creating = own.creating,
                    .asking = own.asking,
                    .create_after = own.create_after};
  const auto cached =
      deps_.snapshots.Get({backup.metadata.ns, backup.status.volumes[volume].snapshot_name});
  if (!cached) {
    view.error = own.create_error;
  } else {
    const api::VolumeSnapshotStatus& status = cached->status;
    view.exists = true;
    view.uid = cached->metadata.uid;
    if (own.found_uid && now - own.found_at < kFactsLifetime) {
      view.there = *own.found_uid == view.uid;
    }
    view.ours = BelongsTo(*cached, backup);
    const auto& owners = cached->metadata.owner_references;
    view.owned =
        std::ranges::find(owners, backup.metadata.uid, &api::OwnerReference::uid) != owners.end();
    view.terminating = cached->metadata.deletion_timestamp.has_value();
    view.content_name = status.bound_volume_snapshot_content_name;
    view.cut = status.creation_time.has_value();
    view.ready = status.ready_to_use.value_or(false);
    if (status.restore_size) view.restore_size = status.restore_size->text();
    if (status.error) view.error = status.error->message;
    MergeContent(view);
    view.content_unread = !view.cut && now - own.content_read_at.value_or(now) >= kContentPatience;
    if (!own.content_read_at) own.content_read_at = now;
  }
  if (view.ours && own.first_uid.empty()) own.first_uid = view.uid;
  view.first_uid = own.first_uid;
  if (view.error.empty()) {
    own.failing_since.reset();
  } else if (!own.failing_since) {
    own.failing_since = now;
  }
  view.failing_since = own.failing_since;
  if (view.exists && !own.created_at) {
    // At the end each pass starts without memory: its own clock would then begin again and again.
    own.created_at =
        IsFinal(backup.status.phase) ? cached->metadata.creation_timestamp.value_or(now) : now;
  }
  if (view.cut && !own.cut_at) own.cut_at = now;
  if (view.ready && !own.ready_at) own.ready_at = now;
  view.created_at = own.created_at;
  view.cut_at = own.cut_at;
  view.ready_at = own.ready_at;
  return view;
}

// The content knows first.
void BackupController::MergeContent(SnapshotView& view) const {
  const ContentFacts* content = cuts_.Find(view.uid);
  if (content == nullptr) return;
  view.content_name = content->name;
  view.handle = content->handle;
  view.source_volume_handle = content->source_volume_handle;
  view.cut = view.cut || content->cut;
  if (view.restore_size.empty()) view.restore_size = content->restore_size;
  if (view.error.empty() && !view.cut) view.error = content->error;
}

std::vector<std::shared_ptr<const api::VolumeRestore>> BackupController::RestoresIn(
    const std::string& ns) const {
  return deps_.restores.List([&](const api::VolumeRestore& r) { return r.metadata.ns == ns; });
}

// ---- who goes first ---------------------------------------------------------------------------

std::string BackupController::QueuedBehind(const BackupSession& session) const {
  const api::VolumeBackup& backup = session.object;
  if (session.holds_pods || backup.status.phase != api::BackupPhase::kPending) return {};
  const bool asked = deps_.clock.Now() - session.restores_asked_at < kInformerPatience;
  if (asked && session.held_after_journal) return *session.held_after_journal;
  if (std::string held = HeldByRestore(session); !held.empty()) return held;
  std::vector<std::string> pods;
  if (session.facts) {
    for (const GroupPod& pod : session.facts->pods) pods.push_back(pod.hook.uid);
  }
  const auto any_of_ours = [&](const std::vector<std::string>& uids) {
    return std::ranges::find_first_of(pods, uids) != pods.end();
  };
  int frozen = 0;
  for (const auto& [uid, other] : sessions_) {
    if (uid == backup.metadata.uid || !other->holds_pods) continue;
    if (!other->thaw_began) ++frozen;
    if (any_of_ours(other->pod_uids)) {
      return fmt::format("backup {} is working on the same pods", other->object.metadata.name);
    }
  }
  // Also what has ended: it pays its debt by thaws that would end the freeze of another.
  for (const auto& other : deps_.backups.List()) {
    if (other->metadata.uid == backup.metadata.uid) continue;
    if (any_of_ours(FrozenPods(other->status))) {
      return fmt::format("backup {} still holds a pod of this group", other->metadata.name);
    }
    if (any_of_ours(PodsToThawLate(other->status, deps_.clock.Now()))) {
      return fmt::format("a thaw sent for backup {} may still come late, and would end this freeze",
                         other->metadata.name);
    }
  }
  if (session.facts && frozen >= options_.max_frozen_groups) {
    return "other backups are being cut: their turn is first, so that none stays frozen for long";
  }
  return {};
}

std::string BackupController::HeldByRestore(const BackupSession& session) const {
  for (const auto& restore : RestoresIn(session.object.metadata.ns)) {
    if (std::string held = HoldOf(*restore, session); !held.empty()) return held;
  }
  return {};
}

std::string BackupController::StrayThawIn(const api::VolumeBackup& backup) const {
  const auto others = deps_.backups.List([&](const api::VolumeBackup& other) {
    return other.metadata.ns == backup.metadata.ns && other.metadata.uid != backup.metadata.uid;
  });
  for (const auto& other : others) {
    if (std::string stray = StrayThaw(backup, *other); !stray.empty()) return stray;
  }
  return {};
}

bool BackupController::InUseByRestore(const api::VolumeBackup& backup) const {
  return std::ranges::any_of(RestoresIn(backup.metadata.ns), [&](const auto& restore) {
    return !restore::IsFinal(restore->status.phase) && restore->status.backup &&
           restore->status.backup->uid == backup.metadata.uid;
  });
}

BackupController::Async<> BackupController::AskForRestores(SessionPtr session) {
  const api::NamespacedName key = KeyOf(session->object.metadata);
  auto restores = co_await kube::List<api::VolumeRestore>(deps_.client, {.ns = key.ns});
  if (!restores && restores.error().code != api::Code::kNotFound) co_return restores.error();
  std::string held;
  if (restores) {
    for (const api::VolumeRestore& restore : restores->items) {
      if (held.empty()) held = HoldOf(restore, *session);
    }
  }
  session->held_after_journal = std::move(held);
  session->restores_asked_at = deps_.clock.Now();
  controller_.queue().Add(key);
  co_return api::Result<void>();
}

}  // namespace stillpoint::controllers
