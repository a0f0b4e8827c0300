// Conditions by the rules of metav1: one per type, and its transition time tells since when the
// status has been what it is, not when it was last written.
#pragma once

#include "api/meta.h"

#include <string_view>
#include <vector>

namespace stillpoint::api {

// Adds `condition`, or updates the one of the same type. `last_transition_time` becomes `now` if
// the status is new or another one than before, else it stays. Returns whether anything changed.
bool SetCondition(std::vector<Condition>& conditions, Condition condition, Time now);

// Null when there is none. Valid until `conditions` changes.
[[nodiscard]] const Condition* FindCondition(const std::vector<Condition>& conditions,
                                             std::string_view type);

// Whether the condition is there with status True.
[[nodiscard]] bool IsTrue(const std::vector<Condition>& conditions, std::string_view type);

}  // namespace stillpoint::api
