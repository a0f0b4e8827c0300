#include "kube/clock.h"

#include "kube/task_group.h"
#include "unit/support/await.h"
#include "unit/support/fake_clock.h"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<api::Result<int>> Answer(Clock& clock, std::chrono::milliseconds after) {
  co_await clock.Sleep(after);
  co_return 42;
}

asio::awaitable<api::Result<int>> Throw(Clock& clock) {
  co_await clock.Sleep(1ms);
  throw std::runtime_error("boom");
}

class ClockTest : public testing::Test {
 protected:
  asio::io_context io_{1};
  unit::FakeClock clock_{io_};
};

TEST_F(ClockTest, OperationWithinItsTimeGivesItsResult) {
  auto result = clock_.Run(WithTimeout(clock_, 2s, "too late", Answer(clock_, 1s)));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*result, 42);
  EXPECT_EQ(clock_.sleepers(), 0u);
}

TEST_F(ClockTest, OperationBeyondItsTimeIsCancelled) {
  const auto start = clock_.SteadyNow();
  auto result = clock_.Run(WithTimeout(clock_, 1s, "too late", Answer(clock_, 2s)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, api::Code::kTimeout);
  EXPECT_EQ(result.error().message, "too late");
  EXPECT_EQ(clock_.SteadyNow() - start, 1s);
  EXPECT_EQ(clock_.sleepers(), 0u);
}

TEST_F(ClockTest, ExceptionIsThrownAtOnceAndNotAfterTheTimeout) {
  const auto start = clock_.SteadyNow();
  EXPECT_THROW(std::ignore = clock_.Run(WithTimeout(clock_, 1h, "too late", Throw(clock_))),
               std::runtime_error);
  EXPECT_EQ(clock_.SteadyNow() - start, 1ms);
}

asio::awaitable<void> NoteAbort(Clock& clock, bool& aborted) {
  try {
    std::ignore = co_await WithTimeout(clock, 1h, "too late", Answer(clock, 2h));
  } catch (const boost::system::system_error& e) {
    aborted = e.code() == asio::error::operation_aborted;
    throw;
  }
}

TEST_F(ClockTest, CancellationThrowsOperationAborted) {
  bool aborted = false;
  TaskGroup group(io_.get_executor(), [](Severity, std::string_view) {});
  group.Spawn("call", NoteAbort(clock_, aborted));
  clock_.Settle();
  clock_.Run(group.Stop());
  EXPECT_TRUE(aborted);
}

asio::awaitable<api::Result<int>> SleepReally(Clock& clock) {
  co_await clock.Sleep(-5ms);
  co_return (co_await WithTimeout(clock, 1ms, "real", Answer(clock, 1h)));
}

TEST(SystemClockTest, SleepsAndCancels) {
  auto clock = MakeSystemClock();
  auto result = unit::Await(SleepReally(*clock));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, api::Code::kTimeout);
}

}  // namespace
}  // namespace stillpoint::kube
