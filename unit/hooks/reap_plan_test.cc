// PlanThaw where what a pre-hook left running is to be ended.
#include "hooks/thaw_plan.h"

#include "hooks/guard_bound.h"
#include "unit/hooks/thaw_builder.h"

#include <gtest/gtest.h>

#include <optional>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using enum api::FreezeState;

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

}  // namespace
}  // namespace stillpoint::hooks
