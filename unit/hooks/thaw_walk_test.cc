// PlanThaw on random walks: one container and its controller that fails, restarts and loses
// answers.
#include "hooks/thaw_plan.h"

#include "hooks/guard_bound.h"
#include "unit/hooks/thaw_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using enum api::FreezeState;

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
