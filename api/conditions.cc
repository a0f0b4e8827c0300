#include "api/conditions.h"

#include <algorithm>
#include <utility>

namespace stillpoint::api {

bool SetCondition(std::vector<Condition>& conditions, Condition condition, Time now) {
  const auto found = std::ranges::find(conditions, condition.type, &Condition::type);
  condition.last_transition_time = now;
  if (found == conditions.end()) {
    conditions.push_back(std::move(condition));
    return true;
  }
  if (found->status == condition.status) {
    condition.last_transition_time = found->last_transition_time;
  }
  if (*found == condition) return false;
  *found = std::move(condition);
  return true;
}

const Condition* FindCondition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

bool IsTrue(const std::vector<Condition>& conditions, std::string_view type) {
  const Condition* const condition = FindCondition(conditions, type);
  return condition != nullptr && condition->status == "True";
}

}  // namespace stillpoint::api
