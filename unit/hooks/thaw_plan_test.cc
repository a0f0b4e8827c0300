#include "hooks/thaw_plan.h"

#include "hooks/guard_bound.h"
#include "hooks/hold_script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <random>

namespace stillpoint::hooks {

void PrintTo(const ThawDecision& d, std::ostream* os) {
  *os << (d.settled ? "settled " + std::to_string(static_cast<int>(*d.settled)) : "")
      << (d.thaw_now ? "thaw now" : "") << (d.reap_now ? " reap now" : "")
      << (d.wait_until ? "wait " + std::to_string(d.wait_until->time_since_epoch().count()) : "")
      << " trouble " << static_cast<int>(d.trouble);
}

namespace {

using namespace std::chrono_literals;
using enum api::FreezeState;

constexpr api::Time kIntent{1'900'000'000s};
const api::FreezeStatus kJournal{.intended_at = kIntent, .deadline = kIntent + 30s};

api::FreezeTarget Target(api::FreezeState state = kIntended) {
  api::FreezeTarget target;
  target.guarded = true;
  target.pre_command = {"/bin/sh", "-c", "freeze"};
  target.post_command = {"/bin/sh", "-c", "thaw"};
  target.timeout = 20s;
  target.state = state;
  return target;
}

HookResult Ended(Outcome outcome) {
  HookResult result;
  result.outcome = outcome;
  return result;
}

// A thaw from `start` to 100 ms later.
void Thaw(ThawMemory& memory, api::Time start, Outcome outcome = Outcome::kSucceeded) {
  RememberThaw(memory, Ended(outcome), start, start + 100ms);
}

// While a reap is under way, which has nothing to tell yet.
ThawDecision Plan(const api::FreezeTarget& target, ThawMemory memory, api::Time now) {
  memory.reap.running = true;
  return PlanThaw(target, kJournal, memory, now);
}

ThawDecision Settled(api::FreezeState state) {
  return {.settled = state};
}

const ThawDecision kThawNow{.thaw_now = true};

TEST(PlanThawTest, OwesAThawFromTheIntent) {
  EXPECT_TRUE(ThawOwed(Target(kIntended)));
  EXPECT_TRUE(ThawOwed(Target(kFrozen)));
  for (const auto state : {kThawed, kGone, kLost}) {
    EXPECT_FALSE(ThawOwed(Target(state)));
    EXPECT_EQ(Plan(Target(state), {}, kIntent), ThawDecision{});
  }
}

TEST(PlanThawTest, ThawsAtOnceAfterARestart) {
  EXPECT_EQ(Plan(Target(kIntended), {}, kIntent), kThawNow);
  EXPECT_EQ(Plan(Target(kFrozen), {}, kIntent + 1h), kThawNow);
}

TEST(PlanThawTest, HasNothingToDoWithoutAPostHook) {
  api::FreezeTarget target = Target(kFrozen);
  target.post_command.clear();
  EXPECT_EQ(Plan(target, {}, kIntent), Settled(kThawed));
}

TEST(PlanThawTest, WaitsForARunningThaw) {
  EXPECT_EQ(Plan(Target(), {.running = true}, kIntent), ThawDecision{});
}

TEST(PlanThawTest, EndsWithThePod) {
  EXPECT_EQ(Plan(Target(), {.running = true, .pod_gone = true}, kIntent), Settled(kGone));
  ThawMemory memory;
  Thaw(memory, kIntent, Outcome::kPodGone);
  EXPECT_EQ(Plan(Target(), memory, kIntent + 1s), Settled(kGone));
}

TEST(PlanThawTest, TakesOneThawOfAConfirmedFreeze) {
  ThawMemory memory;
  Thaw(memory, kIntent + 1s);
  EXPECT_EQ(Plan(Target(kFrozen), memory, kIntent + 2s), Settled(kThawed));
}

TEST(PlanThawTest, TakesOneThawOfAPreHookWhoseEndWasSeen) {
  ThawMemory memory{.pre_hook_ended_at = kIntent + 1s};
  Thaw(memory, kIntent + 1s);
  EXPECT_EQ(Plan(Target(), memory, kIntent + 2s), Settled(kThawed));
}

TEST(PlanThawTest, ThawsAgainWhenThePreHookEndedDuringTheThaw) {
  ThawMemory memory;
  Thaw(memory, kIntent + 1s);
  memory.pre_hook_ended_at = kIntent + 1050ms;
  EXPECT_EQ(Plan(Target(), memory, kIntent + 1100ms), kThawNow);
}

// Both were sent in one moment: which of them the container ran first, nobody knows.
TEST(PlanThawTest, ThawsAgainWhenTheFreezeIsConfirmedDuringTheThaw) {
  ThawMemory memory{.pre_hook_ended_at = kIntent + 2s};
  Thaw(memory, kIntent + 1s);
  EXPECT_EQ(Plan(Target(kFrozen), memory, kIntent + 3s), kThawNow);
  Thaw(memory, kIntent + 3s);
  EXPECT_EQ(Plan(Target(kFrozen), memory, kIntent + 4s), Settled(kThawed));
}

TEST(PlanThawTest, NeedsNoPreHookToEndWhenThereIsNone) {
  api::FreezeTarget target = Target();
  target.pre_command.clear();
  ThawMemory memory;
  Thaw(memory, kIntent + 1s);
  EXPECT_EQ(Plan(target, memory, kIntent + 2s), Settled(kThawed));
}

// ---- an end that was not seen -------------------------------------------------------------------

TEST(PlanThawTest, ConfirmsTheThawOfAGuardedPreHook) {
  ThawMemory memory;
  const api::Time dead = kIntent + LongestGuardedLife(20s);
  Thaw(memory, dead + 1s);  // by then nothing of it can be left, but the clocks may differ
  EXPECT_EQ(Plan(Target(), memory, dead + 2s), ThawDecision{.wait_until = dead + 4s});
  EXPECT_EQ(Plan(Target(), memory, dead + 4s), kThawNow);
  Thaw(memory, dead + 4s);
  EXPECT_EQ(Plan(Target(), memory, dead + 5s), Settled(kThawed));
}

TEST(PlanThawTest, RepeatsTheThawWhileAGuardedPreHookCanLive) {
  ThawMemory memory;
  Thaw(memory, kIntent + 5s);
  EXPECT_EQ(Plan(Target(), memory, kIntent + 6s), ThawDecision{.wait_until = kIntent + 8s});
  EXPECT_EQ(Plan(Target(), memory, kIntent + 8s), kThawNow);
}

TEST(PlanThawTest, RepeatsTheThawOfAnUnguardedPreHookThenLosesIt) {
  api::FreezeTarget target = Target();
  target.guarded = false;
  ThawMemory memory;
  Thaw(memory, kIntent + 20s);
  EXPECT_EQ(Plan(target, memory, kIntent + 21s), ThawDecision{.wait_until = kIntent + 23s});
  Thaw(memory, kIntent + 79s);
  EXPECT_EQ(Plan(target, memory, kIntent + 79500ms), ThawDecision{.wait_until = kIntent + 80s});
  EXPECT_EQ(Plan(target, memory, kIntent + 80s), kThawNow);  // a last one
  Thaw(memory, kIntent + 80s);
  EXPECT_EQ(Plan(target, memory, kIntent + 81s), Settled(kLost));
}

TEST(PlanThawTest, DoesNotLoseAnUnguardedPreHookWhoseEndIsSeenLate) {
  api::FreezeTarget target = Target();
  target.guarded = false;
  ThawMemory memory;
  Thaw(memory, kIntent + 50s);
  memory.pre_hook_ended_at = kIntent + 51s;
  EXPECT_EQ(Plan(target, memory, kIntent + 51s), kThawNow);
  Thaw(memory, kIntent + 51s);
  EXPECT_EQ(Plan(target, memory, kIntent + 52s), Settled(kThawed));
}

// ---- a thaw that fails --------------------------------------------------------------------------

TEST(PlanThawTest, RetriesWithBackoffWhateverOnErrorSays) {
  api::FreezeTarget target = Target(kFrozen);
  target.on_error = api::OnError::kContinue;
  ThawMemory memory;
  api::Time now = kIntent;
  for (const auto delay : {200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10'000ms, 10'000ms}) {
    Thaw(memory, now, Outcome::kFailed);
    now += 100ms;
    EXPECT_EQ(Plan(target, memory, now),
              (ThawDecision{.wait_until = now + delay, .trouble = ThawTrouble::kRetrying}));
    now += delay;
    EXPECT_TRUE(Plan(target, memory, now).thaw_now);
  }
  Thaw(memory, now);
  EXPECT_EQ(Plan(target, memory, now + 1s), Settled(kThawed));
}

TEST(PlanThawTest, NeverGivesUpAFailingThaw) {
  ThawMemory memory;
  Thaw(memory, kIntent + 2h, Outcome::kStreamLost);
  const ThawDecision decision = Plan(Target(kFrozen), memory, kIntent + 2h + 1s);
  EXPECT_EQ(decision, (ThawDecision{.wait_until = kIntent + 2h + 100ms + 1min,
                                    .trouble = ThawTrouble::kUnconfirmed}));
  memory.attempts = 100'000;
  EXPECT_TRUE(Plan(Target(kFrozen), memory, kIntent + 1000h).thaw_now);
}

TEST(PlanThawTest, CountsTheAttemptsOfItsPredecessors) {
  api::FreezeTarget target = Target(kFrozen);
  target.thaw_attempts = 200;
  ThawMemory memory;
  Thaw(memory, kIntent, Outcome::kFailed);
  EXPECT_EQ(Plan(target, memory, kIntent + 1s).trouble, ThawTrouble::kUnconfirmed);
}

TEST(PlanThawTest, ThawsWhenTheClockWasSetBack) {
  ThawMemory memory;
  Thaw(memory, kIntent + 10h, Outcome::kFailed);
  EXPECT_TRUE(Plan(Target(kFrozen), memory, kIntent).thaw_now);
}

// ---- held hooks ---------------------------------------------------------------------------------

api::FreezeTarget HeldTarget(api::FreezeState state = kFrozen) {
  api::FreezeTarget target = Target(state);
  target.mode = api::HookMode::kHeld;
  target.guarded = false;
  target.post_command.clear();
  return target;
}

ThawMemory Holder(HolderMemory holder, std::optional<int> exit_code = {}) {
  if (exit_code) {
    holder.end = Ended(*exit_code == 0 ? Outcome::kSucceeded : Outcome::kFailed);
    holder.end->exit_code = *exit_code;
    holder.end->ended = true;
  }
  ThawMemory memory{.holder = holder};
  if (exit_code) memory.pre_hook_ended_at = kIntent + 1s;
  return memory;
}

TEST(PlanThawOfHeldTest, AsksTheHolderOnceAndWaitsForItsWord) {
  EXPECT_EQ(Plan(HeldTarget(), Holder({.running = true}), kIntent), kThawNow);
  EXPECT_EQ(Plan(HeldTarget(), Holder({.running = true, .asked = true}), kIntent), ThawDecision{});
}

TEST(PlanThawOfHeldTest, IsThawedByTheHoldersWord) {
  for (const int code : {kHoldReleased, kHoldStreamEnded, kHoldExpired, kHoldEndedEarly}) {
    EXPECT_EQ(Plan(HeldTarget(), Holder({.asked = true}, code), kIntent), Settled(kThawed)) << code;
    api::FreezeTarget with_post = HeldTarget();
    with_post.post_command = {"/bin/sh", "-c", "thaw"};
    EXPECT_EQ(Plan(with_post, Holder({.asked = true}, code), kIntent), Settled(kThawed)) << code;
  }
}

TEST(PlanThawOfHeldTest, IsThawedByTheHoldersDeathButNotByAFailedRelease) {
  EXPECT_EQ(Plan(HeldTarget(), Holder({}, 137), kIntent), Settled(kThawed));
  EXPECT_EQ(Plan(HeldTarget(kIntended), Holder({}, 1), kIntent), Settled(kThawed));
  EXPECT_EQ(Plan(HeldTarget(), Holder({.asked = true}, 143), kIntent), Settled(kLost));
}

TEST(PlanThawOfHeldTest, RunsThePostHookWhereTheReleaseWasNotConfirmed) {
  api::FreezeTarget target = HeldTarget();
  target.post_command = {"/bin/sh", "-c", "thaw"};
  ThawMemory memory = Holder({.asked = true}, 143);
  EXPECT_EQ(Plan(target, memory, kIntent + 2s), kThawNow);
  Thaw(memory, kIntent + 2s);
  EXPECT_EQ(Plan(target, memory, kIntent + 3s), Settled(kThawed));
}

TEST(PlanThawOfHeldTest, TrustsTheTimerInTheContainerWhenTheEndIsUnknown) {
  const api::Time dead = kIntent + LongestHeldLife(20s, 30s);
  HolderMemory lost{.end = Ended(Outcome::kStreamLost)};
  for (const ThawMemory& memory : {ThawMemory{}, Holder(lost)}) {
    EXPECT_EQ(Plan(HeldTarget(), memory, kIntent), ThawDecision{.wait_until = dead});
    EXPECT_EQ(Plan(HeldTarget(), memory, dead), Settled(kThawed));
  }
}

TEST(PlanThawOfHeldTest, ThawsAfterARestartByThePostHookUntilTheHolderIsDead) {
  api::FreezeTarget target = HeldTarget();
  target.post_command = {"/bin/sh", "-c", "thaw"};
  ThawMemory memory;
  EXPECT_EQ(Plan(target, memory, kIntent), kThawNow);
  Thaw(memory, kIntent);
  EXPECT_EQ(Plan(target, memory, kIntent + 1s).settled, std::nullopt);
  const api::Time dead = kIntent + LongestHeldLife(20s, 30s);
  Thaw(memory, dead);
  EXPECT_EQ(Plan(target, memory, dead + 1s), Settled(kThawed));
}

TEST(PlanThawOfHeldTest, IsGoneWithItsPod) {
  EXPECT_EQ(Plan(HeldTarget(), Holder({.end = Ended(Outcome::kPodGone)}), kIntent), Settled(kGone));
}

// ---- the reap -----------------------------------------------------------------------------------

bool ReapsAt(const api::FreezeTarget& target, const ThawMemory& memory, api::Time now) {
  return PlanThaw(target, kJournal, memory, now).reap_now;
}

void Reap(ThawMemory& memory, const api::FreezeTarget& target, api::Time start,
          Outcome outcome = Outcome::kSucceeded) {
  RememberReap(memory, target, kJournal, Ended(outcome), start, start + 100ms);
}

TEST(PlanReapTest, ReapsWhatMayRunUnseenBesideTheThaw) {
  for (const auto& target : {Target(kIntended), HeldTarget(kIntended), HeldTarget(kFrozen)}) {
    EXPECT_TRUE(ReapsAt(target, {}, kIntent));
  }
  EXPECT_TRUE(PlanThaw(Target(kIntended), kJournal, {}, kIntent).thaw_now);
  const HolderMemory lost{.end = Ended(Outcome::kStreamLost)};
  EXPECT_TRUE(ReapsAt(HeldTarget(), Holder(lost), kIntent));
}

TEST(PlanReapTest, LeavesWhatHasEndedOrWillTellOrCannotBeFound) {
  api::FreezeTarget unguarded = Target(kIntended);
  unguarded.guarded = false;
  api::FreezeTarget only_post = Target(kIntended);
  only_post.pre_command.clear();
  for (const auto& target : {Target(kFrozen), unguarded, only_post}) {
    EXPECT_FALSE(ReapsAt(target, {}, kIntent));
  }
  EXPECT_FALSE(ReapsAt(Target(kIntended), {.pre_hook_running = true}, kIntent));
  EXPECT_FALSE(ReapsAt(Target(kIntended), {.reap = {.running = true}}, kIntent));
  EXPECT_FALSE(ReapsAt(Target(kIntended), {.pre_hook_ended_at = kIntent}, kIntent));
  EXPECT_FALSE(ReapsAt(HeldTarget(), Holder({.running = true}), kIntent));
  EXPECT_FALSE(ReapsAt(HeldTarget(), {}, kIntent + LongestHeldLife(20s, 30s)));
}

TEST(PlanReapTest, SettlesAHeldHookAtOnce) {
  ThawMemory memory;
  Reap(memory, HeldTarget(), kIntent + 2s);
  EXPECT_EQ(PlanThaw(HeldTarget(), kJournal, memory, kIntent + 3s), Settled(kThawed));
}

TEST(PlanReapTest, WantsAThawAfterIt) {
  api::FreezeTarget target = HeldTarget();
  target.post_command = {"/bin/sh", "-c", "thaw"};
  ThawMemory memory;
  Thaw(memory, kIntent + 2s);
  Reap(memory, target, kIntent + 2s);
  EXPECT_EQ(PlanThaw(target, kJournal, memory, kIntent + 3s), kThawNow);
  Thaw(memory, kIntent + 3s);
  EXPECT_EQ(PlanThaw(target, kJournal, memory, kIntent + 4s), Settled(kThawed));
}

TEST(PlanReapTest, DoesNotCountBeforeThePreHookCanBeginNoMore) {
  const api::Time last_start = kIntent + 14s;
  ThawMemory memory;
  Thaw(memory, kIntent);
  Reap(memory, Target(), kIntent);
  EXPECT_EQ(memory.pre_hook_ended_at, std::nullopt);
  EXPECT_FALSE(ReapsAt(Target(), memory, last_start - 1ms));
  EXPECT_LE(PlanThaw(Target(), kJournal, memory, last_start - 1s).wait_until, last_start);
  EXPECT_TRUE(ReapsAt(Target(), memory, last_start));
  Reap(memory, Target(), last_start);
  EXPECT_NE(memory.pre_hook_ended_at, std::nullopt);
  ThawMemory began{.pre_hook_began = true};
  Reap(began, Target(), kIntent);
  EXPECT_NE(began.pre_hook_ended_at, std::nullopt);
}

TEST(PlanReapTest, IsTriedAgainWithBackoff) {
  ThawMemory memory;
  Reap(memory, HeldTarget(), kIntent, Outcome::kFailed);
  EXPECT_FALSE(ReapsAt(HeldTarget(), memory, kIntent + 299ms));
  EXPECT_TRUE(ReapsAt(HeldTarget(), memory, kIntent + 300ms));
  Reap(memory, HeldTarget(), kIntent + 1s, Outcome::kStreamLost);
  EXPECT_FALSE(ReapsAt(HeldTarget(), memory, kIntent + 1499ms));
  EXPECT_TRUE(ReapsAt(HeldTarget(), memory, kIntent + 1500ms));
  Reap(memory, HeldTarget(), kIntent + 2s, Outcome::kPodGone);
  EXPECT_EQ(PlanThaw(HeldTarget(), kJournal, memory, kIntent + 3s), Settled(kGone));
}

// ---- property -----------------------------------------------------------------------------------

// One container and its controller: the truth that PlanThaw cannot see.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    target_ = Target();
    target_.guarded = Below(2) == 0;
    target_.timeout = std::chrono::seconds(1 + Below(30));
    target_.on_error = Below(2) == 0 ? api::OnError::kFail : api::OnError::kContinue;
    // A guarded pre-hook lives no longer than its guard; an unguarded one as long as it likes, here
    // sometimes beyond our patience.
    const auto longest = target_.guarded ? LongestGuardedLife(target_.timeout) : 200'000ms;
    pre_ends_ = kIntent + std::chrono::milliseconds(Below(static_cast<unsigned>(longest.count())));
    const auto latest = ConnectTimeout(target_.timeout) + 4s;
    begins_ = kIntent + std::chrono::milliseconds(Below(static_cast<unsigned>(latest.count())));
    pre_ends_ = std::max(pre_ends_, begins_);
    freezes_at_ = begins_ + (pre_ends_ - begins_) * Below(101) / 100;
    pod_dies_ = Below(4) == 0 ? kIntent + std::chrono::seconds(Below(300)) : api::Time::max();
    faults_end_ = kIntent + std::chrono::seconds(Below(600));
    end_is_seen_ = Below(2) == 0;
  }

