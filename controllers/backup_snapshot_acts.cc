// The acts of BackupController on snapshots and their contents.
#include "controllers/backup_controller.h"

#include "api/type.h"
#include "controllers/backup_names.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::controllers {

using boost::asio::awaitable;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

constexpr auto kRetry = 1s;

// A lost answer is asked for again after this.
constexpr auto kPatience = 2s;

// Null where there are none: a merge patch takes the member away.
json::value OwnersAsJson(const std::vector<api::OwnerReference>& owners) {
  if (owners.empty()) return nullptr;
  json::array list;
  for (const api::OwnerReference& owner : owners) list.push_back(api::Encode(owner));
  return list;
}

api::VolumeSnapshot SnapshotOf(const api::VolumeBackup& backup, const api::VolumeStatus& volume) {
  api::VolumeSnapshot snapshot;
  snapshot.metadata.name = volume.snapshot_name;
  snapshot.metadata.ns = backup.metadata.ns;
  snapshot.metadata.labels = {{kManagedByLabel, kManagedByValue},
                              {kBackupLabel, LabelValue(backup.metadata.name)},
                              {kBackupUidLabel, backup.metadata.uid},
                              {kClaimLabel, LabelValue(volume.claim)}};
  snapshot.metadata.owner_references = {
      {.api_version = api::ApiVersion(api::VolumeBackup::kResource),
       .kind = "VolumeBackup",
       .name = backup.metadata.name,
       .uid = backup.metadata.uid}};
  snapshot.metadata.annotations = {{kBackupNameAnnotation, backup.metadata.name},
                                   {kClaimUidAnnotation, volume.claim_uid}};
  snapshot.spec.source.persistent_volume_claim_name = volume.claim;
  snapshot.spec.volume_snapshot_class_name = volume.class_;
  return snapshot;
}

}  // namespace

// ---- create ------------------------------------------------------------------------------------

void BackupController::StartCreates(SessionPtr session, const std::vector<std::size_t>& volumes) {
  if (!session->cut_watch) session->cut_watch = std::make_unique<CutWatch::Use>(cuts_);
  for (const std::size_t i : volumes) {
    if (session->snapshots[i].creating) continue;
    session->snapshots[i].creating = true;
    tasks_.Spawn("create of a snapshot", CreateSnapshot(session, i));
  }
}

awaitable<void> BackupController::CreateSnapshot(SessionPtr session, std::size_t index) {
  const api::VolumeSnapshot wanted =
      SnapshotOf(session->object, session->object.status.volumes[index]);
  const api::NamespacedName key = KeyOf(session->object.metadata);
  auto answer = co_await kube::DoAs<api::VolumeSnapshot>(
      deps_.client, {.verb = kube::Verb::kCreate, .ns = key.ns, .body = api::Encode(wanted)});
  if (!answer && answer.error().code == api::Code::kAlreadyExists) {
    // Ours from an earlier try whose answer was lost, or a stranger's.
    answer = co_await kube::Get<api::VolumeSnapshot>(deps_.client, KeyOf(wanted.metadata));
    if (answer && answer->metadata.labels != wanted.metadata.labels) {
      answer = api::Error{api::Code::kAlreadyExists,
                          fmt::format("VolumeSnapshot {} exists and belongs to somebody else",
                                      wanted.metadata.name)};
    }
  }
  BackupSession::Snapshot& own = session->snapshots[index];
  own.creating = false;
  if (answer) {
    own.create_error.clear();
    own.content_read_at = deps_.clock.Now();
    deps_.snapshots.Observe(std::move(*answer), {});
  } else {
    own.create_error = answer.error().message;
    own.create_after = deps_.clock.Now() + kRetry;
  }
  controller_.queue().Add(key);
}

// ---- look --------------------------------------------------------------------------------------

