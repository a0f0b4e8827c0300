// Base64 of RFC 4648 section 4, as kubeconfig files and basic authentication use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::kube {

[[nodiscard]] std::string EncodeBase64(std::string_view bytes);

// White space is skipped, as people wrap long values. Empty for anything else that is not Base64.
[[nodiscard]] std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace stillpoint::kube
