#include "sim/cluster/stateful_set_controller.h"

#include "api/apps.h"
#include "api/core.h"
#include "sim/cluster/fields.h"

#include <fmt/format.h>

#include <charconv>
#include <ranges>
#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using api::PersistentVolumeClaim;
using Key = api::NamespacedName;

namespace {

constexpr auto& kSets = api::StatefulSet::kResource;
constexpr auto& kPods = api::Pod::kResource;
constexpr char kRevision[] = "controller-revision-hash";

std::string_view NameOf(const json::object& object) {
  return Text(object, {"metadata", "name"});
}

std::string PodName(const json::object& set, std::int64_t ordinal) {
  return fmt::format("{}-{}", NameOf(set), ordinal);
}

std::string UpdateRevision(const json::object& set) {
  return fmt::format("{}-{}", NameOf(set), TemplateHash(set));
}

std::string_view RevisionOf(const json::object& pod) {
  return Text(pod, {"metadata", "labels", kRevision});
}

std::int64_t Wanted(const json::object& set) {
  return Int(set, {"spec", "replicas"}, 1);
}

bool InOrder(const json::object& set) {
  return Text(set, {"spec", "podManagementPolicy"}) != "Parallel";
}

// Calls `visit` with each claim template's name and the template.
void ForEachClaimTemplate(const json::object& set, const auto& visit) {
  const auto* templates = List(set, {"spec", "volumeClaimTemplates"});
  if (templates == nullptr) return;
  for (const auto& item : *templates) {
    if (item.is_object()) visit(std::string(NameOf(item.get_object())), item.get_object());
  }
}

}  // namespace

StatefulSetController::StatefulSetController(Store& store, const WorkloadKnobs& knobs)
    : store_(store),
      sets_(store, kSets, knobs, [this](const StoredObject& set) { Work(*set); }),
      pods_(store, kPods, [this](const std::string& owner) { sets_.Add(owner); }) {}

StatefulSetController::Pods StatefulSetController::PodsOf(const json::object& set) const {
  Pods pods;
  const std::string prefix = fmt::format("{}-", NameOf(set));
  for (auto& pod : pods_.Of(UidOf(set))) {
    const std::string_view name = NameOf(*pod);
    if (!name.starts_with(prefix)) continue;
    std::int64_t ordinal = -1;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), ordinal);
    if (ordinal >= 0) pods[ordinal] = std::move(pod);
  }
  return pods;
}

void StatefulSetController::Work(const json::object& set) {
  const Pods pods = PodsOf(set);
  if (FillUp(set, pods) && ShrinkTo(set, pods)) Update(set, pods);
  DropClaims(set, pods);
  WriteStatus(set);
}

bool StatefulSetController::FillUp(const json::object& set, const Pods& pods) {
  bool settled = true;
  for (std::int64_t i = 0; i < Wanted(set); ++i) {
    if (!settled && InOrder(set)) return false;
    const auto found = pods.find(i);
    if (found == pods.end()) {
      MakePodAt(set, i);
      settled = false;
      continue;
    }
    const json::object& pod = *found->second;
    if (!IsTerminating(pod)) MakeClaims(set, std::string(NameOf(pod)));
    if (!IsActive(pod) && !IsTerminating(pod)) store_.Delete(kPods, KeyOf(pod), UidOf(pod));
    settled = settled && IsActive(pod) && IsPodReady(pod);
  }
  return settled || !InOrder(set);
}

// From the highest number down, one at a time.
bool StatefulSetController::ShrinkTo(const json::object& set, const Pods& pods) {
  bool settled = true;
  for (const auto& [ordinal, pod] : pods | std::views::reverse) {
    if (ordinal < Wanted(set)) break;
    settled = false;
    if (!IsTerminating(*pod)) store_.Delete(kPods, KeyOf(*pod), UidOf(*pod));
    if (InOrder(set)) return false;
  }
  return settled;
}

void StatefulSetController::Update(const json::object& set, const Pods& pods) {
  if (Text(set, {"spec", "updateStrategy", "type"}) == "OnDelete") return;
  const std::int64_t partition = Int(set, {"spec", "updateStrategy", "rollingUpdate", "partition"});
  const std::string revision = UpdateRevision(set);
  for (const auto& [ordinal, pod] : pods | std::views::reverse) {
    if (ordinal < partition || IsTerminating(*pod)) return;
    if (RevisionOf(*pod) != revision) return store_.Delete(kPods, KeyOf(*pod), UidOf(*pod));
    if (!IsPodReady(*pod)) return;
  }
}

