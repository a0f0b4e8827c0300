// Where a server of ours listens: `:8080` (any address), `127.0.0.1:8080`, `[::1]:8080`.
#pragma once

#include "api/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace stillpoint::cmd {

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
};

// Errors: kInvalid, with a sentence that shows the right form.
[[nodiscard]] api::Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace stillpoint::cmd
