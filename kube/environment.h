// Environment: the variables of the process, as a value, so that a test can have its own.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace stillpoint::kube {

// Empty for a variable that is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

[[nodiscard]] Environment ProcessEnvironment();

}  // namespace stillpoint::kube
