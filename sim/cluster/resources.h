// Kinds that only the model cluster itself knows.
#pragma once

#include "api/resource.h"

namespace stillpoint::sim {

inline constexpr api::Resource kNodes{"", "v1", "Node", "nodes", false};

}  // namespace stillpoint::sim