void StatefulSetController::MakePodAt(const json::object& set, std::int64_t ordinal) {
  const std::string name = PodName(set, ordinal);
  const Key key{std::string(Text(set, {"metadata", "namespace"})), name};
  if (store_.Find(kPods, key)) return;  // somebody else's, or not ours any more
  MakeClaims(set, name);
  json::object pod_template = TemplateOf(set);
  auto& labels = Into(pod_template, {"metadata", "labels"});
  labels[kRevision] = UpdateRevision(set);
  labels["statefulset.kubernetes.io/pod-name"] = name;
  labels["apps.kubernetes.io/pod-index"] = std::to_string(ordinal);
  auto& volumes = Into(pod_template, {"spec"})["volumes"];
  if (!volumes.is_array()) volumes = json::array();
  ForEachClaimTemplate(set, [&](const std::string& volume, const json::object&) {
    volumes.get_array().push_back(
        {{"name", volume},
         {"persistentVolumeClaim", {{"claimName", fmt::format("{}-{}", volume, name)}}}});
  });
  store_.Create(kPods, MakePod(set, pod_template, name));
}

void StatefulSetController::MakeClaims(const json::object& set, const std::string& pod) {
  const std::string ns(Text(set, {"metadata", "namespace"}));
  const bool goes_along =
      Text(set, {"spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"}) == "Delete";
  ForEachClaimTemplate(set, [&](const std::string& volume, const json::object& given) {
    const std::string name = fmt::format("{}-{}", volume, pod);
    if (store_.Find(PersistentVolumeClaim::kResource, {ns, name})) return;
    json::object claim = given;
    auto& metadata = Into(claim, {"metadata"});
    metadata["name"] = name;
    metadata["namespace"] = ns;
    if (const auto* labels = Map(set, {"spec", "selector", "matchLabels"})) {
      for (const auto& label : *labels) {
        Into(claim, {"metadata", "labels"})[label.key()] = label.value();
      }
    }
    if (goes_along) {
      json::object owner = ControllerReference(set);
      owner.erase("controller");
      Into(claim, {"metadata"})["ownerReferences"] = json::array{std::move(owner)};
    }
    store_.Create(PersistentVolumeClaim::kResource, std::move(claim));
  });
}

// Retention policy whenScaled: Delete.
void StatefulSetController::DropClaims(const json::object& set, const Pods& pods) {
  if (Text(set, {"spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"}) != "Delete") return;
  const std::string ns(Text(set, {"metadata", "namespace"}));
  for (std::int64_t i = Wanted(set);; ++i) {
    bool any = false;
    ForEachClaimTemplate(set, [&](const std::string& volume, const json::object&) {
      const Key key{ns, fmt::format("{}-{}", volume, PodName(set, i))};
      const auto claim = store_.Find(PersistentVolumeClaim::kResource, key);
      if (!claim) return;
      any = true;
      if (!pods.contains(i) && !IsTerminating(*claim)) {
        store_.Delete(PersistentVolumeClaim::kResource, key, UidOf(*claim));
      }
    });
    if (!any && !pods.contains(i)) return;
  }
}

void StatefulSetController::WriteStatus(const json::object& set) {
  const std::string update = UpdateRevision(set);
  std::string current(Text(set, {"status", "currentRevision"}));
  if (current.empty()) current = update;
  std::int64_t replicas = 0;
  std::int64_t ready = 0;
  std::int64_t of_current = 0;
  std::int64_t of_update = 0;
  for (const auto& [ordinal, pod] : PodsOf(set)) {
    ++replicas;
    if (IsPodReady(*pod)) ++ready;
    if (IsTerminating(*pod)) continue;
    if (RevisionOf(*pod) == current) ++of_current;
    if (RevisionOf(*pod) == update) ++of_update;
  }
  if (of_update == replicas && ready == replicas) {
    current = update;
    of_current = of_update;
  }
  const json::object status{{"observedGeneration", Int(set, {"metadata", "generation"})},
                            {"replicas", replicas},
                            {"readyReplicas", ready},
                            {"availableReplicas", ready},
                            {"currentReplicas", of_current},
                            {"updatedReplicas", of_update},
                            {"currentRevision", current},
                            {"updateRevision", update}};
  sets_.WriteStatus(set, status);
}

}  // namespace stillpoint::sim
