// WatchFramer: cuts the body of a watch into its events, one JSON text per line. Sans I/O.
#pragma once

#include "api/error.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::kube {

// Threads: one at a time.
class WatchFramer {
 public:
  // An object in etcd is at most 1.5 MiB; ours is a bound on memory, not on objects.
  static constexpr std::size_t kMaxEventBytes = std::size_t{16} << 20;

  explicit WatchFramer(std::size_t max_event_bytes = kMaxEventBytes)
      : max_event_bytes_(max_event_bytes) {}

  // Takes the next octets of the body, cut anywhere.
  void Feed(std::string_view bytes);

  // The next whole line without its end, blank ones left out; empty: feed more.
  // Errors: kUnavailable for a line beyond the limit; the framer is of no more use then.
  [[nodiscard]] api::Result<std::optional<std::string>> Next();

 private:
  const std::size_t max_event_bytes_;
  std::string pending_;
  std::size_t begin_ = 0;    // of the line to be returned next
  std::size_t scanned_ = 0;  // no line end between begin_ and here
};

}  // namespace stillpoint::kube
