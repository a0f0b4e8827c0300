#include "sim/cluster/table.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/storage_ptr.hpp>

#include <algorithm>

namespace stillpoint::sim {

namespace json = boost::json;

json::object Copied(const json::object& object) {
  return {object, json::make_shared_resource<json::monotonic_resource>()};
}

std::uint64_t Table::After(std::uint64_t version) const {
  const auto at = std::ranges::upper_bound(history_, version, {}, &Change::resource_version);
  return first_ + static_cast<std::uint64_t>(at - history_.begin());
}

}  // namespace stillpoint::sim
