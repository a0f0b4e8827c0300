// The past of a kind, as a watch cache that lags still has it.
#pragma once

#include "sim/cluster/selector.h"
#include "sim/cluster/table.h"

#include <cstdint>
#include <vector>

namespace stillpoint::sim {

// The objects that matched after the change of this version, in the order of their keys. Of what
// the table has forgotten nothing is known: the oldest that it remembers stands for it.
[[nodiscard]] std::vector<StoredObject> ListAsOf(const Table& table, const Selector& selector,
                                                 std::uint64_t version);

}  // namespace stillpoint::sim
