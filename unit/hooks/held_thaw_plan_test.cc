// PlanThaw where the pre-hook is held.
#include "hooks/thaw_plan.h"

#include "hooks/guard_bound.h"
#include "hooks/hold_script.h"
#include "unit/hooks/thaw_builder.h"

#include <gtest/gtest.h>

#include <optional>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using enum api::FreezeState;

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

}  // namespace
}  // namespace stillpoint::hooks
