#include "kube/retry_policy.h"

#include <gtest/gtest.h>

namespace stillpoint::kube {
namespace {

using api::Code;
using namespace std::chrono_literals;

constexpr double kMiddle = 0.5;  // the jitter that leaves a pause as it is

FailedAttempt Answered(int status, std::optional<std::chrono::seconds> retry_after = {}) {
  return {.error = {.code = Code::kUnavailable, .message = "", .retry_after = retry_after},
          .progress = Progress::kAnswered,
          .http_status = status};
}

FailedAttempt Lost(Progress progress) {
  return {.error = {Code::kUnavailable, ""}, .progress = progress};
}

struct Case {
  const char* name;
  FailedAttempt failed;
  bool read;
  bool write;
};

TEST(RetryPolicyTest, RepeatsWhatIsSafe) {
  FailedAttempt wrong_certificate = Lost(Progress::kNothingSent);
  wrong_certificate.hopeless = true;
  FailedAttempt too_large = Lost(Progress::kSent);
  too_large.error.code = Code::kUnknown;
  const Case cases[] = {
      {"nothing sent", Lost(Progress::kNothingSent), true, true},
      {"wrong certificate", wrong_certificate, false, false},
      {"answer lost", Lost(Progress::kSent), true, false},
      {"answer too large", too_large, false, false},
      {"429", Answered(429), true, true},
      {"429 with a hint", Answered(429, 1s), true, true},
      {"503", Answered(503), true, false},
      {"503 with a hint", Answered(503, 1s), true, true},
      {"500", Answered(500), true, false},
      {"500 with a hint", Answered(500, 1s), true, false},
      {"502", Answered(502), true, false},
      {"504", Answered(504), true, false},
      {"403", Answered(403), false, false},
      {"404", Answered(404), false, false},
      {"409", Answered(409), false, false},
      {"410", Answered(410), false, false},
      {"422", Answered(422), false, false},
  };
  for (const Case& c : cases) {
    for (const Verb verb : {Verb::kGet, Verb::kList}) {
      EXPECT_EQ(RetryDelay(verb, c.failed, 0, kMiddle).has_value(), c.read) << c.name;
    }
    for (const Verb verb :
         {Verb::kCreate, Verb::kApply, Verb::kMergePatch, Verb::kJsonPatch, Verb::kDelete}) {
      EXPECT_EQ(RetryDelay(verb, c.failed, 0, kMiddle).has_value(), c.write) << c.name;
    }
  }
}

TEST(RetryPolicyTest, BacksOffWithJitter) {
  const auto failed = Answered(500);
  EXPECT_EQ(RetryDelay(Verb::kGet, failed, 0, kMiddle), 100ms);
  EXPECT_EQ(RetryDelay(Verb::kGet, failed, 1, kMiddle), 200ms);
  EXPECT_EQ(RetryDelay(Verb::kGet, failed, 4, kMiddle), 1600ms);
  EXPECT_EQ(RetryDelay(Verb::kGet, failed, 5, kMiddle), 3000ms);
  EXPECT_EQ(RetryDelay(Verb::kGet, failed, 1000, kMiddle), 3000ms);
  EXPECT_EQ(RetryDelay(Verb::kGet, failed, 0, 0.0), 50ms);
  EXPECT_EQ(RetryDelay(Verb::kGet, failed, 0, 0.99), 149ms);
}

TEST(RetryPolicyTest, LongerRetryAfterWins) {
  EXPECT_EQ(RetryDelay(Verb::kGet, Answered(429, 5s), 0, kMiddle), 5s);
  EXPECT_EQ(RetryDelay(Verb::kGet, Answered(429, 0s), 0, kMiddle), 100ms);
}

TEST(RetryPolicyTest, StaleConnectionIsReplacedAtOnceButOnlyOnce) {
  FailedAttempt stale = Lost(Progress::kSent);
  stale.on_reused_connection = true;
  EXPECT_EQ(RetryDelay(Verb::kGet, stale, 0, kMiddle), 0ms);
  EXPECT_EQ(RetryDelay(Verb::kGet, stale, 1, kMiddle), 200ms);
  EXPECT_EQ(RetryDelay(Verb::kCreate, stale, 0, kMiddle), std::nullopt);
  stale.progress = Progress::kNothingSent;
  EXPECT_EQ(RetryDelay(Verb::kCreate, stale, 0, kMiddle), 0ms);
}

}  // namespace
}  // namespace stillpoint::kube
