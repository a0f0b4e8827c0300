#include "api/schema.h"
#include "api/schema_rules.h"
#include "api/volume_restore.h"

namespace stillpoint::api {
namespace {

// ---- spec -------------------------------------------------------------------------------------

StructSchema Source() {
  return SpecSchema<RestoreSource>(
      "The newest completed backup of an application.",
      {{.member = "application_ref",
        .doc = "The application, as in a VolumeBackup.",
        .required = true,
        .text = ApplicationRef()},
       {.member = "as_of", .doc = "The newest backup at or before this instant."},
       {.member = "latest", .doc = "The newest backup of all."}},
      {{"has(self.asOf) != self.latest", "needs exactly one of asOf and latest: true"}});
}

StructSchema Claim() {
  return SpecSchema<RestoreClaim>("A claim and the snapshot to fill it from.",
                                  {{.member = "claim",
                                    .doc = "The PersistentVolumeClaim to restore.",
                                    .required = true,
                                    .text = ObjectName()},
                                   {.member = "snapshot",
                                    .doc = "The VolumeSnapshot to restore it from.",
                                    .required = true,
                                    .text = ObjectName()},
                                   {.member = "new_name",
                                    .doc = "Name of the new claim; made up when absent.",
                                    .text = ObjectName()}});
}

StructSchema Hook() {
  return SpecSchema<RestoreHook>(
      "A command in the restored pods, once they are ready.",
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
       Argv("command", "What to run, as program and arguments."),
       {.member = "shell", .doc = "What to run, for /bin/sh -c.", .text = ShellCommand()},
       {.member = "timeout",
        .doc = "How long the command may run.",
        .text = DurationBetween("1ms", "7d")},
       {.member = "on_error",
        .doc = "What a failed command means. Fail: the restore has failed. Continue: it has not."}},
      {{ExactlyOneOf({"command", "shell"}),
        "needs either command (program and arguments) or shell (text for /bin/sh -c)"}});
}

std::vector<FieldSchema> WhatToRestore() {
  return {{.member = "backup_ref",
           .doc = "Name of a VolumeBackup in the same namespace.",
           .text = ObjectName()},
          {.member = "source", .doc = "Instead of backupRef: the newest backup of an application."},
          {.member = "claims",
           .doc = "Instead of backupRef: claims and snapshots, put together by hand.",
           .max_items = 64,
           .list_type = ListType::kMap,
           .list_key = "claim",
           .rules = {{"size(self) > 0", "is empty: name a claim and its snapshot"}}},
          {.member = "application_ref",
           .doc = "The workload to bring to the restored data; the backup's own when absent.",
           .text = ApplicationRef()}};
}

std::vector<FieldSchema> HowToRestore() {
  return {
      {.member = "strategy",
       .doc = "Repoint: new claims, to which the workload's pod template is changed. Replace: "
              "the claims keep their names, and the old volumes are kept under other claims. "
              "ClaimsOnly: new claims, and the workload is left alone."},
      {.member = "on_failure",
       .doc = "What a failure does. Rollback: the workload becomes exactly what it was. Leave: "
              "everything stays as it is, for a person to look at."},
      {.member = "old_claims", .doc = "What becomes of the old claims, and only after success."},
      {.member = "rollout_timeout",
       .doc = "How long the workload may take to run on the restored data.",
       .text = DurationBetween("1s", "7d")},
      {.member = "storage_class_name",
       .doc = "StorageClass of the new claims; that of the old ones when absent.",
       .text = ObjectName()},
      {.member = "access_modes",
       .doc = "Access modes of the new claims; those of the old ones when absent.",
       .text = {.words = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"}},
       .max_items = 4,
       .list_type = ListType::kSet,
       .rules = {{"size(self) > 0", "is empty: name a mode, or leave accessModes out"}}},
      {.member = "size",
       .doc = "Size of the new claims; never less than the snapshot needs.",
       .text = Size()},
      {.member = "post_hooks",
       .doc = "What to run in the restored pods, once they are ready.",
       .max_items = 16,
       .list_type = ListType::kMap,
       .list_key = "name"}};
}

std::vector<Rule> SpecRules() {
  return {
      {ExactlyOneOf({"backupRef", "source", "claims"}),
       "needs exactly one of backupRef, source and claims to say what to restore"},
      {"!has(self.claims) || has(self.applicationRef) || self.strategy == 'ClaimsOnly'",
       "has claims but no applicationRef: name the workload to bring to them, or set strategy to "
       "ClaimsOnly"},
      {"!has(self.claims) || self.strategy != 'Replace' || self.claims.all(c, !has(c.newName))",
       "has a newName with strategy Replace, which keeps the name of every claim"},
      {"!has(self.postHooks) || size(self.postHooks) == 0 || self.strategy != 'ClaimsOnly'",
       "has postHooks with strategy ClaimsOnly, which starts no pod to run them in"},
      {"self.strategy != 'Repoint' || !has(self.applicationRef) || "
       "!self.applicationRef.matches('^(?i:statefulsets?|sts)[./]')",
       "repoints a StatefulSet, whose claim names are fixed: set strategy to Replace"},
      {"self.strategy == 'ClaimsOnly' || !has(self.applicationRef) || "
       "!self.applicationRef.matches('^(?i:pods?|po)/')",
       "changes a bare pod, which is impossible while it exists: set strategy to ClaimsOnly"},
      {"self == oldSelf", "changes, but a VolumeRestore is fixed once it exists: make a new one"}};
}

StructSchema Spec() {
  std::vector<FieldSchema> fields = WhatToRestore();
  for (FieldSchema& field : HowToRestore()) fields.push_back(std::move(field));
  return SpecSchema<VolumeRestoreSpec>("What to restore, and how.", std::move(fields), SpecRules());
}

// ---- status -----------------------------------------------------------------------------------

StructSchema Backup() {
  return PlainSchema<PinnedBackup>(
      "The backup that was picked, once and for good.",
      {{.member = "name", .doc = "Its name."}, {.member = "uid", .doc = "Its UID."}});
}

StructSchema RestoredClaimSchema() {
  return PlainSchema<RestoredClaim>(
      "One claim of the restore.",
      {{.member = "old", .doc = "The claim before."},
       {.member = "old_uid", .doc = "UID of the claim before."},
       {.member = "new_", .doc = "The restored claim."},
       {.member = "new_uid", .doc = "UID of the restored claim."},
       {.member = "snapshot", .doc = "The VolumeSnapshot that it is restored from."},
       {.member = "snapshot_uid", .doc = "UID of the VolumeSnapshot."},
       {.member = "size", .doc = "The size that the restored claim asks for."},
       {.member = "source", .doc = "What the restored claim asks for besides."},
       {.member = "bound", .doc = "The restored claim has its volume."},
       {.member = "old_source", .doc = "What the claim before asked for."},
       {.member = "old_annotations", .doc = "Annotations of the claim before."},
       {.member = "kept", .doc = "The claim that holds the old volume meanwhile."},
       {.member = "kept_uid", .doc = "UID of the claim that holds the old volume."},
       {.member = "old_volume", .doc = "The old PersistentVolume."},
       {.member = "old_reclaim_policy", .doc = "Its reclaim policy before it was set to Retain."}});
}

StructSchema Volume() {
  return PlainSchema<TemplateVolume>("A volume of the pod template.",
                                     {{.member = "name", .doc = "Its name in the template."},
                                      {.member = "claim_name", .doc = "The claim that it names."}});
}

StructSchema Workload() {
  return PlainSchema<WorkloadBefore>(
      "The workload before the first change: what a rollback writes back.",
      {{.member = "kind", .doc = "Its kind."},
       {.member = "name", .doc = "Its name."},
       {.member = "uid", .doc = "Its UID."},
       {.member = "generation", .doc = "Its metadata.generation."},
       {.member = "replicas", .doc = "Its number of pods."},
       {.member = "volumes", .doc = "The volumes of its template that are to change."}});
}

std::vector<FieldSchema> StatusFields() {
  return {
      {.member = "phase", .doc = "Where the restore stands."},
      {.member = "reason", .doc = "Why it stands there, in one word."},
      {.member = "backup_name", .doc = "The backup, in one word."},
      {.member = "target", .doc = "The workload, in one word."},
      {.member = "claims_bound", .doc = "How many of the claims have their volume."},
      {.member = "backup", .doc = "The backup that was picked, once and for good."},
      {.member = "workload",
       .doc = "The workload before the first change: what a rollback writes back."},
      {.member = "claims", .doc = "The claims."},
      {.member = "hooks", .doc = "How each run of each hook ended."},
      {.member = "failure_reason", .doc = "Why a rollback began, in one word."},
      {.member = "failure_message", .doc = "Why a rollback began, in a sentence."},
      {.member = "rollout_deadline", .doc = "When the workload must run on the restored data."},
      {.member = "start_time", .doc = "When the restore began."},
      {.member = "completion_time", .doc = "When the restore ended."},
      {.member = "observed_generation", .doc = "The metadata.generation that this status is of."},
      {.member = "conditions",
       .doc = "Finished is True at any end, with the outcome as its reason.",
       .list_type = ListType::kMap,
       .list_key = "type"}};
}

}  // namespace

Schemas VolumeRestoreSchemas() {
  return {PlainSchema<VolumeRestore>(
              "Brings the data of one backup back, and the workload to it; undoes itself when that "
              "fails.",
              {{.member = "spec", .doc = "What to restore, and how.", .required = true},
               {.member = "status", .doc = "What has become of it. Written by the controller."}}),
          Spec(),
          Source(),
          Claim(),
          Hook(),
          PlainSchema<VolumeRestoreStatus>("What has become of the restore.", StatusFields()),
          Backup(),
          RestoredClaimSchema(),
          Volume(),
          Workload()};
}

}  // namespace stillpoint::api
