#include "sim/pocket/built_in_rules.h"

#include "api/authorization.h"
#include "api/core.h"
#include "api/snapshot.h"
#include "sim/cluster/fields.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using api::Result;

namespace {

api::Error Refuse(const api::Resource& resource, const json::object& object, std::string_view why) {
  return Invalid({.resource = resource, .name = KeyOf(object).name}, why);
}

// As legacyValidateEvent and the fields that the new API requires.
Result<void> CheckEvent(const api::Resource& resource, const json::object& event) {
  for (const char* field :
       {"eventTime", "reportingController", "reportingInstance", "action", "reason", "type"}) {
    if (Text(event, {field}).empty()) {
      return Refuse(resource, event, fmt::format("{}: Required value", field));
    }
  }
  for (const auto& [field, most] : {std::pair("reportingInstance", 128U), std::pair("action", 128U),
                                    std::pair("reason", 128U), std::pair("note", 1024U)}) {
    if (Text(event, {field}).size() <= most) continue;
    return Refuse(resource, event, fmt::format("{}: can have at most {} characters", field, most));
  }
  return {};
}

Result<void> CheckLease(const api::Resource& resource, const json::object& lease) {
  const auto* seconds = At(lease, {"spec", "leaseDurationSeconds"});
  if (seconds == nullptr || seconds->is_null()) return {};
  const std::int64_t value = Int(lease, {"spec", "leaseDurationSeconds"});
  if (value > 0) return {};
  return Refuse(
      resource, lease,
      fmt::format("spec.leaseDurationSeconds: Invalid value: {}: must be greater than 0", value));
}

// The controllers fill in what is empty; all else stays as it was created.
Result<void> CheckClaim(const api::Resource& resource, const json::object& before,
                        const json::object& now) {
  for (const char* field : {"accessModes", "dataSource", "dataSourceRef", "selector",
                            "storageClassName", "volumeMode", "volumeName"}) {
    const auto* was = At(before, {"spec", field});
    const auto* is = At(now, {"spec", field});
    if (was == nullptr || (is != nullptr && *is == *was)) continue;
    return Refuse(resource, now,
                  "spec: Forbidden: spec is immutable after creation except resources.requests and "
                  "volumeAttributesClassName for bound claims");
  }
  return {};
}

Result<void> CheckSnapshot(const api::Resource& resource, const json::object& before,
                           const json::object& now) {
  for (const char* field : {"persistentVolumeClaimName", "volumeSnapshotContentName"}) {
    if (Text(before, {"spec", "source", field}) == Text(now, {"spec", "source", field})) continue;
    return Refuse(resource, now,
                  fmt::format("spec.source.{0}: Invalid value: \"{1}\": {0} is immutable", field,
                              Text(now, {"spec", "source", field})));
  }
  return {};
}

}  // namespace

bool IsReview(const api::Resource& resource) {
  return resource == api::SelfSubjectAccessReview::kResource;
}

Result<void> CheckCreation(const api::Resource& resource, const json::object& object) {
  if (resource.group == "events.k8s.io") return CheckEvent(resource, object);
  if (!IsReview(resource)) return {};
  const bool asks = At(object, {"spec", "resourceAttributes"}) != nullptr ||
                    At(object, {"spec", "nonResourceAttributes"}) != nullptr;
  if (asks) return {};
  return Refuse(
      resource, object,
      "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes "
      "or resourceAttributes must be specified");
}

Result<void> CheckBuiltIn(const Admission& write) {
  if (!write.subresource.empty()) return {};
  if (write.resource.group == "coordination.k8s.io")
    return CheckLease(write.resource, write.object);
  if (write.before == nullptr) return {};
  if (write.resource == api::PersistentVolumeClaim::kResource) {
    return CheckClaim(write.resource, *write.before, write.object);
  }
  if (write.resource == api::VolumeSnapshot::kResource) {
    return CheckSnapshot(write.resource, *write.before, write.object);
  }
  return {};
}

}  // namespace stillpoint::sim::pocket
