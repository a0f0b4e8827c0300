#include "sim/cluster/table.h"

#include <algorithm>

namespace stillpoint::sim {

std::uint64_t Table::After(std::uint64_t version) const {
  const auto at = std::ranges::upper_bound(history_, version, {}, &Change::resource_version);
  return first_ + static_cast<std::uint64_t>(at - history_.begin());
}

}  // namespace stillpoint::sim
