#include "kube/workqueue.h"

#include "kube/task_group.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const api::NamespacedName kA{"shop", "a"};
const api::NamespacedName kB{"shop", "b"};
const api::NamespacedName kC{"shop", "c"};

class WorkQueueTest : public testing::Test {
 protected:
  // A worker that keeps each key for `work` and notes when it took it.
  asio::awaitable<void> Work(std::chrono::milliseconds work) {
    while (auto key = co_await queue_.Next()) {
      Note(*key);
      if (work.count() > 0) co_await clock_.Sleep(work);
      queue_.Done(*key);
    }
    seen_.emplace_back("end");
  }

  void Note(const api::NamespacedName& key) {
    const auto at = std::chrono::floor<std::chrono::milliseconds>(clock_.SteadyNow() - start_);
    seen_.push_back(key.name + "@" + std::to_string(at.count()));
  }

  // For tests that play the worker themselves.
  api::NamespacedName Take() { return clock_.Run(queue_.Next()).value(); }

  void SpawnWorker(std::chrono::milliseconds work) {
    workers_.Spawn("worker", Work(work));
    clock_.Settle();
  }

  void TearDown() override {
    queue_.Shutdown();
    clock_.Run(workers_.Stop());
  }

  asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  const Clock::Steady start_ = clock_.SteadyNow();
  std::vector<std::string> seen_;
  WorkQueue queue_{io_.get_executor(), clock_, {.base = 5ms, .max = 1s}};
  TaskGroup workers_{io_.get_executor(), [](Severity, std::string_view) {}};
};

TEST_F(WorkQueueTest, HandsOutInOrderOfArrival) {
  SpawnWorker(0ms);
  queue_.Add(kB);
  queue_.Add(kA);
  clock_.Settle();
  EXPECT_THAT(seen_, ElementsAre("b@0", "a@0"));
}

TEST_F(WorkQueueTest, AWaitingKeyWaitsOnce) {
  queue_.Add(kA);
  queue_.Add(kA);
  EXPECT_EQ(queue_.stats().depth, 1u);
  EXPECT_EQ(queue_.stats().adds, 1u);
}

TEST_F(WorkQueueTest, AKeyInWorkComesBackAfterDone) {
  queue_.Add(kA);
  EXPECT_EQ(Take(), kA);
  queue_.Add(kA);
  queue_.Add(kA);
  EXPECT_EQ(queue_.stats().depth, 0u);
  queue_.Done(kA);
  EXPECT_EQ(queue_.stats().depth, 1u);
  EXPECT_EQ(Take(), kA);
  queue_.Done(kA);
  EXPECT_EQ(queue_.stats().depth, 0u);
}

TEST_F(WorkQueueTest, NeverGivesOneKeyToTwoWorkers) {
  SpawnWorker(10ms);
  SpawnWorker(10ms);
  queue_.Add(kA);
  clock_.Settle();
  queue_.Add(kA);
  queue_.Add(kB);
  clock_.Advance(30ms);
  EXPECT_THAT(seen_, ElementsAre("a@0", "b@0", "a@10"));
}

TEST_F(WorkQueueTest, WorkersShareTheLoad) {
  for (int i = 0; i < 3; ++i) SpawnWorker(10ms);
  for (const auto& key : {kA, kB, kC}) queue_.Add(key);
  clock_.Advance(1ms);
  EXPECT_THAT(seen_, ElementsAre("a@0", "b@0", "c@0"));
}

TEST_F(WorkQueueTest, DelayedKeysComeByTimeThenAge) {
  SpawnWorker(0ms);
  queue_.AddAfter(kC, 30ms);
  queue_.AddAfter(kB, 20ms);
  queue_.AddAfter(kA, 20ms);
  EXPECT_EQ(queue_.stats().delayed, 3u);
  clock_.Advance(1s);
  EXPECT_THAT(seen_, ElementsAre("b@20", "a@20", "c@30"));
}

