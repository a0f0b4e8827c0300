// PlanBackup decides what to do next for one VolumeBackup. Pure: no I/O, no clock, no log. All that
// it may look at is in BackupView, all that it wants is in BackupPlan. Same view, same plan.
//
// The protocol (docs/design.md, "A backup"): resolve, journal, freeze, cut, thaw, verdict, ready.
// A thaw is owed from the moment that the journal says Intended. The thaw looks at the journal and
// at what this process remembers of its own execs, and at nothing else.
#pragma once

#include "api/volume_backup.h"
#include "controllers/backup_resolve_plan.h"
#include "hooks/hook_result.h"
#include "hooks/thaw_plan.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stillpoint::controllers {

// ---- view -------------------------------------------------------------------------------------

// What is known of one snapshot, from its VolumeSnapshot and its VolumeSnapshotContent.
struct SnapshotView {
  bool exists = false;
  bool ours = false;   // carries the UID of this backup
  bool owned = false;  // goes with this backup: the garbage collector sees to it
  bool terminating = false;
  std::string uid;
  std::string first_uid;  // of the one that this process saw first; empty: it has seen none
  std::string content_name;
  std::string handle;
  std::string source_volume_handle;  // of the content; empty: not seen
  std::string restore_size;
  bool cut = false;
  bool ready = false;
  bool content_unread = false;            // no event of its content for a second: ask for it
  bool content_asked = false;             // asked for by its name, and there was an answer
  bool creating = false;                  // a create is under way
  bool asking = false;                    // and likewise AskSnapshots
  std::optional<bool> there;              // as AskSnapshots was answered within the last seconds
  std::optional<api::Time> create_after;  // a create has failed: not again before this
  std::optional<api::Time> created_at;    // when this process first saw it so; a status that was
  std::optional<api::Time> cut_at;        // written before has the older time
  std::optional<api::Time> ready_at;
  std::optional<api::Time> failing_since;  // when `error` was first seen
  std::string error;
};

// What this process remembers of one entry of the journal.
struct TargetView {
  std::optional<hooks::HookResult> pre;
  std::optional<api::Time> pre_ended_at;
  hooks::ThawMemory thaw;  // attempts, last result, next time, and whether the pre-hook runs
  std::optional<api::Time> thaw_ended_at;
  bool thaw_prepared = false;  // PrepareThaw was done, whatever has become of it
};

// The pods of the group as they were listed once, after the thaw.
struct GroupRecheck {
  // pod UID -> container name -> container ID, of pods that run.
  std::map<std::string, std::map<std::string, std::string>> containers;
  std::string error;                   // why they could not be listed; then the rest is empty
  bool changed = false;                // the workload's spec, since the freeze began
  std::vector<std::string> newcomers;  // names of pods that may have written, unseen before it

  // By the index of their targets: how the containers answered that RecheckGroup was to ask.
  std::map<std::size_t, hooks::HookResult> answers;
};

// One consistent observation, filled by BackupController::Observe.
struct BackupView {
  api::VolumeBackup backup;
  std::string identity;               // of this controller
  bool leads = true;                  // the lease is ours, also while we end
  bool may_freeze = true;             // and we do not end
  bool looked = false;                // at the object itself, past the cache, a moment ago
  std::optional<ResolveFacts> facts;  // fresh: read within the last seconds
  std::string queued_behind;          // a sentence: who must finish first; empty: nobody
  bool in_use_by_restore = false;

  // The journal was written by this very process, which remembers all that it did since.
  bool own_freeze = false;
  bool read_since = false;  // the application, after this journal was made
  bool thaw_began = false;
  bool cut_before_thaw = false;  // when the thaw began, every volume was known to be cut

  // Asked of the API server after the journal was written: the sentence of the restore that is at
  // work on this application, or empty for none. Absent: not asked yet.
  std::optional<std::string> held_after_journal;
  std::optional<GroupRecheck> recheck;
  std::vector<std::string> writers;  // Resolution::writers
  std::string stray_thaw;            // see StrayThaw

  std::vector<TargetView> targets;      // one per journal entry, in its order
  std::vector<SnapshotView> snapshots;  // one per status.volumes entry, in its order

  // False: snapshots or restores have not been listed yet, and one that is not seen may well exist.
  bool lists_known = true;
};

// ---- plan -------------------------------------------------------------------------------------

