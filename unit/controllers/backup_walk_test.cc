// PlanBackup on random walks: a small world carries out its plans, fails, is killed and is told to
// stop. The world knows what is really still and what was really cut; the plan does not.
#include "controllers/backup_plan.h"
#include "kube/random.h"
#include "unit/controllers/backup_view_builder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stillpoint::controllers {
namespace {

using namespace std::chrono_literals;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    view_ = Resolved();
    view_.backup.metadata.finalizers.clear();
    view_.identity = "me-0";
    view_.facts->pods = {Pod("mysql-0"), Pod("mysql-1")};
    if (Chance(60)) {
      view_.facts->pods[1].hook.annotations = {{"backups.example.com/hold-hook", "hold"}};
    }
    if (Chance(30)) {
      view_.facts->pods[0].hook.annotations["backups.example.com/hook-weight"] = "1";
    }
    view_.facts->claims = {Claim("data"), Claim("wal")};
    view_.facts->pods[0].claims = {"data", "wal"};
    if (Chance(30)) view_.backup.spec.on_inconsistent = api::OnInconsistent::kKeep;
    if (Chance(30)) view_.backup.spec.deletion_policy = api::DeletionPolicy::kDelete;
  }

  // Chaos, then peace: whatever happened before must come to its end.
  void Run() {
    for (int i = 0; i < 150 && !gone_; ++i) Step(true);
    for (int i = 0; i < 2000 && !AtRest(); ++i) Step(false);
  }

  [[nodiscard]] bool AtRest() const {
    return gone_ || (IsFinal(Status().phase) && !ThawOwed(Status()) && last_plan_.empty() &&
                     !view_.backup.metadata.deletion_timestamp);
  }
  [[nodiscard]] bool Frozen() const { return frozen_[0] || frozen_[1]; }
  [[nodiscard]] const api::VolumeBackupStatus& Status() const { return view_.backup.status; }
  [[nodiscard]] bool Gone() const { return gone_; }
  [[nodiscard]] bool CutWhileStill() const { return cut_still_[0] && cut_still_[1]; }
  [[nodiscard]] int Snapshots() const {
    int count = 0;
    for (const SnapshotView& s : view_.snapshots) count += s.exists && !s.terminating ? 1 : 0;
    return count;
  }
  // By the garbage collector, when the backup goes.
  [[nodiscard]] int Owned() const {
    int count = 0;
    for (const SnapshotView& s : view_.snapshots) count += s.exists && s.owned ? 1 : 0;
    return count;
  }
  [[nodiscard]] bool Retains() const {
    return view_.backup.spec.deletion_policy == api::DeletionPolicy::kRetain;
  }
  [[nodiscard]] const std::string& story() const { return story_; }

 private:
  bool Chance(std::uint64_t percent) { return random_.Next() % 100 < percent; }

  void Step(bool chaos) {
    now_ += std::chrono::milliseconds(1 + random_.Next() % (chaos ? 400 : 2000));
    Progress(chaos);
    if (chaos && Chance(2)) Kill();
    if (chaos && Chance(1)) view_.backup.spec.cancel = true;
    if (chaos && Chance(1) && !view_.backup.metadata.finalizers.empty()) {
      view_.backup.metadata.deletion_timestamp = now_;
    }
    view_.own_freeze = Status().freeze && Status().freeze->holder == view_.identity;
    view_.may_freeze = !chaos || !Chance(3);
    const BackupPlan plan = PlanBackup(view_, now_);
    last_plan_ = Words(plan);
    if (!last_plan_.empty()) story_ += last_plan_ + "\n";
    for (const BackupAction& action : plan.actions) {
      if (chaos && Chance(5)) return;  // an error: the rest of the plan is dropped
      Apply(action);
      if (gone_) return;
    }
  }

  // Execs and snapshots go on by themselves.
  void Progress(bool chaos) {
    for (std::size_t i = 0; i < view_.targets.size(); ++i) {
      TargetView& target = view_.targets[i];
      if (target.thaw.pre_hook_running && Chance(50)) EndPre(i, chaos && Chance(10));
      if (target.thaw.running && Chance(50)) EndThaw(i, chaos && Chance(30));
      if (target.thaw.reap.running && Chance(50)) EndReap(i, chaos && Chance(30));
      const auto& holder = target.thaw.holder;
      if (target.pre && holder && holder->running &&
          (holder->asked ? Chance(50) : chaos && Chance(3))) {
        EndHolder(i, chaos);
      }
    }
    // A holder dies, and the news of it is on its way.
    for (std::size_t i = 0; i < view_.targets.size(); ++i) {
      if (chaos && IsHeld(i) && Chance(3)) frozen_[i] = false;
    }
    for (std::size_t i = 0; i < view_.snapshots.size(); ++i) {
      SnapshotView& snapshot = view_.snapshots[i];
      if (snapshot.terminating && Chance(50)) snapshot = {};
      if (snapshot.exists && !snapshot.cut && Chance(50)) {
        snapshot.cut = true;
        cut_still_[i] = frozen_[0] && frozen_[1];
      } else if (snapshot.cut && Chance(30)) {
        snapshot.ready = true;
      }
    }
  }

  bool IsHeld(std::size_t i) const {
    return Status().freeze->targets[i].mode == api::HookMode::kHeld;
  }

  // It released when it was asked to, or died some time before; or nobody knows.
  void EndHolder(std::size_t i, bool chaos) {
    TargetView& target = view_.targets[i];
    const bool kept = frozen_[i] && target.thaw.holder->asked;
    frozen_[i] = false;
    if (chaos && Chance(30)) return HolderEnds(target, std::nullopt, now_);
    HolderEnds(target, kept ? 0 : 120, now_);
  }

  void EndPre(std::size_t i, bool fails) {
    TargetView& target = view_.targets[i];
    target.thaw.pre_hook_running = false;
    if (IsHeld(i)) {
      frozen_[i] = !fails;
      target.pre = fails ? ExitCode(1) : Success();
      target.pre_ended_at = now_;
      target.thaw.pre_hook_began = true;
      target.thaw.holder = hooks::HolderMemory{.running = !fails};
      if (fails) target.thaw.holder->end = target.pre;
      return;
    }
    frozen_[i] = !fails || Chance(50);
    target.pre = fails ? ExitCode(1) : Success();
    target.pre_ended_at = now_;
    target.thaw.pre_hook_ended_at = now_;
  }

  void EndThaw(std::size_t i, bool fails) {
    TargetView& target = view_.targets[i];
    if (!fails) frozen_[i] = false;
    target.thaw_ended_at = now_;
    hooks::RememberThaw(target.thaw, fails ? ExitCode(1) : Success(), now_, now_);
  }

  // What a lost stream or a kill left there has ended with it: it finds nothing.
  void EndReap(std::size_t i, bool fails) {
    if (!fails && IsHeld(i)) frozen_[i] = false;
    hooks::RememberReap(view_.targets[i].thaw, Status().freeze->targets[i], *Status().freeze,
                        fails ? ExitCode(1) : Success(), now_, now_);
  }

  // Another process: it remembers nothing. A pre-hook that was under way has frozen, or not; its
  // guard has ended it. A thaw under way has thawed, or not.
  void Kill() {
    story_ += "KILL\n";
    for (std::size_t i = 0; i < view_.targets.size(); ++i) {
      if (IsHeld(i)) {
        frozen_[i] = false;  // by the lost stream
        view_.targets[i] = {};
        continue;
      }
      if (view_.targets[i].thaw.pre_hook_running && Chance(50)) frozen_[i] = true;
      if (view_.targets[i].thaw.running && Chance(50)) frozen_[i] = false;
      view_.targets[i] = {};
    }
    view_.identity = fmt::format("me-{}", ++life_);
    view_.thaw_began = view_.cut_before_thaw = false;
    view_.recheck.reset();
    view_.held_after_journal.reset();
    for (SnapshotView& snapshot : view_.snapshots) {
      snapshot.creating = false;
      snapshot.there.reset();
    }
  }

  void Apply(const BackupAction& action) {
    if (const auto* a = std::get_if<WriteStatus>(&action)) {
      view_.backup.status = a->status;
      view_.targets.resize(Status().freeze ? Status().freeze->targets.size() : 0);
      view_.snapshots.resize(Status().volumes.size());
    } else if (std::holds_alternative<AddFinalizer>(action)) {
      view_.backup.metadata.finalizers = {kBackupFinalizer};
    } else if (std::holds_alternative<RemoveFinalizer>(action)) {
      view_.backup.metadata.finalizers.clear();
      gone_ = view_.backup.metadata.deletion_timestamp.has_value();
    } else if (const auto* reserve = std::get_if<ReservePods>(&action)) {
      if (!reserve->pod_uids.empty()) view_.held_after_journal.reset();
      view_.writers = reserve->writers;
    } else if (std::holds_alternative<AskRestores>(action)) {
      view_.held_after_journal = Chance(20) ? "a restore has begun" : "";
    } else if (const auto* pre = std::get_if<StartPreHooks>(&action)) {
      for (const std::size_t i : pre->targets) {
        view_.targets[i].thaw.pre_hook_running = true;
        if (IsHeld(i)) view_.targets[i].thaw.holder = hooks::HolderMemory{.running = true};
      }
    } else if (const auto* prepare = std::get_if<PrepareThaw>(&action)) {
      for (const std::size_t i : prepare->targets) view_.targets[i].thaw_prepared = true;
    } else if (const auto* thaw = std::get_if<StartThaw>(&action)) {
      if (!view_.thaw_began) view_.cut_before_thaw = thaw->after_last_cut;
      view_.thaw_began = true;
      for (std::size_t i = 0; i < view_.targets.size(); ++i) {
        if (view_.targets[i].thaw.pre_hook_running) EndPre(i, true);
      }
      for (const std::size_t i : thaw->targets) {
        hooks::ThawMemory& memory = view_.targets[i].thaw;
        if (memory.holder && memory.holder->running) {
          memory.holder->asked = true;
        } else {
          memory.running = true;
        }
      }
    } else if (const auto* reap = std::get_if<StartReap>(&action)) {
      for (const std::size_t i : reap->targets) view_.targets[i].thaw.reap.running = true;
    } else if (const auto* create = std::get_if<CreateSnapshots>(&action)) {
      for (const std::size_t i : create->volumes) {
        view_.snapshots[i] = {.exists = true,
                              .ours = true,
                              .owned = true,
                              .uid = fmt::format("s{}", i),
                              .first_uid = fmt::format("s{}", i),
                              .source_volume_handle = Status().volumes[i].volume_handle};
      }
    } else if (const auto* remove = std::get_if<DeleteSnapshots>(&action)) {
      for (const std::size_t i : remove->volumes) view_.snapshots[i].terminating = true;
    } else if (const auto* release = std::get_if<ReleaseSnapshots>(&action)) {
      for (const std::size_t i : release->volumes) view_.snapshots[i].owned = false;
    } else if (const auto* ask = std::get_if<AskSnapshots>(&action)) {
      for (const std::size_t i : ask->volumes) {
        view_.snapshots[i].there = view_.snapshots[i].exists;
      }
    } else if (const auto* recheck = std::get_if<RecheckGroup>(&action)) {
      view_.recheck = GroupRecheck{
          .containers = {{"mysql-0-uid", {{"db", "c1"}}}, {"mysql-1-uid", {{"db", "c1"}}}}};
      for (const std::size_t i : recheck->ask) view_.recheck->answers[i] = Success();
    }
  }

  kube::Random random_;
  BackupView view_;
  api::Time now_ = kNow;
  int life_ = 0;
  bool gone_ = false;
  bool frozen_[2] = {};
  bool cut_still_[2] = {};
  std::string last_plan_ = "-";
  std::string story_;
};

