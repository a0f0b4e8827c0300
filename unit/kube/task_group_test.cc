#include "kube/task_group.h"

#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/this_coro.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

asio::awaitable<void> SleepThenNote(Clock& clock, std::chrono::milliseconds duration,
                                    std::vector<int>& notes, int note) {
  co_await clock.Sleep(duration);
  notes.push_back(note);
}

asio::awaitable<void> Throw(Clock& clock) {
  co_await clock.Sleep(1ms);
  throw std::runtime_error("boom");
}

// Says in its destructor that its frame is gone.
struct Trace {
  explicit Trace(bool& flag) : gone(flag) {}
  ~Trace() { gone = true; }
  bool& gone;
};

asio::awaitable<void> SleepTraced(Clock& clock, bool& gone) {
  Trace trace(gone);
  co_await clock.Sleep(1h);
}

// A cleanup that goes on after the cancellation, as a thaw does.
asio::awaitable<void> CleanUpWhenCancelled(Clock& clock, std::vector<int>& notes) {
  bool cancelled = false;
  try {
    co_await clock.Sleep(1h);
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  if (!cancelled) co_return;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await clock.Sleep(5s);
  notes.push_back(1);
}

class TaskGroupTest : public testing::Test {
 protected:
  LogFn Log() {
    return [this](Severity, std::string_view line) { log_.emplace_back(line); };
  }

  std::vector<std::string> log_;
  std::optional<asio::io_context> io_{std::in_place, 1};
  unit::FakeClock clock_{*io_};
  TaskGroup group_{io_->get_executor(), Log()};
};

TEST_F(TaskGroupTest, RunsTimersInOrderOfTimeThenAge) {
  std::vector<int> notes;
  group_.Spawn("c", SleepThenNote(clock_, 20ms, notes, 3));
  group_.Spawn("a", SleepThenNote(clock_, 10ms, notes, 1));
  group_.Spawn("b", SleepThenNote(clock_, 10ms, notes, 2));
  EXPECT_EQ(group_.size(), 3u);
  clock_.Advance(20ms);
  EXPECT_THAT(notes, ElementsAre(1, 2, 3));
  EXPECT_EQ(group_.size(), 0u);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(TaskGroupTest, LogsAndCountsAnExceptionByName) {
  group_.Spawn("informer pods", Throw(clock_));
  clock_.Advance(1ms);
  EXPECT_THAT(log_, ElementsAre("task informer pods ended with an exception: boom"));
  EXPECT_EQ(group_.failures(), 1u);
}

TEST_F(TaskGroupTest, StopCancelsSilentlyAndWaits) {
  std::vector<int> notes;
  group_.Spawn("sleeper", SleepThenNote(clock_, 1h, notes, 1));
  clock_.Settle();
  clock_.Run(group_.Stop());
  EXPECT_EQ(group_.size(), 0u);
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_THAT(log_, IsEmpty());
  group_.Spawn("late", SleepThenNote(clock_, 0ms, notes, 2));
  clock_.Settle();
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(TaskGroupTest, StopsATaskThatHasNotBegun) {
  std::vector<int> notes;
  group_.Spawn("sleeper", SleepThenNote(clock_, 1h, notes, 1));
  clock_.Run(group_.Stop());
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(TaskGroupTest, StopWaitsForCleanup) {
  std::vector<int> notes;
  group_.Spawn("thaw", CleanUpWhenCancelled(clock_, notes));
  clock_.Settle();
  clock_.Run(group_.Stop());
  EXPECT_THAT(notes, ElementsAre(1));
}

TEST_F(TaskGroupTest, JoinWaitsForTheLast) {
  std::vector<int> notes;
  group_.Spawn("a", SleepThenNote(clock_, 10ms, notes, 1));
  group_.Spawn("b", SleepThenNote(clock_, 30ms, notes, 2));
  clock_.Run(group_.Join());
  EXPECT_THAT(notes, ElementsAre(1, 2));
}

TEST_F(TaskGroupTest, DiesWithItsLoop) {
  bool gone = false;
  group_.Spawn("sleeper", SleepTraced(clock_, gone));
  clock_.Settle();
  io_.reset();
  EXPECT_TRUE(gone);
  EXPECT_EQ(group_.size(), 0u);
}

}  // namespace
}  // namespace stillpoint::kube
