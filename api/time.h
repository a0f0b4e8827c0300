// Instants as text: RFC 3339, always written in UTC.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace stillpoint::api {

// metav1.MicroTime, which Lease and Event use: the API server reads it only with exactly six
// fraction digits, so it is another type than Time.
struct MicroTime {
  Time value{};
  auto operator<=>(const MicroTime&) const = default;
};

// Any number of fraction digits (cut after microseconds) and any offset. Errors: kInvalid.
[[nodiscard]] Result<Time> ParseTime(std::string_view text);

// `2026-11-21T02:00:04Z`, with 3 or 6 fraction digits where the instant has them.
[[nodiscard]] std::string FormatTime(Time time);

// `2026-11-21T02:00:04.036000Z`.
[[nodiscard]] std::string FormatMicroTime(MicroTime time);

// VolumeSnapshotContent.status.creationTime counts nanoseconds since 1970.
[[nodiscard]] Time TimeFromUnixNanoseconds(std::int64_t nanoseconds);

}  // namespace stillpoint::api
