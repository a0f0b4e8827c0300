// Quote: a piece of somebody's input, fit to stand in a message.
#pragma once

#include <string>
#include <string_view>

namespace stillpoint::api {

// `text` in double quotes, control characters escaped as in JSON. Cut after 64 bytes (and never in
// the middle of a UTF-8 character): a condition or an Event must stay small whatever the input.
[[nodiscard]] std::string Quote(std::string_view text);

}  // namespace stillpoint::api