struct AddFinalizer {
  bool operator==(const AddFinalizer&) const = default;
};
struct RemoveFinalizer {
  bool operator==(const RemoveFinalizer&) const = default;
};
// Read the backup itself; the next view has `looked`, whether there was an answer or not.
struct LookAtBackup {
  bool operator==(const LookAtBackup&) const = default;
};
// Read the application, its pods, claims and classes; the next view has `facts`.
struct ReadFacts {
  bool operator==(const ReadFacts&) const = default;
};
// Take the pods for this backup, in memory, before the journal says so to everyone. None: let go.
struct ReservePods {
  std::vector<std::string> pod_uids;
  std::vector<std::string> writers;  // Resolution::writers
  bool operator==(const ReservePods&) const = default;
};
struct WriteStatus {
  api::VolumeBackupStatus status;
  bool operator==(const WriteStatus&) const = default;
};
// Look for a restore that has begun where our news of restores may be old; the next view has
// `held_after_journal`.
struct AskRestores {
  bool operator==(const AskRestores&) const = default;
};
struct StartPreHooks {
  std::vector<std::size_t> targets;
  bool operator==(const StartPreHooks&) const = default;
};
// Open the execs of these post-hooks, so that their thaw need not wait for that. They run nothing
// before StartThaw; the thaw does without them where they are not there.
struct PrepareThaw {
  std::vector<std::size_t> targets;
  bool operator==(const PrepareThaw&) const = default;
};
struct StartThaw {
  std::vector<std::size_t> targets;
  bool after_last_cut = false;
  bool operator==(const StartThaw&) const = default;
};
// See that nothing of these pre-hooks is left, where nobody has seen their end.
struct StartReap {
  std::vector<std::size_t> targets;
  bool operator==(const StartReap&) const = default;
};
struct CreateSnapshots {
  std::vector<std::size_t> volumes;
  bool operator==(const CreateSnapshots&) const = default;
};
struct DeleteSnapshots {
  std::vector<std::size_t> volumes;
  bool operator==(const DeleteSnapshots&) const = default;
};
// From now on they outlive their backup.
struct ReleaseSnapshots {
  std::vector<std::size_t> volumes;
  bool operator==(const ReleaseSnapshots&) const = default;
};
// Ask for the contents by name: an event may have been missed.
struct ReadContents {
  std::vector<std::size_t> volumes;
  bool operator==(const ReadContents&) const = default;
};
// Ask for these snapshots past any cache; a later view has `there`.
struct AskSnapshots {
  std::vector<std::size_t> volumes;
  bool operator==(const AskSnapshots&) const = default;
};
// Look at the pods again; before that, run a command that does nothing in the containers of these
// targets. The next view has `recheck`.
struct RecheckGroup {
  std::vector<std::size_t> ask;
  bool operator==(const RecheckGroup&) const = default;
};
struct DeleteBackup {
  bool operator==(const DeleteBackup&) const = default;
};
struct EmitEvent {
  bool warning = false;
  std::string reason;
  std::string action;
  std::string note;
  bool operator==(const EmitEvent&) const = default;
};

using BackupAction =
    std::variant<AddFinalizer, RemoveFinalizer, LookAtBackup, ReadFacts, ReservePods, WriteStatus,
                 AskRestores, StartPreHooks, PrepareThaw, StartThaw, StartReap, CreateSnapshots,
                 DeleteSnapshots, ReleaseSnapshots, ReadContents, AskSnapshots, RecheckGroup,
                 DeleteBackup, EmitEvent>;

struct BackupPlan {
  std::vector<BackupAction> actions;                       // in order; stop at the first error
  std::optional<std::chrono::milliseconds> requeue_after;  // empty: a watch or an exec wakes us
};

[[nodiscard]] BackupPlan PlanBackup(const BackupView& view, api::Time now);

[[nodiscard]] bool IsFinal(api::BackupPhase phase);

// Whether the journal owes a thaw to anybody.
[[nodiscard]] bool ThawOwed(const api::VolumeBackupStatus& status);

// Until when a post-hook that was sent to this target may still run; none: not after its thaw.
// Where it was sent more than once, one whose stream was lost may come late: a script until the
// word to begin is too old and it has run its time, a plain argv for as long as it can lie in the
// network.
[[nodiscard]] std::optional<api::Time> MayThawUntil(const api::FreezeTarget& target);

// UIDs of the pods in which one may run soon, or never: worth to wait for with the next freeze.
[[nodiscard]] std::vector<std::string> PodsToThawLate(const api::VolumeBackupStatus& status,
                                                      api::Time now);

// Whose thaw may so have ended the stillness of `backup`; a sentence, empty: nobody's.
[[nodiscard]] std::string StrayThaw(const api::VolumeBackup& backup,
                                    const api::VolumeBackup& other);

// UIDs of the pods that this backup may be holding still.
[[nodiscard]] std::vector<std::string> FrozenPods(const api::VolumeBackupStatus& status);

}  // namespace stillpoint::controllers
