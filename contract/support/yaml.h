// YAML files as the JSON that kubectl makes of them.
#pragma once

#include "contract/support/json.h"

#include <filesystem>

namespace stillpoint::contract {

// Of one document. Throws what yaml-cpp throws.
[[nodiscard]] Json ReadYaml(const std::filesystem::path& file);

}  // namespace stillpoint::contract
