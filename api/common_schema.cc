// What VolumeBackup and VolumeRestore both hold.
#include "api/schema.h"
#include "api/schema_rules.h"
#include "api/volume_backup.h"

#include <fmt/format.h>

namespace stillpoint::api {
namespace {

constexpr std::string_view kLabelValue =
    "self.matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')";
constexpr std::string_view kNotALabelValue =
    "is not a label value: letters, digits, -, _ and . only, with a letter or digit at both ends";

TextSchema LabelValue() {
  return {.max_length = 63, .rules = {{std::string(kLabelValue), std::string(kNotALabelValue)}}};
}

constexpr std::string_view kLabelKey =
    "matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')";

TextSchema LabelKey() {
  return {.max_length = 317,
          .rules = {{fmt::format("self.{}", kLabelKey),
                     "is not a label key, for example app.kubernetes.io/name"}}};
}

StructSchema Selector() {
  return SpecSchema<LabelSelector>(
      "Picks objects by their labels. All of it must hold.",
      {{.member = "match_labels",
        .doc = "Labels and the values that they must have.",
        .text = LabelValue(),
        .max_items = 16,
        .rules = {{fmt::format("self.all(key, key.{})", kLabelKey),
                   "has something that is not a label key, for example app.kubernetes.io/name"}}},
       {.member = "match_expressions",
        .doc = "Requirements that a plain label and value cannot express.",
        .max_items = 16}});
}

StructSchema Requirement() {
  return SpecSchema<LabelSelectorRequirement>(
      "One requirement on one label.",
      {{.member = "key", .doc = "The label.", .required = true, .text = LabelKey()},
       {.member = "operator_",
        .doc = "How the label and the values relate.",
        .required = true,
        .text = {.words = {"In", "NotIn", "Exists", "DoesNotExist"}}},
       {.member = "values",
        .doc = "The values, for In and NotIn.",
        .text = LabelValue(),
        .max_items = 16}},
      {{"(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        "has the wrong values for its operator: In and NotIn need some, Exists and DoesNotExist "
        "take none"}});
}

StructSchema ConditionSchema() {
  return PlainSchema<Condition>(
      "One fact about the object, for people and for kubectl wait.",
      {{.member = "type", .doc = "Which fact.", .required = true},
       {.member = "status", .doc = "True, False or Unknown."},
       {.member = "observed_generation", .doc = "The metadata.generation that this was true of."},
       {.member = "last_transition_time", .doc = "Since when the status is what it is."},
       {.member = "reason", .doc = "Why, in one word."},
       {.member = "message", .doc = "Why, in a sentence."}});
}

StructSchema Hook() {
  return PlainSchema<HookStatus>(
      "How one run of one hook ended.",
      {{.member = "pod", .doc = "The pod."},
       {.member = "pod_uid", .doc = "UID of the pod."},
       {.member = "container", .doc = "The container."},
       {.member = "hook", .doc = "The hook's name in the spec, or the annotation it comes from."},
       {.member = "phase", .doc = "Pre: before the cut. Post: after it."},
       {.member = "exit_code", .doc = "Exit code; absent when the command never reported one."},
       {.member = "duration", .doc = "How long it ran."},
       {.member = "output_tail", .doc = "The end of what it printed."},
       {.member = "error", .doc = "Why there is no exit code."}});
}

StructSchema Claim() {
  return PlainSchema<ClaimSource>("What a claim asked for: enough to make it again.",
                                  {{.member = "storage_class_name", .doc = "StorageClass."},
                                   {.member = "access_modes", .doc = "Access modes."},
                                   {.member = "volume_mode", .doc = "Filesystem or Block."},
                                   {.member = "size", .doc = "The size that it asked for."},
                                   {.member = "labels", .doc = "Its labels."}});
}

}  // namespace

Schemas CommonSchemas() {
  return {Selector(), Requirement(), ConditionSchema(), Hook(), Claim()};
}

}  // namespace stillpoint::api
