// Plan: what one pass of a restore wants. Either it records (a status to write, and nothing else),
// or it acts on what is recorded: so a crash between the two loses nothing.
#pragma once

#include "controllers/restore_claims_plan.h"
#include "controllers/workload_ref.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stillpoint::controllers::restore {

// Each action is one API call, and harmless when it is done again.
struct AddFinalizer {
  bool operator==(const AddFinalizer&) const = default;
};
struct RemoveFinalizer {
  bool operator==(const RemoveFinalizer&) const = default;
};
struct CreateClaim {
  NewClaim claim;
  bool operator==(const CreateClaim&) const = default;
};
struct DeleteClaim {
  std::string name;
  std::string uid;
  bool operator==(const DeleteClaim&) const = default;
};
struct SetReclaimPolicy {
  std::string volume;
  std::string resource_version;
  std::string policy;
  bool operator==(const SetReclaimPolicy&) const = default;
};
// Reserves a released PersistentVolume for the claim of that name, which then binds at once.
struct ReserveVolume {
  std::string volume;
  std::string resource_version;
  std::string claim;
  bool operator==(const ReserveVolume&) const = default;
};

// Which object, exactly as it was seen: any change since makes the write a conflict.
struct Seen {
  WorkloadRef ref;
  std::string uid;
  std::string resource_version;
  bool operator==(const Seen&) const = default;
};
struct VolumeChange {
  std::string volume;
  std::size_t index = 0;  // in the pod template's volumes
  std::string from;       // claim
  std::string to;
  bool operator==(const VolumeChange&) const = default;
};
struct PatchVolumes {
  Seen workload;
  std::vector<VolumeChange> changes;
  bool operator==(const PatchVolumes&) const = default;
};
struct Scale {
  Seen workload;
  std::int64_t replicas = 0;
  bool operator==(const Scale&) const = default;
};
struct RunPostHooks {
  bool operator==(const RunPostHooks&) const = default;
};

using Action = std::variant<AddFinalizer, RemoveFinalizer, CreateClaim, DeleteClaim,
                            SetReclaimPolicy, ReserveVolume, PatchVolumes, Scale, RunPostHooks>;

// An Event on the restore, sent once the status or the actions are done.
struct Notice {
  enum class Type { kNormal, kWarning };
  Type type = Type::kNormal;
  std::string reason;
  std::string message;
  bool operator==(const Notice&) const = default;
};

struct Plan {
  std::optional<api::VolumeRestoreStatus> status;  // present: record this, and nothing else
  std::vector<Action> actions;                     // in order; stop at the first error
  std::vector<Notice> notices;
  std::optional<std::chrono::milliseconds> requeue_after;  // empty: nothing to wait for

  [[nodiscard]] bool idle() const { return !status && actions.empty(); }
};

}  // namespace stillpoint::controllers::restore
