#include "e2e/support/phase_fixture.h"

#include "e2e/support/json.h"

namespace stillpoint::e2e {

StillApp PhaseTest::HoldAt(const std::string& phase) {
  std::string pre = StillApp::kPreHook;
  std::string post = StillApp::kPostHook;
  // The dawdling ends by itself, within the hook's time.
  if (phase == "Freezing") pre += "; sleep 2";
  if (phase == "Thawing") post = "sleep 2; " + post;
  if (phase == "Cutting") driver().CutDelay("60s");
  if (phase == "WaitingReady") driver().NeverReady(true);
  return StillApp(kubectl, {.annotations = Hooked(pre, post, "3s")});
}

void PhaseTest::WaitHeld(const std::string& backup, const std::string& phase, const StillApp& app) {
  WaitPhase(backup, phase);
  const bool frozen = phase != "WaitingReady";
  const auto held = [&] { return !app.StoodStill().empty() && app.IsFrozen() == frozen; };
  EXPECT_TRUE(Eventually(held, Seconds(5))) << "the application is not as expected in " << phase;
}

void PhaseTest::Release() {
  driver().CutDelay("");
  driver().NeverReady(false);
}

}  // namespace stillpoint::e2e