TEST(BackupWalkTest, EveryPathEndsThawedAndHonest) {
  int application = 0;
  int failed = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    World world(seed);
    world.Run();
    const std::string story = fmt::format("seed {}\n{}", seed, world.story());
    ASSERT_TRUE(world.AtRest()) << story;
    ASSERT_FALSE(world.Frozen()) << story;
    const api::VolumeBackupStatus& status = world.Status();
    if (status.phase == api::BackupPhase::kCompleted && world.Retains()) {
      ASSERT_EQ(world.Owned(), 0) << story;
    }
    if (world.Gone()) continue;
    if (status.consistency == api::Consistency::kApplication) {
      ASSERT_TRUE(world.CutWhileStill()) << story;
    }
    if (status.phase == api::BackupPhase::kCompleted) {
      ASSERT_EQ(world.Snapshots(), 2) << story;
      application += status.consistency == api::Consistency::kApplication ? 1 : 0;
    }
    if (status.phase == api::BackupPhase::kFailed || status.phase == api::BackupPhase::kCancelled) {
      ASSERT_EQ(world.Snapshots(), 0) << story;
      ++failed;
    }
  }
  // Neither side may be vacuous.
  EXPECT_GT(application, 20);
  EXPECT_GT(failed, 20);
}

}  // namespace
}  // namespace stillpoint::controllers
