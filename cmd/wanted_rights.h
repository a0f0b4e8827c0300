// The rights that the controller uses, as deploy/ grants them.
#pragma once

#include "api/authorization.h"

#include <string>
#include <vector>

namespace stillpoint::cmd {

// In `ns`; empty: in all namespaces.
[[nodiscard]] std::vector<api::ResourceAttributes> WantedRights(const std::string& ns);

}  // namespace stillpoint::cmd
