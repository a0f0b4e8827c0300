// Lease: who leads. Source of truth: k8s.io/api/coordination/v1.
#pragma once

#include "api/meta.h"
#include "api/resource.h"
#include "api/time.h"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace stillpoint::api {

struct LeaseSpec {
  // Empty: given up by its last holder. Absent: never held.
  std::optional<std::string> holder_identity;
  std::optional<std::int32_t> lease_duration_seconds;
  std::optional<MicroTime> acquire_time;
  std::optional<MicroTime> renew_time;
  std::optional<std::int32_t> lease_transitions;
  bool operator==(const LeaseSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(LeaseSpec, (),
                      (holder_identity, lease_duration_seconds, acquire_time, renew_time,
                       lease_transitions))

struct Lease {
  static constexpr Resource kResource{"coordination.k8s.io", "v1", "Lease", "leases"};

  ObjectMeta metadata;
  LeaseSpec spec;
  bool operator==(const Lease&) const = default;
};
BOOST_DESCRIBE_STRUCT(Lease, (), (metadata, spec))

}  // namespace stillpoint::api
