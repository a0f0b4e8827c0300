// PhaseTest: a backup that is held in one of its phases, so that something can happen there.
#pragma once

#include "e2e/support/backup_fixture.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace stillpoint::e2e {

class PhaseTest : public BackupTest {
 public:
  // The phases that take time, in order.
  static constexpr std::array kPhases{"Freezing", "Cutting", "Thawing", "WaitingReady"};
  static std::string Name(const testing::TestParamInfo<const char*>& phase) { return phase.param; }

 protected:
  // An application (`app`) and a driver by which a backup stays in that phase for a while: a
  // pre-hook that freezes and then dawdles, a cut or a snapshot that does not come, a post-hook
  // that dawdles and then thaws.
  StillApp HoldAt(const std::string& phase);

  // Waits until a backup is there; in all phases but the last the application is frozen then.
  void WaitHeld(const std::string& backup, const std::string& phase, const StillApp& app);

  // The driver goes on. The hooks do by themselves.
  void Release();
};

}  // namespace stillpoint::e2e
