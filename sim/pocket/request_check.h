// RequestCheck: what an API server refuses before it looks at any object: media types, selectors,
// tokens and versions of lists, the form of an apply.
//
// Contract: https://kubernetes.io/docs/reference/using-api/api-concepts/
#pragma once

#include "sim/pocket/catalog.h"
#include "sim/pocket/request_path.h"

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::sim::pocket {

// An answer that no api::Code stands for.
struct Refused {
  int status = 400;
  std::string reason = "BadRequest";  // may be empty
  std::string message;
  std::string cause = {};  // details.causes[0].reason; empty: no causes
};

// Empty: nothing is wrong with it. So are all of these.
[[nodiscard]] std::optional<Refused> CheckMediaType(std::string_view method,
                                                    std::string_view content_type, bool custom);

// `fields`: whether the field selector is looked at too.
[[nodiscard]] std::optional<Refused> CheckSelectors(const Query& query, bool fields);

// `newest`: the version that the server is at.
[[nodiscard]] std::optional<Refused> CheckListVersion(const Query& query, std::uint64_t newest);

[[nodiscard]] std::optional<Refused> CheckApply(const Query& query, const RequestPath& path,
                                                const boost::json::value& body);

}  // namespace stillpoint::sim::pocket
