// Replies that are made in many places, and what is read of many requests.
#pragma once

#include "api/error.h"
#include "sim/pocket/http_api.h"
#include "sim/pocket/request_check.h"
#include "sim/pocket/request_path.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::sim::pocket {

[[nodiscard]] HttpReply Reply(int status, const boost::json::object& body);

// A metav1.Status that says what is wrong.
[[nodiscard]] HttpReply Refuse(int status, std::string_view reason, std::string_view message);
[[nodiscard]] HttpReply Refuse(const Refused& refused);
[[nodiscard]] HttpReply Fail(const api::Error& error, const RequestPath& path);
[[nodiscard]] HttpReply UnknownPath();
[[nodiscard]] HttpReply WrongMethod();

// JSON, or Kubernetes' protobuf of the few kinds that kubectl writes so. Empty: neither.
[[nodiscard]] std::optional<boost::json::value> ParseBody(const std::string& body);

[[nodiscard]] std::size_t NumberOr(const std::string& text, std::size_t absent);

}  // namespace stillpoint::sim::pocket
