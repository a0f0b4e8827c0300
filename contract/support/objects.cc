#include "contract/support/objects.h"

#include "contract/support/settings.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <stdexcept>
#include <utility>

namespace stillpoint::contract {

namespace json = boost::json;
using kube::Verb;

namespace {

// A shell that is the first process of a container ignores what it has no trap for.
constexpr char kSleeper[] = "trap 'exit 0' TERM; sleep 100000 & wait";

json::object PodSpec(const std::string& claim) {
  json::object container{{"name", "main"},
                         {"image", GetSettings().image},
                         {"imagePullPolicy", "IfNotPresent"},
                         {"command", {"/bin/sh", "-c", kSleeper}}};
  json::object spec{{"terminationGracePeriodSeconds", 5},
                    {"automountServiceAccountToken", false},
                    {"enableServiceLinks", false}};
  if (!claim.empty()) {
    container["volumeMounts"] = json::array{{{"name", "data"}, {"mountPath", kMountPath}}};
    spec["volumes"] =
        json::array{{{"name", "data"}, {"persistentVolumeClaim", {{"claimName", claim}}}}};
  }
  spec["containers"] = json::array{std::move(container)};
  return spec;
}

Json Workload(const api::Resource& resource, const std::string& name, int replicas,
              const std::string& claim) {
  const json::object labels{{"app", name}};
  return Object(resource, name,
                {{"spec",
                  {{"replicas", replicas},
                   {"selector", {{"matchLabels", labels}}},
                   {"template", {{"metadata", {{"labels", labels}}}, {"spec", PodSpec(claim)}}}}}});
}

Json FindClass(Session& session, const api::Resource& resource, const std::string& wanted,
               const std::string& default_annotation) {
  if (!wanted.empty()) return session.Get(resource, wanted);
  const auto classes = Elements(session.Do({.verb = Verb::kList, .resource = resource}), "/items");
  for (const Json& one : classes) {
    if (Text(one, "/metadata/annotations/" + default_annotation) == "true") return one;
  }
  if (classes.size() == 1) return classes.front();
  throw std::runtime_error(fmt::format("there is no default {}", resource.kind));
}

}  // namespace

Json Object(const api::Resource& resource, const std::string& name, json::object fields) {
  fields["apiVersion"] = api::ApiVersion(resource);
  fields["kind"] = resource.kind;
  auto& metadata = fields["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  if (!name.empty()) metadata.get_object()["name"] = name;
  return fields;
}

Json Backup(const std::string& name, json::object metadata) {
  return Object(kBackups, name,
                {{"metadata", std::move(metadata)}, {"spec", {{"applicationRef", "ledger"}}}});
}

Json Pod(const std::string& name, const std::string& claim) {
  return Object(kPods, name, {{"spec", PodSpec(claim)}});
}

Json Deployment(const std::string& name, int replicas, const std::string& claim) {
  return Workload(kDeployments, name, replicas, claim);
}

Json StatefulSet(const std::string& name, int replicas) {
  Json set = Workload(kStatefulSets, name, replicas, "");
  set.at("spec").as_object()["serviceName"] = name;
  return set;
}

Json Claim(const std::string& name, const std::string& snapshot) {
  json::object spec{{"accessModes", List({"ReadWriteOnce"})},
                    {"resources", {{"requests", {{"storage", "16Mi"}}}}}};
  if (!GetSettings().storage_class.empty()) {
    spec["storageClassName"] = GetSettings().storage_class;
  }
  if (!snapshot.empty()) {
    spec["dataSource"] = {
        {"apiGroup", api::kSnapshotGroup}, {"kind", kSnapshots.kind}, {"name", snapshot}};
  }
  return Object(kClaims, name, {{"spec", std::move(spec)}});
}

Json Snapshot(const std::string& name, const std::string& claim,
              const std::string& snapshot_class) {
  return Object(kSnapshots, name,
                {{"spec",
                  {{"volumeSnapshotClassName", snapshot_class},
                   {"source", {{"persistentVolumeClaimName", claim}}}}}});
}

Json FindStorageClass(Session& session) {
  return FindClass(session, kStorageClasses, GetSettings().storage_class,
                   "storageclass.kubernetes.io~1is-default-class");
}

Json FindSnapshotClass(Session& session) {
  return FindClass(session, kSnapshotClasses, GetSettings().snapshot_class,
                   "snapshot.storage.kubernetes.io~1is-default-class");
}

void MakePod(Session& session, const Json& pod) {
  // A namespace gets the ServiceAccount that a pod needs a moment after itself: until then 403.
  const auto deadline = session.clock().SteadyNow() + Session::kPatience;
  while (true) {
    auto made = session.Try({.verb = Verb::kCreate, .resource = kPods, .body = pod});
    if (made) return;
    if (made.error().code != api::Code::kForbidden || session.clock().SteadyNow() > deadline) {
      throw std::runtime_error(made.error().message);
    }
    session.Await(session.clock().Sleep(std::chrono::milliseconds(50)));
  }
}

Json StartPod(Session& session, const Json& pod) {
  MakePod(session, pod);
  return session.Until(
      kPods, NameOf(pod), [](const Json& now) { return ConditionOf(now, "Ready") == "True"; },
      "Ready");
}

Json BoundClaim(Session& session, const Json& claim) {
  session.Create(kClaims, claim);
  const std::string name = NameOf(claim);
  const bool waits =
      Text(FindStorageClass(session), "/volumeBindingMode") == "WaitForFirstConsumer";
  if (waits) StartPod(session, Pod("binds-" + name, name));
  Json bound = session.Until(
      kClaims, name, [](const Json& now) { return Text(now, "/status/phase") == "Bound"; },
      "Bound");
  if (waits) {
    session.Delete(kPods, "binds-" + name);
    session.UntilGone(kPods, "binds-" + name);
  }
  return bound;
}

}  // namespace stillpoint::contract
