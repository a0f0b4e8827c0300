// Durations as people write them: `30s`, `1d6h30m`, `182ms`.
//
// Grammar: ([0-9]+(w|d|h|m|s|ms))+ where each unit stands at most once, in any order. The unit is
// never left out: a bare number reads as seconds to one person and as minutes to the next.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <string>
#include <string_view>

namespace stillpoint::api {

// Errors: kInvalid, with a message that quotes `text` and shows what would be right. `0s` is a
// duration; whether a field takes it is the field's affair.
[[nodiscard]] Result<Duration> ParseDuration(std::string_view text);

// The shortest text that ParseDuration reads back, largest unit first. A negative length (a clock
// that was set back between two readings) is written `0s`.
[[nodiscard]] std::string FormatDuration(Duration duration);

}  // namespace stillpoint::api
