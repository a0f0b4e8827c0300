// RestoreWorld: a namespace with one workload on one claim, a Completed backup of it, and the parts
// of a cluster that a restore waits for: the volume binder and its provisioner, the protection of
// claims in use, the workload's controller and its pods. Each volume knows whose data it holds.
//
// Not simulated: time that these take (they are done after every write), nodes, other workloads
// than the one and those that a test adds as pods.
#pragma once

#include "api/apps.h"
#include "api/core.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"
#include "controllers/restore_reconciler.h"
#include "controllers/workload_ref.h"
#include "unit/support/fake_api_server.h"
#include "unit/support/fake_clock.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stillpoint::controllers {

// What the world throws out of a client call when it kills the controller.
struct Killed {};

// The API as the controller sees it: counts writes, and kills the caller at one of them.
class MortalClient final : public kube::Client {
 public:
  enum class When { kBefore, kAfter };

  MortalClient(unit::FakeApiServer& server, std::function<void()> settle)
      : server_(server), settle_(std::move(settle)) {}

  boost::asio::awaitable<api::Result<boost::json::value>> Do(kube::Request request) override;
  boost::asio::awaitable<api::Result<std::unique_ptr<kube::WatchStream>>> Watch(
      kube::WatchRequest request) override {
    return server_.Watch(std::move(request));
  }

  // Kills at the write with this number, counted from 1; 0: never.
  void KillAt(int write, When when) {
    kill_at_ = write;
    when_ = when;
  }
  [[nodiscard]] int writes() const { return writes_; }

  // What else happens at that moment.
  std::function<void()> on_kill;

 private:
  [[noreturn]] void Kill() const;

  unit::FakeApiServer& server_;
  const std::function<void()> settle_;
  int writes_ = 0;
  int kill_at_ = 0;
  When when_ = When::kBefore;
};

class RestoreWorld {
 public:
  static constexpr char kNs[] = "shop";
  static constexpr char kName[] = "db";  // of the workload
  static constexpr char kRestore[] = "back";

  explicit RestoreWorld(WorkloadKind kind);

  // Faults of the world.
  bool restored_data_is_broken = false;  // pods on it never get ready
  bool old_data_is_broken = false;       // likewise: often why one restores
  bool provisioning_fails = false;       // new claims stay Pending
  bool waits_for_consumer = false;       // the class binds when a pod comes

  void AddRestore(std::function<void(api::VolumeRestore&)> change = {});

  // Everybody else acts until nothing changes.
  void Settle();

  // Reconciles until nothing is left to do, with a fresh reconciler after each kill, and time
  // passing as the plans ask for. False: it did not come to an end.
  bool RunToEnd();

  // ---- what is the case ----
  [[nodiscard]] api::VolumeRestore restore();
  [[nodiscard]] bool RestoreIsGone() { return !server.Exists<api::VolumeRestore>({kNs, kRestore}); }
  [[nodiscard]] std::string ClaimInTemplate();
  [[nodiscard]] std::int64_t Replicas();
  // "old", "backup", "blank"; empty: no such claim, or not bound.
  [[nodiscard]] std::string DataOf(const std::string& claim);
  [[nodiscard]] std::string PolicyOf(const std::string& claim);
  [[nodiscard]] std::set<std::string> ClaimNames();
  [[nodiscard]] bool OldVolumeExists();
  // What the ready pods of the workload run on; each once.
  [[nodiscard]] std::set<std::string> DataInUse();
  [[nodiscard]] std::vector<std::string> Reasons() const;

  boost::asio::io_context io;
  unit::FakeClock clock{io};
  unit::FakeApiServer server{clock};
  MortalClient client{server, [this] { Settle(); }};
  std::vector<restore::Notice> notices;
  std::vector<restore::HookOutcome> hook_outcomes;  // taken from the front, one per run
  std::vector<restore::PostHook> hooks_run;
  bool old_volume_was_lost = false;
  std::string old_claim = "data";

 private:
  void PutWorkload();
  [[nodiscard]] RestoreReconciler MakeReconciler();
  [[nodiscard]] boost::asio::awaitable<restore::HookOutcome> RunHook(std::string ns,
                                                                     restore::PostHook hook);

  // One round each; whether anything changed.
  bool ProtectClaims();
  bool BindClaims();
  bool BindToReserved(api::PersistentVolumeClaim claim);
  bool Provision(api::PersistentVolumeClaim claim);
  bool ReleaseVolumes();
  bool RunPods();
  bool ReportRollout();
  [[nodiscard]] std::string ClaimOfPod();
  [[nodiscard]] bool IsMounted(const std::string& claim);
  [[nodiscard]] bool WouldBeReady(const std::string& claim);

  const WorkloadKind kind_;
  std::string old_volume_;
  int last_volume_ = 0;
};

}  // namespace stillpoint::controllers
