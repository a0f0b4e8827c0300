// What people write to have an application: the objects of a scenario's applications, and those of
// the cluster that they need.
#pragma once

#include "api/resource.h"
#include "sim/run/scenario.h"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace stillpoint::sim::run {

struct Declared {
  api::Resource resource;
  boost::json::object object;
};

// Namespace, storage classes, snapshot class.
[[nodiscard]] std::vector<Declared> DeclareCluster();

// Its claims first. A StatefulSet makes its own.
[[nodiscard]] std::vector<Declared> Declare(const Application& application);

[[nodiscard]] api::Resource WorkloadResource(const Application& application);

// `<application>-<index>` of a Deployment, `data<index>-<application>-0` of a StatefulSet.
[[nodiscard]] std::string ClaimName(const Application& application, std::int64_t index);

}  // namespace stillpoint::sim::run
