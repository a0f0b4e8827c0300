#include "sim/cluster/store.h"

#include "sim/cluster/fields.h"

#include <utility>

namespace stillpoint::sim {

Store::Store(Objects& objects, Timeline& timeline) : objects_(objects), timeline_(timeline) {
  objects_.OnChange([this](const api::Resource& resource, const Change& change) {
    for (const auto& subscription : subscriptions_) {
      if (subscription.resource.plural == resource.plural &&
          subscription.resource.group == resource.group) {
        subscription.react(change);
      }
    }
  });
}

void Store::On(const api::Resource& resource, React react) {
  subscriptions_.push_back({resource, std::move(react)});
}

void Store::Create(const api::Resource& resource, boost::json::object object) {
  const api::NamespacedName key = KeyOf(object);
  if (Find(resource, {resource.namespaced ? key.ns : "", key.name})) return;
  objects_.Put(resource, std::move(object));
}

void Store::Delete(const api::Resource& resource, const api::NamespacedName& key,
                   const std::string& uid) {
  DeleteWith(resource, key, uid, {});
}

void Store::Remove(const api::Resource& resource, const api::NamespacedName& key,
                   const std::string& uid) {
  DeleteWith(resource, key, uid, {{"gracePeriodSeconds", 0}});
}

void Store::DeleteWith(const api::Resource& resource, const api::NamespacedName& key,
                       const std::string& uid, boost::json::object options) {
  kube::Request request{.verb = kube::Verb::kDelete,
                        .resource = resource,
                        .ns = key.ns,
                        .name = key.name,
                        .precondition_uid = uid};
  if (!options.empty()) request.body = std::move(options);
  // It may be gone, or another one by now: then there is nothing to delete.
  static_cast<void>(objects_.Delete(request));
}

}  // namespace stillpoint::sim
