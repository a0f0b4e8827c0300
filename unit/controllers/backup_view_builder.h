// Views of a backup at each point of its life, for the tests of its plans. A test takes the nearest
// one and changes one thing. Plans print as words.
#pragma once

#include "api/type.h"
#include "controllers/backup_names.h"
#include "controllers/backup_plan.h"

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <vector>

namespace stillpoint::controllers {

inline constexpr api::Time kNow{std::chrono::seconds(1'900'000'000)};

inline std::string Words(const BackupAction& action) {
  struct Visitor {
    std::string operator()(const AddFinalizer&) const { return "AddFinalizer"; }
    std::string operator()(const RemoveFinalizer&) const { return "RemoveFinalizer"; }
    std::string operator()(const LookAtBackup&) const { return "Look"; }
    std::string operator()(const ReadFacts&) const { return "ReadFacts"; }
    std::string operator()(const ReservePods& a) const {
      return fmt::format("ReservePods({})", a.pod_uids.size());
    }
    std::string operator()(const WriteStatus& a) const {
      return fmt::format("Write({}/{})", api::EnumText(a.status.phase), a.status.reason);
    }
    std::string operator()(const AskRestores&) const { return "AskRestores"; }
    std::string operator()(const StartPreHooks& a) const {
      return fmt::format("Pre({})", a.targets.size());
    }
    std::string operator()(const PrepareThaw& a) const {
      return fmt::format("Prepare({})", a.targets.size());
    }
    std::string operator()(const StartThaw& a) const {
      return fmt::format("Thaw({}{})", a.targets.size(), a.after_last_cut ? ", after the cut" : "");
    }
    std::string operator()(const StartReap& a) const {
      return fmt::format("Reap({})", a.targets.size());
    }
    std::string operator()(const CreateSnapshots& a) const {
      return fmt::format("Create({})", a.volumes.size());
    }
    std::string operator()(const DeleteSnapshots& a) const {
      return fmt::format("Delete({})", a.volumes.size());
    }
    std::string operator()(const ReleaseSnapshots& a) const {
      return fmt::format("Release({})", a.volumes.size());
    }
    std::string operator()(const ReadContents& a) const {
      return fmt::format("ReadContents({})", a.volumes.size());
    }
    std::string operator()(const AskSnapshots& a) const {
      return fmt::format("Ask({})", a.volumes.size());
    }
    std::string operator()(const RecheckGroup&) const { return "Recheck"; }
    std::string operator()(const DeleteBackup&) const { return "DeleteBackup"; }
    std::string operator()(const EmitEvent& a) const {
      return fmt::format("{}{}", a.warning ? "!" : "", a.reason);
    }
  };
  return std::visit(Visitor{}, action);
}

// "Thaw(1) Write(Thawing/HookFailed) !HookFailed"
inline std::string Words(const BackupPlan& plan) {
  std::string words;
  for (const BackupAction& action : plan.actions) {
    if (!words.empty()) words += ' ';
    words += Words(action);
  }
  return words;
}

inline std::string Plan(const BackupView& view, api::Time now = kNow) {
  return Words(PlanBackup(view, now));
}

inline const api::VolumeBackupStatus* Written(const BackupPlan& plan) {
  const api::VolumeBackupStatus* status = nullptr;
  for (const BackupAction& action : plan.actions) {
    if (const auto* write = std::get_if<WriteStatus>(&action)) status = &write->status;
  }
  return status;
}

inline hooks::HookResult Success(std::string container_id = "c1") {
  return {.outcome = hooks::Outcome::kSucceeded,
          .exit_code = 0,
          .duration = std::chrono::milliseconds(20),
          .container_id = std::move(container_id),
          .ended = true};
}

inline hooks::HookResult ExitCode(int code) {
  return {
      .outcome = hooks::Outcome::kFailed, .exit_code = code, .container_id = "c1", .ended = true};
}

inline api::VolumeBackup Backup() {
  api::VolumeBackup backup;
  backup.metadata.name = "nightly";
  backup.metadata.ns = "shop";
  backup.metadata.uid = "b-uid";
  backup.metadata.generation = 1;
  backup.spec.application_ref = "mysql";
  return backup;
}

inline GroupPod Pod(std::string name = "mysql-0") {
  return {.hook = {.name = name,
                   .uid = name + "-uid",
                   .annotations = {{"backups.example.com/pre-hook", "touch /frozen"},
                                   {"backups.example.com/post-hook", "rm -f /frozen"}},
                   .containers = {"db"}},
          .phase = "Running",
          .claims = {"data"}};
}

inline ClaimFacts Claim(std::string name = "data") {
  return {.name = name,
          .found = true,
          .uid = name + "-uid",
          .phase = "Bound",
          .driver = "csi.fast",
          .volume_handle = name + "-volume"};
}

inline ResolveFacts Facts() {
  return {.application = api::ApplicationStatus{"Deployment", "mysql", "d-uid"},
          .pods = {Pod()},
          .claims = {Claim()},
          .classes = {{"fast-snap", "csi.fast", true}}};
}

// Read, with its finalizer: the next pass writes the journal.
inline BackupView Resolved() {
  BackupView view{.backup = Backup(), .identity = "me", .facts = Facts()};
  view.backup.metadata.finalizers = {kBackupFinalizer};
  return view;
}

// The journal stands, no restore is in the way, the pre-hook runs.
inline BackupView Freezing() {
  BackupView view = Resolved();
  const BackupPlan plan = PlanBackup(view, kNow);
  view.backup.status = *Written(plan);
  view.own_freeze = true;
  view.held_after_journal = "";
  view.targets.resize(1);
  view.targets[0].thaw.pre_hook_running = true;
  view.snapshots.resize(1);
  return view;
}

// The application stands still; nothing is cut.
inline BackupView Frozen() {
  BackupView view = Freezing();
  view.targets[0].thaw.pre_hook_running = false;
  view.targets[0].pre = Success();
  view.targets[0].pre_ended_at = kNow;
  view.targets[0].thaw.pre_hook_ended_at = kNow;
  const BackupPlan plan = PlanBackup(view, kNow);
  view.backup.status = *Written(plan);
  return view;
}

inline void Cut(BackupView& view) {
  for (std::size_t i = 0; i < view.snapshots.size(); ++i) {
    view.snapshots[i] = {.exists = true,
                         .ours = true,
                         .owned = true,
                         .uid = fmt::format("s{}-uid", i),
                         .first_uid = fmt::format("s{}-uid", i),
                         .handle = "handle",
                         .source_volume_handle = view.backup.status.volumes[i].volume_handle,
                         .cut = true};
  }
}

// ---- the same with a held hook ----------------------------------------------------------------

// Frozen, and its holder is there.
inline BackupView Held() {
  BackupView view = Resolved();
  view.facts->pods[0].hook.annotations = {{"backups.example.com/hold-hook", "hold"}};
  view.backup.status = *Written(PlanBackup(view, kNow));
  view.own_freeze = true;
  view.targets.resize(1);
  view.targets[0].pre = Success();
  view.targets[0].pre->exit_code.reset();
  view.targets[0].pre->ended = false;
  view.targets[0].pre_ended_at = kNow;
  view.targets[0].thaw.holder = hooks::HolderMemory{.running = true};
  view.snapshots.resize(1);
  view.backup.status = *Written(PlanBackup(view, kNow));
  return view;
}

// The end of a holder; no exit code: its stream was lost.
inline void HolderEnds(TargetView& target, std::optional<int> exit_code, api::Time now = kNow) {
  hooks::HolderMemory& holder = *target.thaw.holder;
  holder.running = false;
  holder.end =
      exit_code ? ExitCode(*exit_code) : hooks::HookResult{.outcome = hooks::Outcome::kStreamLost};
  if (exit_code == 0 && holder.asked) holder.end = Success();
  if (exit_code) target.thaw.pre_hook_ended_at = now;
  target.thaw_ended_at = now;
}

// Every volume is cut; the thaw is due.
inline BackupView AllCut() {
  BackupView view = Frozen();
  Cut(view);
  return view;
}

inline void ThawSucceeds(BackupView& view) {
  view.thaw_began = true;
  view.cut_before_thaw = true;
  for (TargetView& target : view.targets) {
    target.thaw.running = false;
    hooks::RememberThaw(target.thaw, Success(), kNow, kNow);
    target.thaw_ended_at = kNow;
  }
}

// Thawed, and the pods were looked at: the verdict is due.
inline BackupView ThawedAndRechecked() {
  BackupView view = AllCut();
  ThawSucceeds(view);
  view.recheck = GroupRecheck{.containers = {{"mysql-0-uid", {{"db", "c1"}}}}};
  return view;
}

}  // namespace stillpoint::controllers
