#include "kube/waiters.h"

#include "kube/task_group.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::IsEmpty;

class WaitersTest : public testing::Test {
 protected:
  asio::awaitable<void> Wait(int id) {
    co_await waiters_->Wait();
    woken_.push_back(id);
  }

  void Spawn(TaskGroup& group, int id) {
    group.Spawn("waiter", Wait(id));
    clock_.Settle();
  }

  std::optional<asio::io_context> io_{std::in_place, 1};
  unit::FakeClock clock_{*io_};
  std::vector<int> woken_;
  std::optional<Waiters> waiters_{std::in_place, io_->get_executor()};
  TaskGroup tasks_{io_->get_executor(), [](Severity, std::string_view) {}};
};

TEST_F(WaitersTest, WakesTheOldestOrAllInOrder) {
  for (int id : {1, 2, 3}) Spawn(tasks_, id);
  waiters_->NotifyOne();
  EXPECT_THAT(woken_, IsEmpty()) << "nobody runs before the call returns";
  clock_.Settle();
  EXPECT_THAT(woken_, ElementsAre(1));
  waiters_->NotifyAll();
  clock_.Settle();
  EXPECT_THAT(woken_, ElementsAre(1, 2, 3));
}

TEST_F(WaitersTest, CallThatNobodyHearsIsNotKept) {
  waiters_->NotifyAll();
  Spawn(tasks_, 1);
  EXPECT_EQ(waiters_->size(), 1u);
  waiters_->NotifyOne();
  clock_.Settle();
}

TEST_F(WaitersTest, CancelledWaiterTakesNoCall) {
  TaskGroup doomed(io_->get_executor(), [](Severity, std::string_view) {});
  Spawn(doomed, 1);
  Spawn(tasks_, 2);
  clock_.Run(doomed.Stop());
  waiters_->NotifyOne();
  clock_.Settle();
  EXPECT_THAT(woken_, ElementsAre(2));
}

TEST_F(WaitersTest, MayDieBeforeOrAfterItsLoop) {
  Spawn(tasks_, 1);
  io_.reset();
  EXPECT_EQ(waiters_->size(), 0u);
  EXPECT_EQ(tasks_.size(), 0u);
  waiters_.reset();
}

TEST_F(WaitersTest, WakesCoroutinesOfALoopThatDiesMeanwhile) {
  Spawn(tasks_, 1);
  waiters_->NotifyAll();
  io_.reset();
  EXPECT_THAT(woken_, IsEmpty());
  EXPECT_EQ(tasks_.size(), 0u);
}

}  // namespace
}  // namespace stillpoint::kube
