// Whether two JSON values are equal: as ==, which looks for each member by its name, but quicker
// where one is a copy of the other that was changed.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace stillpoint::sim {

// The order of the members is no part of it.
[[nodiscard]] bool IsSame(const boost::json::object& a, const boost::json::object& b);
[[nodiscard]] bool IsSame(const boost::json::value& a, const boost::json::value& b);

}  // namespace stillpoint::sim
