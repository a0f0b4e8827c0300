// Timeline: how the parts of the model cluster wait. Virtual in the simulator, real in the embedded
// cluster; the parts cannot tell.
#pragma once

#include "api/meta.h"

#include <chrono>
#include <functional>

namespace stillpoint::sim {

// Threads: one.
class Timeline {
 public:
  virtual ~Timeline() = default;

  // Wall clock of the cluster: what goes into objects.
  [[nodiscard]] virtual api::Time Now() const = 0;

  // Runs `action` once, `delay` from now, and never before After() has returned. Actions that are
  // due at the same instant run in the order in which they were given.
  virtual void After(std::chrono::milliseconds delay, std::function<void()> action) = 0;
};

}  // namespace stillpoint::sim
