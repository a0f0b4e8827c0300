#include "sim/cluster/workload_loop.h"

#include "sim/cluster/fields.h"

#include <utility>

namespace stillpoint::sim {

WorkloadLoop::WorkloadLoop(Store& store, const api::Resource& kind, const WorkloadKnobs& knobs,
                           Work work)
    : store_(store),
      kind_(kind),
      loop_(store.timeline(), {.latency = knobs.watch},
            [this, work = std::move(work)](const api::NamespacedName& key,
                                           const WorkLoop::Done& done) {
              const StoredObject object = store_.Find(kind_, key);
              if (object && !IsTerminating(*object)) work(object);
              done(After::kNothing);
            }) {
  store_.On(kind_, [this](const Change& change) {
    if (!change.now) {
      keys_.erase(UidOf(*change.before));
      return;
    }
    keys_[UidOf(*change.now)] = KeyOf(*change.now);
    loop_.Add(KeyOf(*change.now));
  });
}

void WorkloadLoop::Add(const std::string& uid) {
  if (const auto found = keys_.find(uid); found != keys_.end()) loop_.Add(found->second);
}

void WorkloadLoop::AddAfter(const boost::json::object& object, std::chrono::milliseconds delay) {
  loop_.AddAfter(KeyOf(object), delay);
}

void WorkloadLoop::WriteStatus(const boost::json::object& object,
                               const boost::json::object& status) {
  const auto* before = Map(object, {"status"});
  if (before != nullptr && *before == status) return;
  store_.Edit(kind_, KeyOf(object),
              [&](boost::json::object& changed) { changed["status"] = status; });
}

}  // namespace stillpoint::sim
