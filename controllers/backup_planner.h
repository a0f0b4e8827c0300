// BackupPlanner: the workings of PlanBackup, split over the backup_*_plan.cc files by the part
// of the protocol. Private to backup_*_plan.cc.
#pragma once

#include "controllers/backup_plan.h"

#include <cstddef>
#include <string>

namespace stillpoint::controllers {

// "mysql-0/db"
[[nodiscard]] std::string Place(const api::FreezeTarget& target);

class BackupPlanner {
 public:
  BackupPlanner(const BackupView& view, api::Time now);

  BackupPlan Run();

 private:
  // Why a freeze no longer proves anything.
  struct Loss {
    std::string reason;
    std::string message;
  };

  // ---- backup_plan.cc: the way in ----
  [[nodiscard]] bool LeftToThaw();
  void ThawOnly();
  void Pending();
  void WaitForTurn(const std::string& why);
  void Begin();
  void WriteJournal();

  // ---- backup_end_plan.cc: the way out ----
  void Deleting();
  void Final();
  void PayDebt();
  void KeepReadyConditionTrue();
  [[nodiscard]] bool HasFinalizer() const;
  [[nodiscard]] std::optional<api::Time> LateThawsUntil() const;
  void SettleFinalizer();
  void Expire();

  // ---- backup_freeze_plan.cc: from the journal to the last cut ----
  void Freeze();
  void RecordTargets();
  void RecordHook(std::size_t target, api::HookPhase phase, const hooks::HookResult& result);
  void FindLoss();
  [[nodiscard]] std::optional<Loss> CurrentLoss() const;
  [[nodiscard]] std::optional<Loss> FailedPreHook() const;
  [[nodiscard]] std::optional<Loss> SnapshotTrouble() const;
  [[nodiscard]] std::optional<Loss> LostHolder() const;
  [[nodiscard]] std::vector<std::size_t> DuePreHooks() const;
  void SendPreHooks();
  [[nodiscard]] bool NoneSent() const;
  [[nodiscard]] bool IsOutdated() const;
  void StepBack(const std::string& why);
  void AdvanceFreeze();
  [[nodiscard]] bool PreHooksDone() const;

  // ---- backup_thaw_plan.cc: the thaw, and the debt that is left of it ----
  void PrepareThaws();
  void Thaw();
  void RecordThawProgress(std::vector<std::size_t>* due, std::vector<std::size_t>* reaps);
  void RecordAttempts(std::size_t target);
  void RecordPostHook(std::size_t target);
  void AfterThaw();
  void RecordFreezeDuration();
  [[nodiscard]] bool NeverBegan(std::size_t target) const;
  [[nodiscard]] bool ThawOverdue() const;

  // ---- backup_verdict_plan.cc: what it is worth ----
  [[nodiscard]] bool NeedsAnswer(std::size_t target) const;
  [[nodiscard]] std::vector<std::size_t> Unheard() const;
  [[nodiscard]] bool HasAnswered(std::size_t target) const;
  void GiveVerdict();
  [[nodiscard]] std::optional<Loss> BrokenStillness() const;
  [[nodiscard]] std::optional<Loss> BrokenHook(std::size_t target) const;
  [[nodiscard]] Loss BegunInVain() const;
  [[nodiscard]] Loss HolderLoss(std::size_t target) const;

  // ---- backup_finish_plan.cc: snapshots, the end, the words for it ----
  void RecordSnapshots();
  [[nodiscard]] bool CutFromAnother(std::size_t i) const;
  [[nodiscard]] bool IsThere(std::size_t i) const;
  void CreateMissingSnapshots();
  void ReadLateContents();
  void WaitReady();
  [[nodiscard]] bool LookedForSnapshots() const;
  void LookForSnapshots();
  void JudgeUnready();
  void Complete();
  [[nodiscard]] bool RemoveSnapshots();
  [[nodiscard]] api::Time DeletableFrom(std::size_t i) const;
  void Release(bool last_chance);
  void CleanUp();
  void Finish(api::BackupPhase phase, std::string reason, std::string message);
  void Fail(std::string reason, std::string message);
  [[nodiscard]] std::vector<std::size_t> UnseenSources() const;
  [[nodiscard]] bool AllCut() const;
  [[nodiscard]] bool AllReady() const;
  [[nodiscard]] api::Time ReadyDeadline() const;

  // ---- backup_plan.cc: shared ----
  [[nodiscard]] bool GoesForward() const;
  [[nodiscard]] bool Failing() const;
  [[nodiscard]] bool WantsCancel() const;
  [[nodiscard]] std::vector<std::string> NeverThawed() const;
  [[nodiscard]] std::string StateOfApplication() const;
  void SetCondition(const char* type, const char* status, std::string reason, std::string message);
  void SetPhase(api::BackupPhase phase, std::string reason);
  void Event(bool warning, std::string reason, std::string action, std::string note);
  void Act(BackupAction action) { plan_.actions.push_back(std::move(action)); }
  void DoFirst(BackupAction action);
  void WakeAt(api::Time when);
  [[nodiscard]] bool IsMereProgress(const api::VolumeBackupStatus& current) const;
  void CommitStatus();

  const BackupView& view_;
  const api::VolumeBackup& backup_;
  const api::VolumeBackupSpec& spec_;
  const api::Time now_;
  api::VolumeBackupStatus next_;   // what the status should say after this pass
  std::vector<EmitEvent> events_;  // sent after the status that they tell of
  BackupPlan plan_;
};

}  // namespace stillpoint::controllers
