// The metav1 types that every object shares. Source of truth: the Kubernetes API conventions and
// k8s.io/apimachinery/pkg/apis/meta/v1.
#pragma once

#include <boost/describe/class.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::api {

// Wall-clock instant, UTC. Written as RFC 3339 with as many fraction digits as it has (none, 3 or
// 6), read with any. metav1.Time fields hold whole seconds; our own timings hold milliseconds.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

// A length of time as people write it: `30s`, `1d6h30m` (api/duration.h).
using Duration = std::chrono::milliseconds;

// Key of a namespaced object. `ns` is empty for cluster-scoped objects.
struct NamespacedName {
  std::string ns;
  std::string name;
  auto operator<=>(const NamespacedName&) const = default;
};

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  std::optional<bool> controller;
  std::optional<bool> block_owner_deletion;
  bool operator==(const OwnerReference&) const = default;
};
BOOST_DESCRIBE_STRUCT(OwnerReference, (),
                      (api_version, kind, name, uid, controller, block_owner_deletion))

// Who last set which fields; only what the GitOps detection looks at.
struct ManagedFieldsEntry {
  std::string manager;
  std::string operation;
  bool operator==(const ManagedFieldsEntry&) const = default;
};
BOOST_DESCRIBE_STRUCT(ManagedFieldsEntry, (), (manager, operation))

struct ObjectMeta {
  std::string name;
  std::string ns;  // JSON: namespace
  std::string uid;
  std::string resource_version;  // opaque: compared with == only
  std::int64_t generation = 0;
  std::optional<Time> creation_timestamp;
  std::optional<Time> deletion_timestamp;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> finalizers;
  std::vector<OwnerReference> owner_references;
  std::vector<ManagedFieldsEntry> managed_fields;
  bool operator==(const ObjectMeta&) const = default;
};
BOOST_DESCRIBE_STRUCT(ObjectMeta, (),
                      (name, ns, uid, resource_version, generation, creation_timestamp,
                       deletion_timestamp, labels, annotations, finalizers, owner_references,
                       managed_fields))

// A set-based requirement of a label selector.
struct LabelSelectorRequirement {
  std::string key;
  std::string operator_;  // In, NotIn, Exists, DoesNotExist
  std::vector<std::string> values;
  bool operator==(const LabelSelectorRequirement&) const = default;
};
BOOST_DESCRIBE_STRUCT(LabelSelectorRequirement, (), (key, operator_, values))

struct LabelSelector {
  std::map<std::string, std::string> match_labels;
  std::vector<LabelSelectorRequirement> match_expressions;
  bool operator==(const LabelSelector&) const = default;
};
BOOST_DESCRIBE_STRUCT(LabelSelector, (), (match_labels, match_expressions))

// metav1.Condition. `last_transition_time` changes only when `status` does.
struct Condition {
  std::string type;
  std::string status;  // True, False, Unknown
  std::int64_t observed_generation = 0;
  Time last_transition_time{};
  std::string reason;  // CamelCase, never empty
  std::string message;
  bool operator==(const Condition&) const = default;
};
BOOST_DESCRIBE_STRUCT(Condition, (),
                      (type, status, observed_generation, last_transition_time, reason, message))

}  // namespace stillpoint::api
