// Namespaces: makes new ones active and empties those that are deleted.
//
// Source of the contract: the namespace controller of the kube-controller-manager.
#pragma once

#include "sim/cluster/api_server.h"
#include "sim/cluster/timeline.h"

#include <string>

namespace stillpoint::sim::pocket {

// Threads: one. Lifetime: what it is given outlives it; it outlives what it has put on the
// timeline.
class Namespaces {
 public:
  Namespaces(ApiServer& server, Timeline& timeline);

 private:
  void Work(const std::string& name);
  void DeleteContent(const std::string& name);
  [[nodiscard]] bool IsEmpty(const std::string& name) const;

  ApiServer& server_;
  Timeline& timeline_;
};

}  // namespace stillpoint::sim::pocket
