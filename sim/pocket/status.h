// Status: an api::Error as the metav1.Status that an API server answers with.
//
// Contract: k8s.io/apimachinery/pkg/apis/meta/v1, Status and StatusReason.
#pragma once

#include "api/error.h"
#include "sim/pocket/request_path.h"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace stillpoint::sim::pocket {

// The HTTP status for a code.
[[nodiscard]] int HttpStatusOf(api::Code code);

// `path` says what the error is about.
[[nodiscard]] boost::json::object FailureStatus(const api::Error& error, const RequestPath& path);

// With an HTTP status and a reason that no api::Code stands for, such as 400 BadRequest.
[[nodiscard]] boost::json::object FailureStatus(int http_status, std::string_view reason,
                                                std::string_view message);

[[nodiscard]] boost::json::object SuccessStatus(const RequestPath& path, const std::string& uid);

}  // namespace stillpoint::sim::pocket
