#include "kube/controller.h"

#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const api::NamespacedName kKey{"shop", "nightly"};

class ControllerTest : public testing::Test {
 protected:
  // What the next pass does; when empty, passes succeed with nothing more to do.
  struct Step {
    api::Result<Requeue> result = Requeue::None();
    std::string exception = {};
    std::chrono::milliseconds takes{};
  };

  asio::awaitable<api::Result<Requeue>> Reconcile(api::NamespacedName key) {
    const auto at = std::chrono::floor<std::chrono::milliseconds>(clock_.SteadyNow() - start_);
    passes_.push_back(key.name + "@" + std::to_string(at.count()));
    Step step;
    if (!steps_.empty()) {
      step = steps_.front();
      steps_.pop_front();
    }
    if (step.takes.count() > 0) co_await clock_.Sleep(step.takes);
    if (!step.exception.empty()) throw std::runtime_error(step.exception);
    ++ended_;
    co_return step.result;
  }

  void Go(std::chrono::milliseconds duration) {
    controller_.Start();
    controller_.queue().Add(kKey);
    clock_.Advance(duration);
  }

  void TearDown() override { clock_.Run(controller_.Stop(1s)); }

  asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  const Clock::Steady start_ = clock_.SteadyNow();
  std::deque<Step> steps_;
  std::vector<std::string> passes_;
  std::vector<std::string> log_;
  int ended_ = 0;
  Controller controller_{io_.get_executor(),
                         clock_,
                         [this](Severity, std::string_view line) { log_.emplace_back(line); },
                         {.name = "backups", .workers = 2, .backoff = {.base = 10ms, .max = 1s}},
                         [this](api::NamespacedName key) { return Reconcile(std::move(key)); }};
};

TEST_F(ControllerTest, SuccessWaitsForAWatch) {
  Go(1h);
  EXPECT_THAT(passes_, ElementsAre("nightly@0"));
  EXPECT_EQ(controller_.stats().passes, 1u);
}

TEST_F(ControllerTest, RequeueAfterComesBack) {
  steps_ = {{Requeue::After(30s)}};
  Go(1h);
  EXPECT_THAT(passes_, ElementsAre("nightly@0", "nightly@30000"));
}

TEST_F(ControllerTest, RequeueAfterNothingDoesNotSpin) {
  for (int i = 0; i < 3; ++i) steps_.push_back({Requeue::After(0ms)});
  Go(1h);
  EXPECT_THAT(passes_, ElementsAre("nightly@0", "nightly@10", "nightly@30", "nightly@70"));
}

TEST_F(ControllerTest, ErrorBacksOffAndSuccessForgets) {
  const api::Error down{api::Code::kUnavailable, "connection refused"};
  steps_ = {{down}, {down}, {Requeue::After(100ms)}, {down}};
  Go(1h);
  EXPECT_THAT(passes_,
              ElementsAre("nightly@0", "nightly@10", "nightly@30", "nightly@130", "nightly@140"));
  EXPECT_EQ(controller_.stats().errors.at(api::Code::kUnavailable), 3u);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("backups: shop/nightly: Unavailable: connection refused"),
                                testing::_, testing::_));
}

TEST_F(ControllerTest, ErrorThatLooksTerminalComesBackToo) {
  steps_ = {{api::Error{api::Code::kForbidden, "no right to create volumesnapshots"}}};
  Go(1h);
  EXPECT_THAT(passes_, ElementsAre("nightly@0", "nightly@10"));
}

TEST_F(ControllerTest, RetryAfterWinsOverBackoff) {
  steps_ = {{api::Error{api::Code::kTooManyRequests, "slow down", 7s}}};
  Go(1h);
  EXPECT_THAT(passes_, ElementsAre("nightly@0", "nightly@7000"));
}

TEST_F(ControllerTest, ConflictComesBackAtOnceButNotForever) {
  const api::Error conflict{api::Code::kConflict, "the object has been modified"};
  for (int i = 0; i < 5; ++i) steps_.push_back({conflict});
  Go(1h);
  EXPECT_THAT(passes_, ElementsAre("nightly@0", "nightly@0", "nightly@0", "nightly@0", "nightly@10",
                                   "nightly@30"));
  EXPECT_EQ(log_.size(), 2u) << "a lost race is no news";
}

TEST_F(ControllerTest, ExceptionIsLoggedCountedAndRequeued) {
  steps_ = {{.exception = "bad variant access"}};
  Go(1h);
  EXPECT_THAT(passes_, ElementsAre("nightly@0", "nightly@10"));
  EXPECT_EQ(controller_.stats().exceptions, 1u);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("shop/nightly: the pass ended with an exception: bad")));
}

TEST_F(ControllerTest, StopLetsThePassEnd) {
  steps_ = {{.takes = 500ms}};
  Go(1ms);
  controller_.queue().Add({"shop", "other"});
  clock_.Run(controller_.Stop(1s));
  EXPECT_EQ(ended_, 2);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(ControllerTest, StopCancelsAPassThatOutlivesItsGrace) {
  steps_ = {{.takes = 1h}};
  Go(1ms);
  const auto before = clock_.SteadyNow();
  clock_.Run(controller_.Stop(1s));
  EXPECT_EQ(clock_.SteadyNow() - before, 1s);
  EXPECT_EQ(ended_, 0);
  EXPECT_THAT(log_, testing::Contains(HasSubstr("cancelling 1 passes")));
}

}  // namespace
}  // namespace stillpoint::kube
