// SnapshotContentController: the half of the snapshot-controller that looks after contents, and
// wakes the other half when one has news for its snapshot. See snapshot_controller.h.
#pragma once

#include "sim/cluster/knobs.h"
#include "sim/cluster/store.h"
#include "sim/cluster/work_loop.h"

namespace stillpoint::sim {

// Lifetime: must outlive what it has put on the timeline of `store`; `api` and `snapshots`, which
// are the other half's, outlive it.
class SnapshotContentController {
 public:
  SnapshotContentController(Store& store, RateLimit& api, WorkLoop& snapshots,
                            const SnapshotKnobs& knobs);

 private:
  using Key = api::NamespacedName;
  using Done = WorkLoop::Done;

  void See(const Change& change);
  void Work(const Key& key, const Done& done);

  Store& store_;
  RateLimit& api_;
  WorkLoop& snapshots_;
  WorkLoop contents_;
};

}  // namespace stillpoint::sim
