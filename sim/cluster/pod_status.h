// What the kubelet knows of its pods, and how it writes that into their status.
#pragma once

#include "api/meta.h"
#include "sim/cluster/table.h"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <vector>

namespace stillpoint::sim {

struct ContainerRecord {
  bool running = false;
  bool ready = false;
  bool ended = false;  // for good
  std::string id;
  api::Time started{};
  int restarts = 0;
  boost::json::object state;  // as in status.containerStatuses
  boost::json::object last_state;
};

struct PodRecord {
  api::NamespacedName key;
  StoredObject object;
  enum class Step { kWaiting, kRunning, kStopping } step = Step::kWaiting;
  std::map<std::string, ContainerRecord> containers;
  std::string ip;
  std::string reason;  // why it has failed; empty: it has not
  api::Time started{};
  bool status_due = false;
};

// The names in spec.containers.
[[nodiscard]] std::vector<std::string> ContainersOf(const boost::json::object& pod);

void FillStatus(const PodRecord& pod, api::Time now, boost::json::object& object);

}  // namespace stillpoint::sim
