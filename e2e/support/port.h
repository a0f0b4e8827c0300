// FreePort: a port of the loopback device that nobody has at the moment.
#pragma once

namespace stillpoint::e2e {

[[nodiscard]] int FreePort();

}  // namespace stillpoint::e2e
