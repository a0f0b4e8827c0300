// A YAML document as JSON, as kubectl reads it.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace stillpoint::sim {

// Plain scalars are numbers, truths and nulls where they look so; quoted ones are texts.
[[nodiscard]] boost::json::value YamlToJson(const std::string& text);

}  // namespace stillpoint::sim
