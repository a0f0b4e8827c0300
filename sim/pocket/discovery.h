// Discovery: which groups, versions and kinds there are, as kubectl asks before anything else.
//
// Contract: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api (the
// unaggregated form, which every client falls back to).
#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>

namespace stillpoint::sim::pocket {

// The document at /version, /api, /apis, /api/v1, /apis/GROUP, /apis/GROUP/VERSION, /openapi/v3 and
// below. Empty for any other path.
[[nodiscard]] std::optional<boost::json::object> Discover(std::string_view path);

}  // namespace stillpoint::sim::pocket