TEST_F(WorkQueueTest, AddAfterKeepsTheEarliest) {
  SpawnWorker(0ms);
  queue_.AddAfter(kA, 50ms);
  clock_.Advance(1ms);
  queue_.AddAfter(kA, 20ms);
  queue_.AddAfter(kA, 70ms);
  clock_.Advance(1s);
  EXPECT_THAT(seen_, ElementsAre("a@21"));
}

TEST_F(WorkQueueTest, AnEarlierDeadlineIsSeenAlthoughAnotherWorkerWasWoken) {
  SpawnWorker(40ms);
  SpawnWorker(40ms);
  queue_.AddAfter(kC, 60ms);
  clock_.Settle();
  queue_.AddAfter(kB, 10ms);
  queue_.Add(kA);
  clock_.Advance(1s);
  EXPECT_THAT(seen_, ElementsAre("a@0", "b@10", "c@60"));
}

TEST_F(WorkQueueTest, NoDelayIsAnAdd) {
  queue_.AddAfter(kA, 0ms);
  queue_.AddAfter(kB, -5ms);
  EXPECT_EQ(queue_.stats().depth, 2u);
}

TEST_F(WorkQueueTest, BackoffDoublesPerKeyUntilItsCap) {
  SpawnWorker(0ms);
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 10; ++i) {
    const auto before = clock_.SteadyNow();
    queue_.AddRateLimited(kA);
    while (queue_.stats().delayed > 0) clock_.Advance(1ms);
    delays.push_back((clock_.SteadyNow() - before) / 1ms);
  }
  EXPECT_THAT(delays, ElementsAre(5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000));
  EXPECT_EQ(queue_.stats().retries, 10u);
}

TEST_F(WorkQueueTest, ForgetResetsTheBackoffOfThatKeyOnly) {
  SpawnWorker(0ms);
  for (const auto& key : {kA, kB}) queue_.AddRateLimited(key);
  clock_.Advance(5ms);
  seen_.clear();
  queue_.Forget(kA);
  for (const auto& key : {kA, kB}) queue_.AddRateLimited(key);
  clock_.Advance(1s);
  EXPECT_THAT(seen_, ElementsAre("a@10", "b@15"));
}

TEST_F(WorkQueueTest, RateLimitRespectsTheServersHint) {
  SpawnWorker(0ms);
  queue_.AddRateLimited(kA, 2s);
  clock_.Advance(3s);
  EXPECT_THAT(seen_, ElementsAre("a@2000"));
}

TEST_F(WorkQueueTest, ShutdownWakesAllAndDropsLaterAdds) {
  SpawnWorker(0ms);
  SpawnWorker(0ms);
  queue_.AddAfter(kB, 10ms);
  queue_.Shutdown();
  queue_.Add(kA);
  queue_.AddAfter(kA, 1ms);
  clock_.Advance(1s);
  EXPECT_THAT(seen_, ElementsAre("end", "end"));
  EXPECT_EQ(queue_.stats().depth, 0u);
}

TEST_F(WorkQueueTest, ACancelledWorkerLosesNoKey) {
  TaskGroup doomed(io_.get_executor(), [](Severity, std::string_view) {});
  doomed.Spawn("worker", Work(1h));
  clock_.Settle();
  queue_.Add(kA);
  queue_.Add(kB);
  clock_.Run(doomed.Stop());
  // What it took it could not finish; what it had not taken is there for the next one.
  SpawnWorker(0ms);
  EXPECT_THAT(seen_, ElementsAre("a@0", "b@0"));
  queue_.Done(kA);
}

TEST_F(WorkQueueTest, MeasuresWaitAndWork) {
  queue_.Add(kA);
  clock_.Advance(30ms);
  EXPECT_EQ(Take(), kA);
  clock_.Advance(20ms);
  EXPECT_EQ(queue_.stats().longest_work, 20ms);
  queue_.Done(kA);
  EXPECT_EQ(queue_.stats().waited, 30ms);
  EXPECT_EQ(queue_.stats().worked, 20ms);
  EXPECT_EQ(queue_.stats().handed_out, 1u);
  EXPECT_THAT(seen_, IsEmpty());
}

}  // namespace
}  // namespace stillpoint::kube