BackupController::Async<> BackupController::ReadSnapshotContents(SessionPtr session,
                                                                 std::vector<std::size_t> volumes) {
  if (!session->cut_watch) session->cut_watch = std::make_unique<CutWatch::Use>(cuts_);
  for (const std::size_t i : volumes) {
    session->snapshots[i].content_read_at = deps_.clock.Now();
    const auto snapshot = deps_.snapshots.Get(
        {session->object.metadata.ns, session->object.status.volumes[i].snapshot_name});
    if (!snapshot) continue;
    auto read = co_await cuts_.Read(snapshot->metadata.uid);
    if (!read && read.error().code != api::Code::kForbidden) co_return read.error();
    session->snapshots[i].content_asked = true;
  }
  co_return api::Result<void>();
}

void BackupController::StartAsking(SessionPtr session, const std::vector<std::size_t>& volumes) {
  for (const std::size_t i : volumes) {
    session->snapshots[i].asking = true;
    tasks_.Spawn("look for a snapshot", AskForSnapshot(session, i));
  }
}

// By name: a list reads every snapshot of the namespace, whatever it selects.
awaitable<void> BackupController::AskForSnapshot(SessionPtr session, std::size_t index) {
  const api::NamespacedName backup = KeyOf(session->object.metadata);
  const std::string name = session->object.status.volumes[index].snapshot_name;
  const auto snapshot =
      co_await kube::WithTimeout(deps_.clock, kPatience, "no answer about a snapshot",
                                 kube::Get<api::VolumeSnapshot>(deps_.client, {backup.ns, name}));
  const bool answered = snapshot || snapshot.error().code == api::Code::kNotFound;
  if (!answered) co_await deps_.clock.Sleep(kRetry);
  BackupSession::Snapshot& own = session->snapshots[index];
  own.asking = false;
  if (answered) {
    own.found_uid = snapshot ? snapshot->metadata.uid : std::string();
    own.found_at = deps_.clock.Now();
  }
  controller_.queue().Add(backup);
}

// ---- delete, release ---------------------------------------------------------------------------

BackupController::Async<> BackupController::Delete(SessionPtr session,
                                                   std::vector<std::size_t> volumes) {
  for (const std::size_t i : volumes) {
    const api::NamespacedName key{session->object.metadata.ns,
                                  session->object.status.volumes[i].snapshot_name};
    const auto snapshot = deps_.snapshots.Get(key);
    if (!snapshot) continue;
    auto done = co_await kube::DeleteByUid(deps_.client, api::VolumeSnapshot::kResource, key,
                                           snapshot->metadata.uid);
    if (!done) co_return done.error();
  }
  co_return api::Result<void>();
}

// Who else owns one still does.
BackupController::Async<> BackupController::Release(SessionPtr session,
                                                    std::vector<std::size_t> volumes) {
  const api::VolumeBackup backup = session->object;
  for (const std::size_t i : volumes) {
    const api::VolumeStatus& volume = backup.status.volumes[i];
    const api::NamespacedName key{backup.metadata.ns, volume.snapshot_name};
    const auto cached = deps_.snapshots.Get(key);
    std::vector<api::OwnerReference> others;
    if (cached) others = cached->metadata.owner_references;
    std::erase_if(others, [&](const auto& owner) { return owner.uid == backup.metadata.uid; });
    auto answer = co_await kube::DoAs<api::VolumeSnapshot>(
        deps_.client, {.verb = kube::Verb::kMergePatch,
                       .ns = key.ns,
                       .name = key.name,
                       .body = json::object{{"metadata",
                                             {{"uid", volume.snapshot_uid},
                                              {"ownerReferences", OwnersAsJson(others)}}}}});
    if (!answer && answer.error().code == api::Code::kNotFound) continue;
    if (!answer) co_return answer.error();
    if (cached) deps_.snapshots.Observe(std::move(*answer), cached->metadata.resource_version);
  }
  co_return api::Result<void>();
}

}  // namespace stillpoint::controllers
