#include "kube/object_store.h"

#include "api/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace stillpoint::kube {

namespace json = boost::json;
using api::NamespacedName;
using namespace std::chrono_literals;

namespace {

// A watch lags by milliseconds. What it shows in place of our write after so long is either from
// before it, as the watch was cut off meanwhile, or the write will never be shown, for a reason
// that we do not know.
constexpr auto kPendingFor = 60s;

// An answer to a write arrives within the request's timeout of the deletion it lost against.
constexpr std::size_t kGraves = 1024;

// Name, UID and version, read one by one: the object may be undecodable everywhere else.
api::ObjectMeta Identity(const json::object& object) {
  api::ObjectMeta identity;
  const auto* metadata = object.if_contains("metadata");
  if (!metadata || !metadata->is_object()) return identity;
  const auto text = [&](std::string_view member) {
    const auto* value = metadata->get_object().if_contains(member);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  identity.name = text("name");
  identity.ns = text("namespace");
  identity.uid = text("uid");
  identity.resource_version = text("resourceVersion");
  return identity;
}

}  // namespace

ObjectStore::ObjectStore(Type type, Clock& clock, LogFn log, std::string what)
    : type_(type), clock_(clock), log_(std::move(log)), what_(std::move(what)) {}

// ---- list -------------------------------------------------------------------------------------

void ObjectStore::BeginList() {
  staged_.clear();
  observed_.clear();
}

void ObjectStore::AddListed(const json::object& item) {
  const api::ObjectMeta identity = Identity(item);
  const NamespacedName key{identity.ns, identity.name};
  const Object old = Find(key);
  if (old && MetadataOf(old).resource_version == identity.resource_version) {
    staged_[key] = old;
  } else if (Object now = Decode(item, identity)) {
    staged_[key] = std::move(now);
  } else if (old && MetadataOf(old).uid == identity.uid) {
    staged_[key] = old;
  }
}

bool ObjectStore::EndList(bool force) {
  const bool ambiguous = std::ranges::any_of(observed_, [&](const NamespacedName& key) {
    const auto listed = staged_.find(key);
    const Object now = Find(key);
    return now && (listed == staged_.end() ||
                   MetadataOf(listed->second).resource_version != MetadataOf(now).resource_version);
  });
  if (ambiguous && !force) return false;
  for (const Change& change : TakeStaged()) Notify(change);
  return true;
}

std::vector<ObjectStore::Change> ObjectStore::TakeStaged() {
  pending_.clear();
  observed_.clear();
  const Objects before = std::exchange(objects_, std::exchange(staged_, {}));
  std::vector<Change> changes;
  for (const auto& [key, old] : before) {
    const Object now = Find(key);
    if (now == old) continue;
    if (!now || !SameUid(old, now)) Bury(MetadataOf(old).uid);
    changes.push_back({key, old, now});
  }
  for (const auto& [key, now] : objects_) {
    if (!before.contains(key)) changes.push_back({key, nullptr, now});
  }
  return changes;
}

// ---- watch ------------------------------------------------------------------------------------

bool ObjectStore::Apply(const WatchEvent& event) {
  const api::ObjectMeta identity = Identity(*event.object);
  const NamespacedName key{identity.ns, identity.name};
  if (event.type == WatchEvent::Type::kDeleted) {
    Remove(key, identity.uid);
    return true;
  }
  const Age age = AgeOf(key, identity.resource_version);
  if (age == Age::kUnknown) return false;
  if (age == Age::kPassed) return true;
  if (Object now = Decode(*event.object, identity)) Replace(key, std::move(now));
  return true;
}

// Passed: the store already has this version, or one that is newer.
ObjectStore::Age ObjectStore::AgeOf(const NamespacedName& key, const std::string& version) {
  if (const auto pending = pending_.find(key); pending != pending_.end()) {
    if (pending->second.version != version) {
      const bool late = clock_.SteadyNow() - pending->second.since >= kPendingFor;
      return late ? Age::kUnknown : Age::kPassed;
    }
    pending_.erase(pending);
  }
  const Object old = Find(key);
  return old && MetadataOf(old).resource_version == version ? Age::kPassed : Age::kNews;
}

// Also in front of our own write: a UID that is gone is gone for good.
void ObjectStore::Remove(const NamespacedName& key, const std::string& uid) {
  Bury(uid);
  const auto found = objects_.find(key);
  if (found == objects_.end() || MetadataOf(found->second).uid != uid) return;
  const Object old = std::move(found->second);
  objects_.erase(found);
  pending_.erase(key);
  Notify({key, old, nullptr});
}

void ObjectStore::Replace(const NamespacedName& key, Object now) {
  Object& place = objects_[key];
  const Object old = std::exchange(place, now);
  if (old && !SameUid(old, now)) Bury(MetadataOf(old).uid);
  Notify({key, old, std::move(now)});
}

// ---- our own writes ---------------------------------------------------------------------------

bool ObjectStore::Observe(Object now, const std::string& read_version) {
  const api::ObjectMeta& metadata = MetadataOf(now);
  const NamespacedName key{metadata.ns, metadata.name};
  const Object old = Find(key);
  if (old && MetadataOf(old).resource_version == metadata.resource_version) return true;
  const std::string& held = old ? MetadataOf(old).resource_version : std::string();
  if (held != read_version) return false;
  if (std::ranges::find(graves_, metadata.uid) != graves_.end()) return false;
  pending_[key] = {metadata.resource_version, clock_.SteadyNow()};
  observed_.insert(key);
  Replace(key, std::move(now));
  return true;
}

// ---- parts ------------------------------------------------------------------------------------

ObjectStore::Object ObjectStore::Find(const NamespacedName& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

const api::ObjectMeta& ObjectStore::MetadataOf(const Object& object) const {
  return type_.metadata(object.get());
}

bool ObjectStore::SameUid(const Object& a, const Object& b) const {
  return MetadataOf(a).uid == MetadataOf(b).uid;
}

ObjectStore::Object ObjectStore::Decode(const json::object& from, const api::ObjectMeta& metadata) {
  auto object = type_.decode(from);
  if (object) return std::move(*object);
  Report({.key = {metadata.ns, metadata.name},
          .uid = metadata.uid,
          .resource_version = metadata.resource_version,
          .error = object.error()});
  return nullptr;
}

void ObjectStore::Bury(std::string uid) {
  if (std::ranges::find(graves_, uid) != graves_.end()) return;
  graves_.push_back(std::move(uid));
  if (graves_.size() > kGraves) graves_.pop_front();
}

// An object that was replaced by a namesake is two changes: handlers see each UID come and go.
void ObjectStore::Notify(const Change& change) const {
  if (change.old && change.now && !SameUid(change.old, change.now)) {
    NotifyAs(change.key, change.old.get(), nullptr);
    NotifyAs(change.key, nullptr, change.now.get());
  } else {
    NotifyAs(change.key, change.old.get(), change.now.get());
  }
}

void ObjectStore::NotifyAs(const NamespacedName& key, const void* old, const void* now) const {
  for (const auto& handler : change_handlers_) {
    Guard(key, [&] { handler(key, old, now); });
  }
}

void ObjectStore::Report(const Undecodable& object) {
  ++undecodable_;
  log_(Severity::kWarning, fmt::format("{} {}/{} cannot be read and is left as it was: {}", what_,
                                       object.key.ns, object.key.name, object.error.message));
  for (const auto& handler : undecodable_handlers_) {
    Guard(object.key, [&] { handler(object); });
  }
}

// A handler that throws must not end the informer for all others.
void ObjectStore::Guard(const NamespacedName& key, const std::function<void()>& call) const {
  try {
    call();
  } catch (const std::exception& e) {
    log_(Severity::kError, fmt::format("{} {}/{}: a handler ended with an exception: {}", what_,
                                       key.ns, key.name, e.what()));
  }
}

}  // namespace stillpoint::kube