  // Runs to the settled entry; false: it never got there.
  bool RunToTheEnd() {
    for (int step = 0; step < 10'000; ++step) {
      if (Below(40) == 0) Restart();
      Learn();
      const ThawDecision decision = PlanThaw(target_, kJournal, memory_, now_);
      if (decision.settled) {
        target_.state = *decision.settled;
        return true;
      }
      reaps_ += decision.reap_now ? 1 : 0;
      if (decision.reap_now) {
        RunReap();
      } else if (decision.thaw_now) {
        RunThaw();
      } else if (decision.wait_until) {
        EXPECT_GT(*decision.wait_until, now_);
        EXPECT_LE(*decision.wait_until - now_, 1min);
        now_ = *decision.wait_until;
      } else {
        ADD_FAILURE() << "nobody wakes it";
        return false;
      }
    }
    return false;
  }

  // Lets everything that is still on its way arrive.
  [[nodiscard]] bool FrozenInTheEnd() {
    now_ = std::max(now_, pre_ends_) + 1s;
    Catch();
    return frozen_ && now_ < pod_dies_;
  }
  [[nodiscard]] const api::FreezeTarget& target() const { return target_; }
  [[nodiscard]] int reaps() const { return reaps_; }
  [[nodiscard]] bool pod_alive() const { return now_ < pod_dies_; }

