// Values as the API server, a program in Go, writes them into its messages.
#pragma once

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>

namespace stillpoint::sim {

// As strconv.Quote: in double quotes, what cannot be printed escaped.
[[nodiscard]] std::string GoQuote(std::string_view text);

// As json.Marshal: keys sorted; <, > and & escaped.
[[nodiscard]] std::string GoJson(const boost::json::value& value);

}  // namespace stillpoint::sim
