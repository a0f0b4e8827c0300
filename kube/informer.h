// Informer: a cache of every object of one kind that a selector picks, kept equal to what the API
// server has. Controllers read it instead of asking, and are woken by its changes.
//
//   kube::Informer<api::VolumeBackup> backups(executor, client, clock, log, {});
//   backups.OnChange([&](const auto& key, auto*, auto*) { queue.Add(key); });
//   tasks.Spawn("informer volumebackups", backups.Run());
//
// A cache is always a little late. After a write of your own, Observe() its answer, so that the
// next pass does not decide on what it has itself already changed.
#pragma once

#include "api/codec.h"
#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/log.h"
#include "kube/object_store.h"
#include "kube/reflector.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::kube {

// Threads: the loop.
// Lifetime: must outlive the coroutines suspended in it; the objects it gives away live on.
// Errors: see Reflector; what an object that cannot be read means, see ObjectStore.
template <api::Object T>
class Informer {
 public:
  using Options = Reflector::Options;
  using Pointer = std::shared_ptr<const T>;
  // `old` is null for a new object, `now` for one that is gone. Both have the same UID.
  using ChangeHandler =
      std::function<void(const api::NamespacedName& key, const T* old, const T* now)>;

  Informer(boost::asio::any_io_executor executor, Client& client, Clock& clock, LogFn log,
           Options options)
      : store_({&Decode, &Metadata}, clock, log, std::string(T::kResource.plural)),
        reflector_(std::move(executor), client, clock, std::move(log), T::kResource,
                   std::move(options), store_) {}

  // Follows the API server. Never returns. Cancellation: throws operation_aborted.
  [[nodiscard]] boost::asio::awaitable<void> Run() { return reflector_.Run(); }

  // Handlers run after the cache has changed, and may read it.
  void OnChange(ChangeHandler handler) {
    store_.OnChange([handler = std::move(handler)](const api::NamespacedName& key, const void* old,
                                                   const void* now) {
      handler(key, static_cast<const T*>(old), static_cast<const T*>(now));
    });
  }
  void OnUndecodable(ObjectStore::UndecodableHandler handler) {
    store_.OnUndecodable(std::move(handler));
  }

  // Null when there is none.
  [[nodiscard]] Pointer Get(const api::NamespacedName& key) const {
    return std::static_pointer_cast<const T>(store_.Find(key));
  }

  // In the order of the keys.
  template <std::predicate<const T&> Filter>
  [[nodiscard]] std::vector<Pointer> List(const Filter& filter) const {
    std::vector<Pointer> list;
    for (const auto& [key, object] : store_.objects()) {
      auto typed = std::static_pointer_cast<const T>(object);
      if (filter(*typed)) list.push_back(std::move(typed));
    }
    return list;
  }
  [[nodiscard]] std::vector<Pointer> List() const {
    return List([](const T&) { return true; });
  }

  // The answer to a write of ours to the version that we had read (empty: we created it). False:
  // the cache holds another version than that; it will learn of the write through its watch, and
  // the handlers will run then.
  bool Observe(T now, const std::string& read_version) {
    return store_.Observe(std::make_shared<const T>(std::move(now)), read_version);
  }

  // Whether the cache has ever been complete.
  [[nodiscard]] bool Synced() const { return reflector_.Synced(); }
  [[nodiscard]] boost::asio::awaitable<void> WaitSynced() { return reflector_.WaitSynced(); }

  // Why the cache does not follow the API server at the moment.
  [[nodiscard]] const std::optional<api::Error>& Problem() const { return reflector_.Problem(); }

  [[nodiscard]] std::size_t size() const { return store_.objects().size(); }
  [[nodiscard]] std::size_t undecodable() const { return store_.undecodable(); }
  [[nodiscard]] const Reflector::Stats& stats() const { return reflector_.stats(); }

 private:
  static api::Result<ObjectStore::Object> Decode(const boost::json::object& from) {
    auto object = api::Decode<T>(from);
    if (!object) return object.error();
    return ObjectStore::Object(std::make_shared<const T>(std::move(*object)));
  }
  static const api::ObjectMeta& Metadata(const void* object) {
    return static_cast<const T*>(object)->metadata;
  }

  ObjectStore store_;
  Reflector reflector_;
};

}  // namespace stillpoint::kube
