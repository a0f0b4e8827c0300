// The types of watch events in the words of the API. What is no event of an object, an ERROR, has
// none.
#pragma once

#include "kube/client.h"

#include <optional>
#include <string_view>

namespace stillpoint::kube {

[[nodiscard]] std::string_view ToWord(WatchEvent::Type type);

[[nodiscard]] std::optional<WatchEvent::Type> ParseWatchWord(std::string_view word);

}  // namespace stillpoint::kube
