#include "controllers/backup_controller.h"

#include "controllers/backup_names.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace stillpoint::controllers {

using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace {

// Nobody waits longer for an answer while an application stands still; what a slower one has done
// is seen later. Kubernetes wants to answer 99 of 100 requests about one object within it:
// https://github.com/kubernetes/community/blob/master/sig-scalability/slos/api_call_latency.md
constexpr auto kLongestCallInFreeze = 1s;

// In one pass: the application, the finalizer, and the application again where that took long.
constexpr int kMostReads = 5;

// What it finds out is used at once. Whoever queues up with it again may find it too old when the
// turn comes, and read again, and so on: nobody would begin while others read for long.
bool IsRead(const BackupAction& action) {
  return std::holds_alternative<LookAtBackup>(action) ||
         std::holds_alternative<ReadFacts>(action) || std::holds_alternative<AddFinalizer>(action);
}

}  // namespace

BackupController::BackupController(Dependencies dependencies, Options options)
    : deps_(std::move(dependencies)),
      options_(std::move(options)),
      hooks_(deps_.exec, deps_.clock),
      cuts_(deps_.executor, deps_.client, deps_.clock, deps_.log,
            [this](const std::string&) { WakeWaiting(); }),
      controller_(deps_.executor, deps_.clock, deps_.log,
                  {.name = "volumebackup", .workers = options_.workers},
                  [this](api::NamespacedName key) { return Reconcile(std::move(key)); }),
      tasks_(deps_.executor, deps_.log) {
  deps_.backups.OnChange([this](const api::NamespacedName& key, const api::VolumeBackup* old,
                                const api::VolumeBackup* now) {
    if (now == nullptr && old != nullptr) Forget(old->metadata.uid);
    controller_.queue().Add(key);
  });
  deps_.snapshots.OnChange([this](const api::NamespacedName& key, const api::VolumeSnapshot* old,
                                  const api::VolumeSnapshot* now) {
    const api::VolumeSnapshot* snapshot = now != nullptr ? now : old;
    const auto backup = snapshot->metadata.annotations.find(kBackupNameAnnotation);
    if (backup != snapshot->metadata.annotations.end()) {
      controller_.queue().Add({key.ns, backup->second});
    }
  });
  deps_.restores.OnChange(
      [this](const api::NamespacedName& key, const api::VolumeRestore*, const api::VolumeRestore*) {
        // A backup may wait for the end of this restore, or be held by it.
        const auto waiting = deps_.backups.List([&](const api::VolumeBackup& backup) {
          return backup.metadata.ns == key.ns &&
                 (!IsFinal(backup.status.phase) || backup.metadata.deletion_timestamp);
        });
        for (const auto& backup : waiting) controller_.queue().Add(KeyOf(backup->metadata));
      });
}

BackupController::~BackupController() = default;

void BackupController::Start() {
  const auto all = deps_.backups.List();
  for (const auto& backup : all) {
    if (ThawOwed(backup->status)) controller_.queue().Add(KeyOf(backup->metadata));
  }
  for (const auto& backup : all) controller_.queue().Add(KeyOf(backup->metadata));
  controller_.Start();
}

awaitable<void> BackupController::Stop(std::chrono::milliseconds grace) {
  stopping_ = true;
  if (!deps_.leads()) {  // whoever leads may have thawed them long ago
    for (const auto& [uid, session] : sessions_) session->stop->Ask();
  }
  WakeWaiting();
  const auto deadline = deps_.clock.SteadyNow() + grace;
  const auto owing = [this] {
    return std::ranges::any_of(sessions_, [this](const auto& entry) {
      const api::VolumeBackupStatus& status = entry.second->object.status;
      return ThawOwed(status) && (deps_.leads() || status.freeze->holder == options_.identity);
    });
  };
  while (owing() && deps_.clock.SteadyNow() < deadline) co_await deps_.clock.Sleep(20ms);
  co_await controller_.Stop(2s);
  co_await tasks_.Stop();
  co_await cuts_.Stop();
}

// ---- one pass ---------------------------------------------------------------------------------

BackupController::Async<kube::Requeue> BackupController::Reconcile(api::NamespacedName key) {
  for (int reads = 0; reads < kMostReads; ++reads) {
    const auto cached = deps_.backups.Get(key);
    if (!cached) co_return kube::Requeue::None();
    SessionPtr session = SessionOf(*cached);
    BackupPlan plan = PlanBackup(Observe(*session), deps_.clock.Now());
    const bool read = plan.actions.size() == 1 && IsRead(plan.actions.front());
    for (BackupAction& action : plan.actions) {
      auto done = co_await ActInTime(session, std::move(action));
      if (done) continue;
      if (done.error().code == api::Code::kConflict) {
        (void)co_await kube::RunWithin(deps_.clock, kLongestCallInFreeze, LookAgain(session));
      }
      // A thaw or a deadline does not wait for the backoff of a write that failed.
      if (plan.requeue_after) controller_.queue().AddAfter(key, *plan.requeue_after);
      co_return done.error();
    }
    if (read) continue;
    if (IsFinal(session->object.status.phase) && !ThawOwed(session->object.status)) {
      sessions_.erase(session->object.metadata.uid);
    }
    co_return kube::Requeue{plan.requeue_after};
  }
  co_return kube::Requeue{1s};  // our cache does not show what we do
}

// An answer that does not come must not hold up the thaw, which the next pass may have to begin,
// nor use up the time for the freeze. Who comes so slowly to the API server had better not freeze.
// But a list of pods, which comes after the thaw was begun, may be a long one.
BackupController::Async<> BackupController::ActInTime(SessionPtr session, BackupAction action) {
  const auto* write = std::get_if<WriteStatus>(&action);
  const bool freezes = ThawOwed(write != nullptr ? write->status : session->object.status);
  if (!freezes || std::holds_alternative<RecheckGroup>(action)) {
    co_return co_await Act(std::move(session), std::move(action));
  }
  co_return co_await kube::WithTimeout(deps_.clock, kLongestCallInFreeze,
                                       "no answer, and nobody waits for one in a freeze",
                                       Act(std::move(session), std::move(action)));
}

void BackupController::Forget(const std::string& uid) {
  const auto found = sessions_.find(uid);
  if (found == sessions_.end()) return;
  found->second->stop->Ask();
  for (const auto& prepared : found->second->prepared) {
    if (prepared) prepared->Close();
  }
  sessions_.erase(found);
}

void BackupController::WakeWaiting() {
  for (const auto& [uid, session] : sessions_) {
    controller_.queue().Add(KeyOf(session->object.metadata));
  }
}

}  // namespace stillpoint::controllers
