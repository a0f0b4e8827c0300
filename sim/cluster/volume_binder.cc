#include "sim/cluster/volume_binder.h"

#include "api/core.h"
#include "api/storage.h"
#include "sim/cluster/fields.h"

#include <utility>

namespace stillpoint::sim {

namespace json = boost::json;
using api::PersistentVolume;
using api::PersistentVolumeClaim;
using api::StorageClass;
using Key = api::NamespacedName;

namespace {

Key ClaimOf(const json::object& volume) {
  return {std::string(Text(volume, {"spec", "claimRef", "namespace"})),
          std::string(Text(volume, {"spec", "claimRef", "name"}))};
}

// The volume is free, or kept for this very claim or for any claim of its name.
bool MayBind(const json::object& volume, const json::object& claim) {
  if (Map(volume, {"spec", "claimRef"}) == nullptr) return true;
  if (ClaimOf(volume) != KeyOf(claim)) return false;
  const std::string_view uid = Text(volume, {"spec", "claimRef", "uid"});
  return uid.empty() || uid == UidOf(claim);
}

}  // namespace

VolumeBinder::VolumeBinder(Store& store, const ClaimUsers& users, const VolumeKnobs& knobs)
    : store_(store),
      users_(users),
      claims_(store.timeline(), {.latency = knobs.watch},
              [this](const Key& key, const WorkLoop::Done& done) {
                WorkOnClaim(key);
                done(After::kNothing);
              }),
      volumes_(store.timeline(), {.latency = knobs.watch},
               [this](const Key& key, const WorkLoop::Done& done) {
                 WorkOnVolume(key);
                 done(After::kNothing);
               }) {
  store_.On(PersistentVolumeClaim::kResource, [this](const Change& change) { SeeClaim(change); });
  store_.On(PersistentVolume::kResource, [this](const Change& change) { SeeVolume(change); });
  store_.On(api::Pod::kResource, [this](const Change& change) { SeePod(change); });
}

// ---- what changed -------------------------------------------------------------------------------

void VolumeBinder::SeeClaim(const Change& change) {
  const json::object& claim = change.now ? *change.now : *change.before;
  const Key key = KeyOf(claim);
  if (change.now) claims_.Add(key);
  const auto volumes = volumes_of_claim_.find(key);
  if (volumes == volumes_of_claim_.end()) return;
  for (const auto& volume : volumes->second) volumes_.Add({"", volume});
}

void VolumeBinder::SeeVolume(const Change& change) {
  const std::string name(
      (change.now ? *change.now : *change.before).at("metadata").at("name").as_string());
  if (change.before) {
    const Key claim = ClaimOf(*change.before);
    volumes_of_claim_[claim].erase(name);
    if (!change.now) claims_.Add(claim);
  }
  if (!change.now) return;
  const Key claim = ClaimOf(*change.now);
  if (!claim.name.empty()) {
    volumes_of_claim_[claim].insert(name);
    claims_.Add(claim);
  }
  volumes_.Add({"", name});
}

// A pod that goes may have been the last to use a claim.
void VolumeBinder::SeePod(const Change& change) {
  if (change.now) return;
  const std::string ns(Text(*change.before, {"metadata", "namespace"}));
  for (const auto& mount : ClaimMounts(*change.before)) claims_.Add({ns, mount.claim});
}

// ---- a claim ------------------------------------------------------------------------------------

void VolumeBinder::WorkOnClaim(const Key& key) {
  Prepare(key);
  Unprotect(key);  // which may be the end of it
  const StoredObject claim = store_.Find(PersistentVolumeClaim::kResource, key);
  if (!claim) return;
  if (!Annotation(*claim, kBindCompleted).empty()) return CheckBinding(key, *claim);
  const std::string wanted(Text(*claim, {"spec", "volumeName"}));
  const std::string reserved = ReservedFor(*claim);
  if (!wanted.empty()) {
    BindByName(key, wanted);
  } else if (!reserved.empty()) {
    Bind(key, reserved);
  } else if (!IsTerminating(*claim)) {
    AskForVolume(key, *claim);
  }
}

// What admission plugins do with a new claim.
void VolumeBinder::Prepare(const Key& key) {
  const auto found = store_.Find(PersistentVolumeClaim::kResource, key);
  if (!found || !Text(*found, {"status", "phase"}).empty()) return;
  std::string default_class;
  store_.ForEach(StorageClass::kResource, [&](const json::object& object) {
    if (Annotation(object, kDefaultStorageClass) == "true") {
      default_class = Text(object, {"metadata", "name"});
    }
  });
  store_.Edit(PersistentVolumeClaim::kResource, key, [&](json::object& claim) {
    if (!IsTerminating(claim)) AddFinalizer(claim, kClaimProtection);
    auto& spec = Into(claim, {"spec"});
    if (!spec.contains("storageClassName") && !default_class.empty()) {
      spec["storageClassName"] = default_class;
    }
    if (!spec.contains("volumeMode")) spec["volumeMode"] = "Filesystem";
    Into(claim, {"status"})["phase"] = "Pending";
  });
}

// A claim that is to go stays while a pod uses it: one that has ended does, one that is not
// scheduled does not.
void VolumeBinder::Unprotect(const Key& key) {
  const auto claim = store_.Find(PersistentVolumeClaim::kResource, key);
  if (!claim || !IsTerminating(*claim)) return;
  for (const Key& user : users_.PodsOf(key)) {
    const auto pod = store_.Find(api::Pod::kResource, user);
    if (pod && !Text(*pod, {"spec", "nodeName"}).empty()) return;
  }
  store_.Edit(PersistentVolumeClaim::kResource, key,
              [](json::object& object) { RemoveFinalizer(object, kClaimProtection); });
}

void VolumeBinder::BindByName(const Key& key, const std::string& volume) {
  const auto claim = store_.Find(PersistentVolumeClaim::kResource, key);
  const auto found = store_.Find(PersistentVolume::kResource, {"", volume});
  if (claim && found && MayBind(*found, *claim)) Bind(key, volume);
}

void VolumeBinder::CheckBinding(const Key& key, const json::object& claim) {
  const std::string name(Text(claim, {"spec", "volumeName"}));
  const auto volume = store_.Find(PersistentVolume::kResource, {"", name});
  const bool good = volume && ClaimOf(*volume) == key &&
                    Text(*volume, {"spec", "claimRef", "uid"}) == UidOf(claim);
  const char* phase = good ? "Bound" : "Lost";
  if (Text(claim, {"status", "phase"}) == phase) return;
  store_.Edit(PersistentVolumeClaim::kResource, key,
              [&](json::object& object) { Into(object, {"status"})["phase"] = phase; });
}

void VolumeBinder::AskForVolume(const Key& key, const json::object& claim) {
  const std::string name(Text(claim, {"spec", "storageClassName"}));
  const auto storage_class = store_.Find(StorageClass::kResource, {"", name});
  if (!storage_class) return;
  const bool waits = Text(*storage_class, {"volumeBindingMode"}) == "WaitForFirstConsumer";
  if (waits && Annotation(claim, kSelectedNode).empty()) return;
  const std::string provisioner(Text(*storage_class, {"provisioner"}));
  store_.Edit(PersistentVolumeClaim::kResource, key, [&](json::object& object) {
    SetAnnotation(object, kProvisionerOfClaim, provisioner);
    SetAnnotation(object, "volume.beta.kubernetes.io/storage-provisioner", provisioner);
  });
}

void VolumeBinder::Bind(const Key& key, const std::string& volume_name) {
  const StoredObject claim = store_.Find(PersistentVolumeClaim::kResource, key);
  store_.Edit(PersistentVolume::kResource, {"", volume_name}, [&](json::object& volume) {
    auto& reference = Into(volume, {"spec", "claimRef"});
    reference["apiVersion"] = "v1";
    reference["kind"] = "PersistentVolumeClaim";
    reference["namespace"] = key.ns;
    reference["name"] = key.name;
    reference["uid"] = UidOf(*claim);
    Into(volume, {"status"})["phase"] = "Bound";
  });
  const StoredObject volume = store_.Find(PersistentVolume::kResource, {"", volume_name});
  store_.Edit(PersistentVolumeClaim::kResource, key, [&](json::object& object) {
    const bool by_name = !Text(object, {"spec", "volumeName"}).empty();
    if (!by_name) SetAnnotation(object, kBoundByController, "yes");
    SetAnnotation(object, kBindCompleted, "yes");
    Into(object, {"spec"})["volumeName"] = volume_name;
    auto& status = Into(object, {"status"});
    status["phase"] = "Bound";
    if (const auto* modes = List(*volume, {"spec", "accessModes"})) status["accessModes"] = *modes;
    if (const auto* size = Map(*volume, {"spec", "capacity"})) status["capacity"] = *size;
  });
}

std::string VolumeBinder::ReservedFor(const json::object& claim) const {
  const auto volumes = volumes_of_claim_.find(KeyOf(claim));
  if (volumes == volumes_of_claim_.end()) return "";
  for (const auto& name : volumes->second) {
    const auto volume = store_.Find(PersistentVolume::kResource, {"", name});
    if (volume && MayBind(*volume, claim)) return name;
  }
  return "";
}

// ---- a volume -----------------------------------------------------------------------------------

void VolumeBinder::WorkOnVolume(const Key& key) {
  const StoredObject volume = store_.Find(PersistentVolume::kResource, key);
  if (!volume) return;
  const std::string_view phase = PhaseOf(*volume);
  const bool protect = !IsTerminating(*volume) || phase == "Bound";
  if (Text(*volume, {"status", "phase"}) == phase &&
      HasFinalizer(*volume, kVolumeProtection) == protect) {
    return;
  }
  store_.Edit(PersistentVolume::kResource, key, [&](json::object& object) {
    Into(object, {"status"})["phase"] = phase;
    if (!IsTerminating(object)) {
      AddFinalizer(object, kVolumeProtection);
    } else if (phase != "Bound") {
      RemoveFinalizer(object, kVolumeProtection);
    }
  });
}

const char* VolumeBinder::PhaseOf(const json::object& volume) {
  const std::string_view uid = Text(volume, {"spec", "claimRef", "uid"});
  if (uid.empty()) return "Available";
  const auto claim = store_.Find(PersistentVolumeClaim::kResource, ClaimOf(volume));
  return claim && UidOf(*claim) == uid ? "Bound" : "Released";
}

}  // namespace stillpoint::sim