 private:
  unsigned Below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  void Restart() {
    memory_ = {};
    end_is_seen_ = false;  // the exec was the dead process's
  }

  void Catch() {
    if (!froze_ && now_ >= freezes_at_ && freezes_at_ <= pre_ends_) frozen_ = froze_ = true;
  }

  void RunReap() {
    const api::Time started = now_;
    now_ += std::chrono::milliseconds(1 + Below(500));
    const bool fails = started < faults_end_ && Below(2) == 0;
    const bool gone = now_ >= pod_dies_;
    const bool runs = begins_ <= started && started < pre_ends_;
    if (runs && !gone && (!fails || Below(2) == 0)) pre_ends_ = started;
    Catch();
    const auto outcome = gone    ? Outcome::kPodGone
                         : fails ? Outcome::kStreamLost
                                 : Outcome::kSucceeded;
    RememberReap(memory_, target_, kJournal, Ended(outcome), started, now_);
  }

  void Learn() {
    Catch();
    if (end_is_seen_ && now_ >= pre_ends_ && !memory_.pre_hook_ended_at) {
      memory_.pre_hook_ended_at = now_;
    }
  }

  void RunThaw() {
    const api::Time started = now_;
    now_ += std::chrono::milliseconds(1 + Below(3000));
    Catch();
    if (now_ >= pod_dies_) {
      RememberThaw(memory_, Ended(Outcome::kPodGone), started, now_);
    } else if (started < faults_end_ && Below(2) == 0) {
      if (Below(2) == 0) frozen_ = false;  // done, and the answer is lost
      RememberThaw(memory_, Ended(Outcome::kStreamLost), started, now_);
    } else {
      if (freezes_at_ < started || !froze_) frozen_ = false;
      // A freeze that came during the thaw may have come after it: it stays.
      RememberThaw(memory_, Ended(Outcome::kSucceeded), started, now_);
    }
  }

