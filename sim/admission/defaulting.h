// What the API server makes of an object before it looks whether it is right: members that the
// schema does not know go, and defaults come.
// Source of truth: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}.
#pragma once

#include "sim/admission/schema.h"

#include <boost/json/fwd.hpp>

#include <string>
#include <vector>

namespace stillpoint::sim {

// Of a whole custom resource: apiVersion, kind and metadata stay as they are. A null goes too,
// where the schema does not allow it and has no default.
void PruneAndDefault(const Schema& schema, boost::json::object& object);

// The paths of what PruneAndDefault would drop, sorted: `spec.retries`.
[[nodiscard]] std::vector<std::string> FindUnknownFields(const Schema& schema,
                                                         const boost::json::object& object);

}  // namespace stillpoint::sim
