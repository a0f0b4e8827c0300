// The text of a run, one fact a line:
//
//   # anything: a comment
//   seed 17
//   knobs {"processes":2}
//   app {"name":"shop","claims":2}
//   at 1500ms ApplyBackup a {"applicationRef":"shop"}
//   fault kill life=1 at=effect,patch,volumebackups/status,shop/a nth=2
//
// Knobs and applications show only what differs from the default.
#pragma once

#include "api/error.h"
#include "sim/run/scenario.h"

#include <string>
#include <string_view>

namespace stillpoint::sim::run {

[[nodiscard]] std::string FormatOperation(const Operation& operation);
[[nodiscard]] std::string FormatScenario(const Scenario& scenario);

// Errors: kInvalid, with the number of the line in front.
[[nodiscard]] api::Result<Scenario> ParseScenario(std::string_view text);

}  // namespace stillpoint::sim::run
