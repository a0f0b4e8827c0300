// Replace: the claims keep their names and get other volumes. Pure.
//
// The exchange of one claim, each step found again by UID after a crash at any point:
//
//   forward                                         back
//   1  PersistentVolume: reclaim policy Retain      1  the restored claim is deleted
//   2  workload scaled to 0, its pods gone          2  the claim that keeps the volume is deleted
//   3  the old claim is deleted                     3  the volume is reserved for the old name
//   4  the volume is reserved for `<claim>-before-` 4  the old claim is made again, and binds
//   5  that claim is made, and binds                5  reclaim policy as it was
//   6  the claim is made anew from the snapshot     6  workload scaled as it was
//   7  workload scaled as it was
//
// The volume is released, then reserved by name (claimRef without a UID), then claimed: the binder
// binds such a claim as soon as it is made. A claim made before the volume is reserved for it would
// wait for the binder's next round, 15 s.
#pragma once

#include "controllers/restore_action.h"
#include "controllers/restore_view.h"

#include <optional>
#include <string>
#include <vector>

namespace stillpoint::controllers::restore {

// How far the exchange of one claim is, and what comes next.
struct ExchangeStep {
  api::RestoredClaim claim;     // with what was learnt: UIDs, bound
  std::vector<Action> actions;  // empty and not done: something must happen by itself
  std::optional<Problem> problem;
  bool in_place = false;  // back: the old claim is there, on its volume
  bool done = false;
  std::string waiting_for;
};

// REQUIRES: the workload has stopped.
[[nodiscard]] ExchangeStep ExchangeForward(const View& view, const api::RestoredClaim& claim);
[[nodiscard]] ExchangeStep ExchangeBack(const View& view, const api::RestoredClaim& claim);

// The phases of a Replace. REQUIRES: status.workload is recorded.
[[nodiscard]] Plan PlanStopping(const View& view, api::Time now);
[[nodiscard]] Plan PlanExchange(const View& view, api::Time now);
[[nodiscard]] Plan PlanReplaceRollback(const View& view, api::Time now);

}  // namespace stillpoint::controllers::restore
