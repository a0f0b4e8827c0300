#include "hooks/hook_notices.h"

#include "api/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::hooks {

void Notices::Add(std::string_view reason, std::string where, const std::string& pod,
                  std::string text) {
  const auto same = std::ranges::find_if(notices_, [&](const HookNotice& notice) {
    return notice.reason == reason && notice.where == where && notice.message == text;
  });
  HookNotice& notice = same != notices_.end()
                           ? *same
                           : notices_.emplace_back(HookNotice{
                                 std::string(reason), std::move(where), {}, std::move(text)});
  const bool named = !notice.pods.empty() && notice.pods.back() == pod;
  if (!pod.empty() && !named) notice.pods.push_back(pod);
}

std::vector<HookNotice> Notices::Finish() && {
  for (HookNotice& notice : notices_) {
    if (notice.pods.empty()) continue;
    notice.message = fmt::format("{} {}: {}", notice.pods.size() == 1 ? "pod" : "pods",
                                 api::Listed(notice.pods), notice.message);
  }
  return std::move(notices_);
}

}  // namespace stillpoint::hooks
