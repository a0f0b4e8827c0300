#include "kube/watch_framing.h"

#include <fmt/format.h>

#include <algorithm>

namespace stillpoint::kube {

void WatchFramer::Feed(std::string_view bytes) {
  pending_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  pending_ += bytes;
}

api::Result<std::optional<std::string>> WatchFramer::Next() {
  while (true) {
    const std::size_t end = pending_.find('\n', scanned_);
    scanned_ = std::min(end, pending_.size());
    if (scanned_ - begin_ > max_event_bytes_) {
      return api::Error{api::Code::kUnavailable,
                        fmt::format("an event is larger than {} bytes", max_event_bytes_)};
    }
    if (end == std::string::npos) return std::nullopt;
    std::string line = pending_.substr(begin_, end - begin_);
    begin_ = scanned_ = end + 1;
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) return line;
  }
}

}  // namespace stillpoint::kube
