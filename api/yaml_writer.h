// JSON written as YAML, for manifests that people read.
#pragma once

#include <boost/json/fwd.hpp>

#include <string>

namespace stillpoint::api {

// Block style, two spaces a level, members in their order. Long texts are folded. Ends with a
// newline. REQUIRES: no text holds a control character.
[[nodiscard]] std::string ToYaml(const boost::json::value& value);

}  // namespace stillpoint::api
