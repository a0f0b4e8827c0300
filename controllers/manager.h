// Manager: the controllers with all they need: caches, Events, the lease; and the order in which
// they start and end. It reaches the world through the client, the exec client and the clock that
// it is given, so that it runs unchanged on a real cluster and on a simulated one.
#pragma once

#include "api/meta.h"
#include "api/snapshot.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "controllers/backup_controller.h"
#include "controllers/restore_controller.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/events.h"
#include "kube/exec.h"
#include "kube/informer.h"
#include "kube/leader_election.h"
#include "kube/log.h"
#include "kube/random.h"
#include "kube/task_group.h"
#include "kube/waiters.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace stillpoint::controllers {

struct ManagerOptions {
  std::string ns;                            // empty: all namespaces
  std::string identity;                      // never the same in two processes
  std::optional<api::NamespacedName> lease;  // absent: this process acts alone
  int workers = 4;                           // objects of a kind worked on at once
  std::uint64_t seed = 0;                    // of every jitter
};

// Threads: call every method on the executor given to the constructor.
// Lifetime: everything given to the constructor must outlive it. Run() must have returned before
// destruction, unless the loop is destroyed first: then it vanishes as by SIGKILL.
class Manager {
 public:
  struct Dependencies {
    boost::asio::any_io_executor executor;
    kube::Client& client;
    kube::ExecClient& exec;
    kube::Clock& clock;
    kube::LogFn log;
  };

  Manager(Dependencies dependencies, ManagerOptions options);
  ~Manager();

  enum class End { kStopped, kLeaseLost };

  // Runs until RequestStop(), or until the lease is lost. What is frozen then is thawed first.
  [[nodiscard]] boost::asio::awaitable<End> Run();

  // May be called at any time, also before Run().
  void RequestStop();

  // Why it would not act yet even with the lease, a line each; empty: ready.
  [[nodiscard]] std::string WaitsFor() const;

  // For metrics.
  [[nodiscard]] const kube::Informer<api::VolumeBackup>& backups() const { return backups_; }
  [[nodiscard]] const kube::Informer<api::VolumeRestore>& restores() const { return restores_; }
  [[nodiscard]] const kube::Informer<api::VolumeSnapshot>& snapshots() const { return snapshots_; }
  [[nodiscard]] const kube::EventRecorder& events() const { return events_; }
  [[nodiscard]] const kube::LeaderElector* elector() const { return elector_.get(); }
  [[nodiscard]] const BackupController& backup_controller() const { return backup_controller_; }
  [[nodiscard]] const RestoreController& restore_controller() const { return restore_controller_; }

 private:
  [[nodiscard]] boost::asio::awaitable<void> Lead();
  void StartControllers();
  void LoseLead();
  [[nodiscard]] boost::asio::awaitable<void> StopAll();
  [[nodiscard]] bool Leads() const;
  [[nodiscard]] bool MayAct() const;

  const kube::LogFn log_;
  kube::Random random_;
  kube::Informer<api::VolumeBackup> backups_;
  kube::Informer<api::VolumeRestore> restores_;
  kube::Informer<api::VolumeSnapshot> snapshots_;
  kube::EventRecorder events_;
  std::unique_ptr<kube::LeaderElector> elector_;  // null: this process acts alone
  BackupController backup_controller_;
  RestoreController restore_controller_;

  bool controllers_started_ = false;
  bool stop_requested_ = false;
  bool lease_lost_ = false;
  kube::Waiters stop_;
  kube::TaskGroup lead_;
  kube::TaskGroup caches_;
};

}  // namespace stillpoint::controllers
