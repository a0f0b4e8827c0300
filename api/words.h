// How messages of statuses, Events and logs name and count things.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::api {

// "1 volume", "3 volumes".
[[nodiscard]] std::string Counted(std::size_t count, std::string_view noun);

// Names up to five, then counts: a message stays one line.
[[nodiscard]] std::string Listed(const std::vector<std::string>& names);

}  // namespace stillpoint::api
