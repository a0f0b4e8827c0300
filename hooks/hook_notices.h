// Notices: what is wrong with the hooks of many pods, said once. Private to hooks/.
#pragma once

#include "hooks/hook_plan.h"

#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::hooks {

// The same fault in many pods becomes one notice: its message is finished when all are known.
class Notices {
 public:
  void Add(std::string_view reason, std::string where, const std::string& pod, std::string text);
  std::vector<HookNotice> Finish() &&;

 private:
  std::vector<HookNotice> notices_;
};

}  // namespace stillpoint::hooks
