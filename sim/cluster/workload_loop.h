// WorkloadLoop: the work loop of a controller of one kind of workload: an object gets its turn when
// it has changed, or something that it owns.
#pragma once

#include "api/meta.h"
#include "api/resource.h"
#include "sim/cluster/knobs.h"
#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`.
class WorkloadLoop {
 public:
  // Gets an object as it is now, which is not terminating.
  using Work = std::function<void(const StoredObject& object)>;

  WorkloadLoop(Store& store, const api::Resource& kind, const WorkloadKnobs& knobs, Work work);

  // The turn of the object with this UID. No effect when there is none.
  void Add(const std::string& uid);
  void AddAfter(const boost::json::object& object, std::chrono::milliseconds delay);

  // Writes nothing when it is so already.
  void WriteStatus(const boost::json::object& object, const boost::json::object& status);

 private:
  Store& store_;
  const api::Resource kind_;
  WorkLoop loop_;
  std::map<std::string, api::NamespacedName> keys_;  // by UID
};

}  // namespace stillpoint::sim
