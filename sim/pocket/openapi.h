// OpenAPI: what the embedded cluster tells of its kinds to `kubectl explain` and `kubectl apply`.
//
// Contract: https://kubernetes.io/docs/concepts/overview/kubernetes-api/ (OpenAPI v3, with the
// x-kubernetes-group-version-kind of schemas and operations).
#pragma once

#include "api/type.h"

#include <boost/json/object.hpp>

#include <string_view>

namespace stillpoint::sim::pocket {

// The structural schema of a described kind; members that it does not describe are allowed.
[[nodiscard]] boost::json::object SchemaOf(const api::Type& type);

// /openapi/v3: where the document of each group and version is.
[[nodiscard]] boost::json::object OpenApiIndex();

// /openapi/v3/apis/GROUP/VERSION. Empty when nothing of it is served.
[[nodiscard]] boost::json::object OpenApiDocument(std::string_view group, std::string_view version);

}  // namespace stillpoint::sim::pocket
