#include "cmd/listen_address.h"

#include <fmt/format.h>

#include <charconv>

namespace stillpoint::cmd {

api::Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  ListenAddress address;
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    address.host = host.empty() ? "0.0.0.0" : std::string(host);
    const std::string_view port = text.substr(colon + 1);
    const auto end = port.data() + port.size();
    const auto parsed = std::from_chars(port.data(), end, address.port);
    if (!port.empty() && parsed.ec == std::errc() && parsed.ptr == end) return address;
  }
  return api::Error{api::Code::kInvalid,
                    fmt::format("\"{}\" is no address to listen on, for example :8080 or "
                                "127.0.0.1:8080",
                                text)};
}

}  // namespace stillpoint::cmd
