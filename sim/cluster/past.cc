#include "sim/cluster/past.h"

#include "sim/cluster/write_rules.h"

#include <map>

namespace stillpoint::sim {

std::vector<StoredObject> ListAsOf(const Table& table, const Selector& selector,
                                   std::uint64_t version) {
  std::map<api::NamespacedName, StoredObject> then;
  for (const auto& [key, entry] : table.entries) then.emplace(key, entry.object);
  for (std::uint64_t number = table.end(); number > 0; --number) {
    const Change* change = table.At(number - 1);
    if (change == nullptr || change->resource_version <= version) break;
    if (change->before) {
      then[KeyOf(*change->before)] = change->before;
    } else if (change->now) {
      then.erase(KeyOf(*change->now));
    }
  }
  std::vector<StoredObject> list;
  for (auto& [key, object] : then) {
    if (selector.Matches(*object)) list.push_back(std::move(object));
  }
  return list;
}

}  // namespace stillpoint::sim
