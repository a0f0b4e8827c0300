// The work loops of external-snapshotter's components, which take the same flags.
#pragma once

#include "sim/cluster/knobs.h"
#include "sim/cluster/work_loop.h"

namespace stillpoint::sim {

[[nodiscard]] inline WorkLoop::Options SnapshotLoop(const SnapshotKnobs& knobs) {
  return {.latency = knobs.watch,
          .workers = knobs.workers,
          .backoff = knobs.retry_start,
          .max_backoff = knobs.retry_max};
}

}  // namespace stillpoint::sim
