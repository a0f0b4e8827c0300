// BackupController: carries out VolumeBackups. Observe -> PlanBackup -> act; the decisions are all
// in backup_plan.h. Hooks and creates run as tasks beside the passes, so that a pass never waits
// for an application, and a cancel, a deadline or a cut is acted upon at once.
#pragma once

#include "api/snapshot.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "controllers/backup_plan.h"
#include "controllers/backup_session.h"
#include "controllers/cut_watch.h"
#include "hooks/held_session.h"
#include "hooks/hook_runner.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/controller.h"
#include "kube/events.h"
#include "kube/exec.h"
#include "kube/informer.h"
#include "kube/log.h"
#include "kube/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace stillpoint::controllers {

// Threads: call every method on the executor given to the constructor.
// Lifetime: everything in Dependencies must outlive it; Stop() before destruction.
class BackupController {
 public:
  struct Dependencies {
    boost::asio::any_io_executor executor;
    kube::Client& client;
    kube::ExecClient& exec;
    kube::Clock& clock;
    kube::EventRecorder& events;
    kube::Informer<api::VolumeBackup>& backups;
    kube::Informer<api::VolumeRestore>& restores;
    kube::Informer<api::VolumeSnapshot>& snapshots;  // those with our label

    std::function<bool()> leads;    // its lease has not run out
    std::function<bool()> may_act;  // and it does not end: it may begin something
    kube::LogFn log;
  };
  struct Options {
    std::string identity;  // never the same in two processes
    int workers = 4;

    // Groups that may stand still at once. One by default: the snapshotter serves one queue, and a
    // second group would only wait, frozen, behind the first.
    int max_frozen_groups = 1;
  };

  BackupController(Dependencies dependencies, Options options);
  ~BackupController();

  // REQUIRES: the informer of backups is synced. Backups that owe a thaw come first; until the
  // others are synced nothing else is done.
  void Start();

  // Freezes nothing from now on, thaws what this process has frozen (and while it leads what others
  // have left), and ends its passes.
  [[nodiscard]] boost::asio::awaitable<void> Stop(std::chrono::milliseconds grace);

  [[nodiscard]] const kube::Controller& controller() const { return controller_; }

 private:
  using SessionPtr = std::shared_ptr<BackupSession>;
  template <class T = void>
  using Async = boost::asio::awaitable<api::Result<T>>;

  [[nodiscard]] Async<kube::Requeue> Reconcile(api::NamespacedName key);

  // Observe.
  [[nodiscard]] SessionPtr SessionOf(const api::VolumeBackup& backup);
  [[nodiscard]] BackupView Observe(BackupSession& session);
  [[nodiscard]] bool ListsKnown() const;
  [[nodiscard]] SnapshotView ObserveSnapshot(BackupSession& session, std::size_t volume);
  void MergeContent(SnapshotView& view) const;
  [[nodiscard]] std::string QueuedBehind(const BackupSession& session) const;
  [[nodiscard]] std::string HeldByRestore(const BackupSession& session) const;
  [[nodiscard]] std::string StrayThawIn(const api::VolumeBackup& backup) const;
  [[nodiscard]] std::vector<std::shared_ptr<const api::VolumeRestore>> RestoresIn(
      const std::string& ns) const;
  [[nodiscard]] bool InUseByRestore(const api::VolumeBackup& backup) const;

  // Act (backup_acts.cc). One method per action of the plan.
  [[nodiscard]] Async<> Act(SessionPtr session, BackupAction action);
  [[nodiscard]] Async<> ActInTime(SessionPtr session, BackupAction action);
  [[nodiscard]] Async<> SetFinalizer(SessionPtr session, bool wanted);
  [[nodiscard]] Async<> Expire(SessionPtr session);
  [[nodiscard]] Async<> Write(SessionPtr session, api::VolumeBackupStatus status);
  [[nodiscard]] boost::asio::awaitable<void> LookAgain(SessionPtr session);
  [[nodiscard]] Async<> Adopt(SessionPtr session, api::Result<api::VolumeBackup> answer);
  [[nodiscard]] hooks::HookRun RunOf(const BackupSession& session, std::size_t target,
                                     api::HookPhase phase) const;
  [[nodiscard]] Async<> Read(SessionPtr session);
  [[nodiscard]] Async<> AskForRestores(SessionPtr session);
  [[nodiscard]] Async<> Recheck(SessionPtr session, std::vector<std::size_t> ask);
  [[nodiscard]] boost::asio::awaitable<hooks::HookResult> AskForAnswer(SessionPtr session,
                                                                       std::size_t target);
  [[nodiscard]] Async<> ReadSnapshotContents(SessionPtr session, std::vector<std::size_t> volumes);
  [[nodiscard]] Async<> Delete(SessionPtr session, std::vector<std::size_t> volumes);
  [[nodiscard]] Async<> Release(SessionPtr session, std::vector<std::size_t> volumes);
  void Reserve(BackupSession& session, ReservePods pods);
  void StartPre(SessionPtr session, const std::vector<std::size_t>& targets);
  void Prepare(SessionPtr session, const std::vector<std::size_t>& targets);
  void StartPost(SessionPtr session, const StartThaw& thaw);
  void StartReaping(SessionPtr session, const std::vector<std::size_t>& targets);
  void EndPre(BackupSession& session, std::size_t target, hooks::HookResult result);
  void StartCreates(SessionPtr session, const std::vector<std::size_t>& volumes);
  void StartAsking(SessionPtr session, const std::vector<std::size_t>& volumes);

  void Notify(const api::VolumeBackup& backup, const EmitEvent& event);

  // Tasks beside the passes (backup_hook_acts.cc, backup_acts.cc). Each ends by bringing its backup
  // back.
  [[nodiscard]] boost::asio::awaitable<void> RunPreOfPod(SessionPtr session,
                                                         std::vector<std::size_t> targets);
  [[nodiscard]] bool MayFreeze(const BackupSession& session) const;
  [[nodiscard]] boost::asio::awaitable<void> RunPre(SessionPtr session, std::size_t target);
  [[nodiscard]] boost::asio::awaitable<void> RunHold(SessionPtr session, std::size_t target);
  [[nodiscard]] boost::asio::awaitable<void> WatchHolder(SessionPtr session, std::size_t target,
                                                         std::unique_ptr<hooks::HeldSession> held);
  [[nodiscard]] boost::asio::awaitable<void> KeepPrepared(std::shared_ptr<hooks::PreparedRun> run,
                                                          std::chrono::milliseconds longest);
  [[nodiscard]] boost::asio::awaitable<void> RunPost(SessionPtr session, std::size_t target);
  [[nodiscard]] boost::asio::awaitable<void> Reap(SessionPtr session, std::size_t target);
  [[nodiscard]] boost::asio::awaitable<void> CreateSnapshot(SessionPtr session, std::size_t volume);
  [[nodiscard]] boost::asio::awaitable<void> AskForSnapshot(SessionPtr session, std::size_t volume);

  void Forget(const std::string& uid);
  void WakeWaiting();

  Dependencies deps_;
  const Options options_;
  hooks::HookRunner hooks_;
  bool stopping_ = false;
  CutWatch cuts_;                               // before the sessions, which use it to their end
  std::map<std::string, SessionPtr> sessions_;  // by UID of the backup
  kube::Controller controller_;
  kube::TaskGroup tasks_;
};

}  // namespace stillpoint::controllers
