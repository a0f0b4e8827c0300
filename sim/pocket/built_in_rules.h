// BuiltInRules: what the API server, or a CRD of others, refuses in the kinds that have no schema
// here, as far as Stillpoint or a person at kubectl runs into it.
//
// Contract: k8s.io/kubernetes/pkg/apis/*/validation; the CRDs of
// kubernetes-csi/external-snapshotter.
#pragma once

#include "api/error.h"
#include "api/resource.h"
#include "sim/cluster/objects.h"

#include <boost/json/object.hpp>

namespace stillpoint::sim::pocket {

// Asked, and never stored.
[[nodiscard]] bool IsReview(const api::Resource& resource);

// Of a creation under the name that the client gave the kind: Events of events.k8s.io and access
// reviews. Errors: kInvalid.
[[nodiscard]] api::Result<void> CheckCreation(const api::Resource& resource,
                                              const boost::json::object& object);

// Of every write: Leases, and what is fixed in claims and snapshots. Errors: kInvalid.
[[nodiscard]] api::Result<void> CheckBuiltIn(const Admission& write);

}  // namespace stillpoint::sim::pocket
