// Looks into objects as kubectl prints them.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::e2e {

// What stands at a JSON pointer ("/status/phase"), numbers and booleans as text; empty when absent.
[[nodiscard]] std::string Text(const boost::json::value& object, std::string_view pointer);

// The members of a list; empty when absent.
[[nodiscard]] std::vector<boost::json::value> List(const boost::json::value& object,
                                                   std::string_view pointer);

// The condition of that type; null when absent.
[[nodiscard]] boost::json::value Condition(const boost::json::value& object, std::string_view type);

// For messages: indented, without managedFields.
[[nodiscard]] std::string Pretty(boost::json::value object);

}  // namespace stillpoint::e2e
