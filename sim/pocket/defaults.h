// Defaults: what an API server fills into the kinds of Kubernetes, as far as clients rely on it.
//
// Source of truth: kubernetes/pkg/apis/{apps,core}/v1/defaults.go.
#pragma once

#include "api/resource.h"

#include <boost/json/object.hpp>

namespace stillpoint::sim::pocket {

void SetDefaults(const api::Resource& resource, boost::json::object& object);

}  // namespace stillpoint::sim::pocket
