// Store: the objects of the model cluster as its own controllers see them: always fresh, written
// without rights or admission, and with a word to those who asked whenever something changes.
#pragma once

#include "api/meta.h"
#include "api/resource.h"
#include "sim/cluster/objects.h"
#include "sim/cluster/timeline.h"

#include <boost/json/object.hpp>

#include <functional>
#include <string>
#include <vector>

namespace stillpoint::sim {

// Threads: one. Lifetime: `objects` and `timeline` outlive it, and it outlives all writes to
// `objects`.
class Store {
 public:
  using React = std::function<void(const Change&)>;
  using ReactToAny = std::function<void(const api::Resource&, const Change&)>;

  Store(Objects& objects, Timeline& timeline);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // `react` is called in the middle of each write of that kind: it queues, and writes nothing.
  void On(const api::Resource& resource, React react);
  void OnAny(ReactToAny react) { objects_.OnChange(std::move(react)); }

  // Null: there is none.
  [[nodiscard]] StoredObject Find(const api::Resource& resource,
                                  const api::NamespacedName& key) const {
    return objects_.Peek(resource, key);
  }
  // In the order of their keys. `visit` writes nothing.
  void ForEach(const api::Resource& resource,
               const std::function<void(const boost::json::object&)>& visit) const {
    objects_.ForEach(resource, visit);
  }

  // Lets `change` work on the whole object, status and metadata included. False: it does not exist.
  // What is terminating and has lost its last finalizer is gone afterwards.
  bool Edit(const api::Resource& resource, const api::NamespacedName& key,
            const std::function<void(boost::json::object&)>& change) {
    return objects_.Edit(resource, key, change);
  }

  // No effect when there is one of this name already.
  void Create(const api::Resource& resource, boost::json::object object);

  // As a client would delete that very object, with its grace period.
  void Delete(const api::Resource& resource, const api::NamespacedName& key,
              const std::string& uid);

  // As Delete, without the grace period: as the kubelet deletes a pod that has ended.
  void Remove(const api::Resource& resource, const api::NamespacedName& key,
              const std::string& uid);

  [[nodiscard]] api::Time Now() const { return timeline_.Now(); }
  [[nodiscard]] Timeline& timeline() { return timeline_; }

 private:
  struct Subscription {
    api::Resource resource;
    React react;
  };

  void DeleteWith(const api::Resource& resource, const api::NamespacedName& key,
                  const std::string& uid, boost::json::object options);

  Objects& objects_;
  Timeline& timeline_;
  std::vector<Subscription> subscriptions_;
};

}  // namespace stillpoint::sim
