#include "api/schema.h"
#include "api/schema_rules.h"
#include "api/volume_backup.h"

#include <fmt/format.h>

namespace stillpoint::api {
namespace {

// ---- spec -------------------------------------------------------------------------------------

StructSchema Hook() {
  return SpecSchema<HookSpec>(
      "A command that brings the application in a container to a still point before the cut, and "
      "one that lets it go on after it.",
      {{.member = "name",
        .doc = "Name of the hook, for messages and the status. Unique in the list.",
        .required = true,
        .text = ShortName()},
       {.member = "pod_selector",
        .doc = "Which of the application's pods; all of them when absent."},
       {.member = "container",
        .doc = "Which container. When absent, the one that the pod's annotation "
               "kubectl.kubernetes.io/default-container names, else the first.",
        .text = ShortName()},
       Argv("command", "What to run before the cut, as program and arguments."),
       {.member = "shell",
        .doc = "What to run before the cut, for /bin/sh -c.",
        .text = ShellCommand()},
       Argv("post_command",
            "What to run after the cut, as program and arguments. It may run more than once."),
       {.member = "post_shell",
        .doc = "What to run after the cut, for /bin/sh -c. It may run more than once.",
        .text = ShellCommand()},
       {.member = "timeout",
        .doc = "How long one command may run. maxFreeze bounds it in any case.",
        .text = DurationBetween("1ms", "1h")},
       {.member = "on_error",
        .doc = "What a failed command before the cut means. Fail: nothing is cut, and the backup "
               "fails. Continue: the volumes are cut all the same, as crash-consistent."},
       {.member = "mode",
        .doc = "How it keeps the application still. Command: by what the command has done when it "
               "ends. Held: by running, from the moment when it prints STILLPOINT HELD until its "
               "stdin ends; the command after the cut is then run only when its release was not "
               "confirmed, and may be left out."},
       {.member = "weight",
        .doc = "Hooks of a lower weight freeze first, those of the same weight together. All thaw "
               "at once."}},
      {{ExactlyOneOf({"command", "shell"}),
        "needs either command (program and arguments) or shell (text for /bin/sh -c)"},
       {AtMostOneOf({"postCommand", "postShell"}),
        "has both postCommand and postShell: give one of them"}});
}

std::vector<FieldSchema> WhatToBackUp() {
  return {{.member = "application_ref",
           .doc = "The application: the name of a Deployment, or deployment/NAME, "
                  "statefulset/NAME, daemonset/NAME, replicaset/NAME or pod/NAME.",
           .text = ApplicationRef()},
          {.member = "selector",
           .doc = "Instead of applicationRef: the pods of one application that consists of several "
                  "workloads.",
           .rules = {{"(has(self.matchLabels) && size(self.matchLabels) > 0) || "
                      "(has(self.matchExpressions) && size(self.matchExpressions) > 0)",
                      "is empty, which would take every pod of the namespace: name a label"}}},
          {.member = "claims",
           .doc = "Names of PersistentVolumeClaims. With applicationRef: back up only these of its "
                  "claims. Alone: back up these.",
           .text = ObjectName(),
           .max_items = 64,
           .list_type = ListType::kSet,
           .rules = {{"size(self) > 0", "is empty: name a claim, or leave claims out"}}}};
}

std::vector<FieldSchema> HowToBackUp() {
  return {
      {.member = "hooks",
       .doc = "What brings the application to a still point. Replaces the hooks that the pods "
              "and the workload are annotated with.",
       .max_items = 16,
       .list_type = ListType::kMap,
       .list_key = "name"},
      {.member = "quiesce",
       .doc = "Instead of hooks: a built-in profile that brings the application in every pod to a "
              "still point.",
       .text = {.words = {kQuiesceProfiles.begin(), kQuiesceProfiles.end()}}},
      {.member = "quiesce_path",
       .doc =
           "What the profile freezes. sqlite: the database file. fsfreeze: the mount point. When "
           "absent, the pod's annotation backups.example.com/quiesce-path.",
       .text = {.max_length = 1024,
                .rules = {{"self.startsWith('/') && self != '/'",
                           "is not an absolute path below /"}}}},
      {.member = "max_freeze",
       .doc = "The longest that the application may be still. When it is over the application "
              "goes on, whatever has been cut by then.",
       .text = DurationBetween("1s", "1h")},
      {.member = "volume_snapshot_class_name",
       .doc = "VolumeSnapshotClass of every snapshot. When absent, the one that the claim is "
              "annotated with, else the one of the volume's driver.",
       .text = ObjectName()},
      {.member = "on_inconsistent",
       .doc = "What becomes of the snapshots when the application was not still for all of the "
              "cut. Fail: they are removed, and the backup fails. Keep: they are kept as "
              "crash-consistent. They are kept with either where it could not be still: without "
              "hooks, after one that failed with onError: Continue, or with a session lock."},
      {.member = "ready_timeout",
       .doc = "How long after the cut the snapshots may take to become usable.",
       .text = DurationBetween("1s", "7d")},
      {.member = "deletion_policy", .doc = "What deleting the VolumeBackup does to its snapshots."},
      {.member = "ttl",
       .doc = "How long after its end the VolumeBackup is kept; for ever when absent. What then "
              "becomes of the snapshots is what deletionPolicy says.",
       .text = DurationBetween("1s", "3650d")},
      {.member = "cancel",
       .doc = "Ends a running backup: the application goes on, and the snapshots are removed."}};
}

// `key` may be neither changed, nor added, nor removed.
Rule Fixed(std::string_view key) {
  return {
      fmt::format("has(self.{0}) == has(oldSelf.{0}) && "
                  "(!has(self.{0}) || self.{0} == oldSelf.{0})",
                  key),
      fmt::format("changes {}, which is fixed once the VolumeBackup exists: make a new one", key)};
}

std::vector<Rule> SpecRules() {
  std::vector<Rule> rules{
      {"has(self.applicationRef) || has(self.selector) || has(self.claims)",
       "names nothing to back up: set applicationRef, selector or claims"},
      {AtMostOneOf({"applicationRef", "selector"}),
       "has both applicationRef and selector: set one of them"},
      {AtMostOneOf({"claims", "selector"}),
       "has both claims and selector: claims stand alone, or with applicationRef"},
      {AtMostOneOf({"hooks", "quiesce"}), "has both hooks and quiesce: set one of them"},
      {"!has(self.quiescePath) || (has(self.quiesce) && self.quiesce in ['fsfreeze', 'sqlite'])",
       "has a quiescePath, which is for quiesce: fsfreeze and quiesce: sqlite only"},
      {"self.cancel || !oldSelf.cancel", "takes back cancel: make a new VolumeBackup"}};
  for (const auto key :
       {"applicationRef", "selector", "claims", "hooks", "quiesce", "quiescePath", "maxFreeze",
        "volumeSnapshotClassName", "onInconsistent", "readyTimeout"}) {
    rules.push_back(Fixed(key));
  }
  return rules;
}

StructSchema Spec() {
  std::vector<FieldSchema> fields = WhatToBackUp();
  for (FieldSchema& field : HowToBackUp()) fields.push_back(std::move(field));
  return SpecSchema<VolumeBackupSpec>("What to back up, and how.", std::move(fields), SpecRules());
}

// ---- status -----------------------------------------------------------------------------------

StructSchema Application() {
  return PlainSchema<ApplicationStatus>("The workload that was found.",
                                        {{.member = "kind", .doc = "Its kind."},
                                         {.member = "name", .doc = "Its name."},
                                         {.member = "uid", .doc = "Its UID."}});
}

StructSchema Target() {
  return PlainSchema<FreezeTarget>(
      "One container to freeze, with all that is needed to thaw it.",
      {{.member = "pod", .doc = "The pod."},
       {.member = "pod_uid", .doc = "UID of the pod: a namesake is never thawed for it."},
       {.member = "container", .doc = "The container."},
       {.member = "hook", .doc = "The hook's name in the spec, or the annotation it comes from."},
       {.member = "mode",
        .doc = "Command: ended, when it has frozen. Held: it freezes for as long as it runs."},
       {.member = "weight", .doc = "Lower ones are frozen first."},
       {.member = "guarded", .doc = "The command ends when its connection drops."},
       {.member = "session_lock",
        .doc = "The command takes a lock that ends with its client, so that it cannot hold the "
               "application still."},
       {.member = "pre_command", .doc = "What is run to freeze."},
       {.member = "post_command", .doc = "What is run to thaw."},
       {.member = "timeout", .doc = "How long one command may run."},
       {.member = "on_error", .doc = "What a failed freeze means."},
       {.member = "state",
        .doc = "Intended: the freeze is announced. Frozen: it is confirmed. Thawed: the thaw is "
               "confirmed. Gone: the pod is no more. Lost: the thaw could not be confirmed."},
       {.member = "frozen_at", .doc = "When the freeze was confirmed."},
       {.member = "thawed_at", .doc = "When the thaw was confirmed."},
       {.member = "thaw_attempts", .doc = "How often the thaw was tried."}});
}

StructSchema Freeze() {
  return PlainSchema<FreezeStatus>(
      "The freeze journal: what is to be thawed, whatever happens.",
      {{.member = "intended_at", .doc = "When the freeze was announced."},
       {.member = "deadline", .doc = "When everything is thawed at the latest."},
       {.member = "holder", .doc = "The controller that froze."},
       {.member = "targets", .doc = "The containers."}});
}

StructSchema Volume() {
  return PlainSchema<VolumeStatus>(
      "One volume of the backup.",
      {{.member = "claim", .doc = "The PersistentVolumeClaim."},
       {.member = "claim_uid", .doc = "UID of the claim."},
       {.member = "source", .doc = "What the claim asked for."},
       {.member = "class_", .doc = "VolumeSnapshotClass of the snapshot."},
       {.member = "driver", .doc = "CSI driver of the volume."},
       {.member = "volume_handle", .doc = "The driver's name for the volume."},
       {.member = "snapshot_name", .doc = "The VolumeSnapshot."},
       {.member = "snapshot_uid", .doc = "UID of the VolumeSnapshot."},
       {.member = "content_name", .doc = "The VolumeSnapshotContent."},
       {.member = "snapshot_handle", .doc = "The driver's name for the snapshot."},
       {.member = "size", .doc = "The least size of a volume made from the snapshot."},
       {.member = "created_at", .doc = "When the driver cut the snapshot, by its own clock."},
       {.member = "cut_at", .doc = "When the cut was seen."},
       {.member = "ready_at", .doc = "When the snapshot was usable."},
       {.member = "error", .doc = "What is wrong with it."}});
}

std::vector<FieldSchema> StatusFields() {
  return {
      {.member = "phase", .doc = "Where the backup stands."},
      {.member = "reason", .doc = "Why it stands there, in one word."},
      {.member = "consistency",
       .doc = "What the snapshots are worth. Application: every volume was cut while every pod was "
              "still. Crash: as after a power cut."},
      {.member = "consistency_reason", .doc = "Why it is not more."},
      {.member = "target", .doc = "What is backed up, in one word."},
      {.member = "application", .doc = "The workload that was found."},
      {.member = "freeze", .doc = "The freeze journal: what is to be thawed, whatever happens."},
      {.member = "hooks", .doc = "How each run of each hook ended."},
      {.member = "volumes", .doc = "The volumes."},
      {.member = "freeze_duration", .doc = "How long the application was still."},
      {.member = "volumes_ready", .doc = "How many of the volumes have a usable snapshot."},
      {.member = "start_time", .doc = "When the backup began."},
      {.member = "completion_time", .doc = "When the backup ended."},
      {.member = "observed_generation", .doc = "The metadata.generation that this status is of."},
      {.member = "conditions",
       .doc = "Finished is True at any end, with the outcome as its reason.",
       .list_type = ListType::kMap,
       .list_key = "type"}};
}

}  // namespace

Schemas VolumeBackupSchemas() {
  return {PlainSchema<VolumeBackup>(
              "One backup of one application: snapshots of its volumes, cut while it was still.",
              {{.member = "spec", .doc = "What to back up, and how.", .required = true},
               {.member = "status", .doc = "What has become of it. Written by the controller."}}),
          Spec(),
          Hook(),
          PlainSchema<VolumeBackupStatus>("What has become of the backup.", StatusFields()),
          Application(),
          Freeze(),
          Target(),
          Volume()};
}

}  // namespace stillpoint::api
