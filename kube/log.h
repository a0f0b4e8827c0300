// LogFn: how kube/ and hooks/ report what no return value can carry. The binary binds it to glog.
#pragma once

#include <functional>
#include <string_view>

namespace stillpoint::kube {

enum class Severity { kInfo, kWarning, kError };

using LogFn = std::function<void(Severity, std::string_view)>;

}  // namespace stillpoint::kube
