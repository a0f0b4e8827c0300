#include "hooks/thaw_plan.h"

#include "hooks/guard_bound.h"
#include "unit/hooks/thaw_builder.h"

#include <gtest/gtest.h>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using enum api::FreezeState;

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

}  // namespace
}  // namespace stillpoint::hooks
