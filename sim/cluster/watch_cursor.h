// WatchCursor: one watch's place in the history of its kind.
#pragma once

#include "api/error.h"
#include "kube/client.h"
#include "sim/cluster/objects.h"
#include "sim/cluster/selector.h"
#include "sim/cluster/table.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::sim {

// One event; the object is shared but where the event needs its own.
struct Seen {
  kube::WatchEvent::Type type = kube::WatchEvent::Type::kAdded;
  std::uint64_t resource_version = 0;
  StoredObject object;  // null for a bookmark

  [[nodiscard]] kube::WatchEvent Event() const;
};

// Plain data: who holds it polls it whenever there is something new.
// Lifetime: its Objects must outlive it.
class WatchCursor {
 public:
  static constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

  // From what is there now, or from after `version`.
  WatchCursor(Objects& objects, const api::Resource& resource, Selector selector);
  WatchCursor(Objects& objects, const api::Resource& resource, Selector selector,
              std::uint64_t version);

  // The next event that this watch shows of the changes up to version `visible`; empty: none yet.
  // Errors: kExpired when the history has been trimmed over it.
  [[nodiscard]] api::Result<std::optional<Seen>> Take(std::uint64_t visible = kAll);

  [[nodiscard]] std::string_view plural() const { return table_->resource().plural; }

 private:
  [[nodiscard]] std::optional<Seen> See(const Change& change) const;

  const Table* table_;
  Selector selector_;
  std::vector<StoredObject> initial_;
  std::size_t next_initial_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace stillpoint::sim