  std::mt19937 random_;
  api::FreezeTarget target_;
  ThawMemory memory_;
  api::Time now_ = kIntent;
  api::Time begins_;
  api::Time pre_ends_;
  api::Time freezes_at_;
  api::Time pod_dies_;
  api::Time faults_end_;
  bool end_is_seen_ = false;
  int reaps_ = 0;
  bool froze_ = false;
  bool frozen_ = false;
};

TEST(PlanThawTest, NeverEndsFrozenWhateverHappens) {
  int lost = 0;
  int reaps = 0;
  int gone = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    World world(seed);
    ASSERT_TRUE(world.RunToTheEnd()) << "seed " << seed;
    const auto state = world.target().state;
    if (state == kThawed) EXPECT_FALSE(world.FrozenInTheEnd()) << "seed " << seed;
    if (state == kGone) EXPECT_FALSE(world.pod_alive()) << "seed " << seed;
    if (state == kLost) EXPECT_FALSE(world.target().guarded) << "seed " << seed;
    reaps += world.reaps();
    lost += state == kLost ? 1 : 0;
    gone += state == kGone ? 1 : 0;
  }
  EXPECT_GT(lost, 30);  // the cases are there
  EXPECT_GT(gone, 30);
  EXPECT_GT(reaps, 300);
}

}  // namespace
}  // namespace stillpoint::hooks
