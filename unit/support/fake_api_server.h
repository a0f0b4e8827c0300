// FakeApiServer: the model's API server (sim/cluster/api_server.h) behind a kube::Client that needs
// no world: each call suspends, and fails when a test says so. For tests of what stands on one
// client: caches, leases, Events. Whole controllers are tested on the model cluster.
//
// What it does not do: schemas, defaults and validation beyond names; admission; namespaces as
// objects; field managers other than the client's own, so nothing is ever a conflict of managers;
// authentication (but a SelfSubjectAccessReview knows of Forbid()). No controller runs.
#pragma once

#include "api/codec.h"
#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "sim/cluster/api_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::unit {

// Threads: the thread of the test. Every call of the client suspends at least once before and once
// after its effect.
// Lifetime: as kube::Client. It keeps nothing of the loop that its callers run on, so it survives a
// controller that is crashed by destroying its io_context, and serves the next one.
class FakeApiServer final : public kube::Client {
 public:
  explicit FakeApiServer(kube::Clock& clock);

  [[nodiscard]] boost::asio::awaitable<api::Result<kube::Answer>> Do(
      kube::Request request) override;
  [[nodiscard]] boost::asio::awaitable<api::Result<std::unique_ptr<kube::WatchStream>>> Watch(
      kube::WatchRequest request) override;

  // ---- the world, seen and changed behind the client's back: no faults, no delay ----

  // Writes all of `object`, its status included. Creates it, or replaces what is there.
  template <api::Object T>
  T Put(const T& object) {
    return Read<T>(PutJson(T::kResource, api::Encode(object)));
  }

  // Throws std::logic_error if there is none.
  template <api::Object T>
  T Get(const api::NamespacedName& key) {
    return Read<T>(GetJson(T::kResource, key).value());
  }

  template <api::Object T>
  bool Exists(const api::NamespacedName& key) {
    return GetJson(T::kResource, key).has_value();
  }

  template <api::Object T>
  std::vector<T> All(const std::string& ns = "") {
    std::vector<T> all;
    for (const auto& object : AllJson(T::kResource, ns)) all.push_back(Read<T>(object));
    return all;
  }

  // Reads, lets `change` change, puts back.
  template <api::Object T>
  T Change(const api::NamespacedName& key, const std::function<void(T&)>& change) {
    T object = Get<T>(key);
    change(object);
    return Put(object);
  }

  // As kubectl delete: finalizers are waited for. False: there was none.
  template <api::Object T>
  bool Remove(const api::NamespacedName& key) {
    return RemoveJson(T::kResource, key);
  }

  boost::json::value PutJson(const api::Resource& resource, boost::json::value object);
  [[nodiscard]] std::optional<boost::json::value> GetJson(const api::Resource& resource,
                                                          const api::NamespacedName& key) const;
  [[nodiscard]] std::vector<boost::json::value> AllJson(const api::Resource& resource,
                                                        const std::string& ns) const;
  bool RemoveJson(const api::Resource& resource, const api::NamespacedName& key);

  // Runs after every such request of the client that took effect, before its answer, with the
  // object as it is then (for kDelete, as it was). `plural` as "volumesnapshots".
  using Callback = std::function<void(const boost::json::object&)>;
  void On(kube::Verb verb, std::string plural, Callback callback);

  // ---- faults ----

  enum class When { kBeforeEffect, kAfterEffect };

  // The request number `skip` + 1 from now with this verb and resource fails.
  void FailNext(kube::Verb verb, std::string plural, api::Error error,
                When when = When::kBeforeEffect, int skip = 0);
  void FailNextWatch(std::string plural, api::Error error, int skip = 0);

  // Ends every open watch of `plural` (of all when empty), once it has delivered what is due.
  void EndWatches(const std::string& plural, const api::Error& error);

  // A watch that would go on from before now gives kExpired, and so does every continue token.
  void Compact() { server_.Compact(); }

  // While held, watches see no change: caches lag.
  void HoldWatches(bool hold);
  void SendBookmarks();

  // As a role that lacks this: kForbidden. `verb` as kube::RbacVerb, or "watch".
  void Forbid(const std::string& verb, const std::string& plural) { server_.Forbid(verb, plural); }
  void Allow(const std::string& verb, const std::string& plural) { server_.Allow(verb, plural); }

  // As an absent CRD: kNotFound.
  void RemoveResource(const std::string& plural) { server_.RemoveResource(plural); }
  void RestoreResource(const std::string& plural) { server_.RestoreResource(plural); }

  // ---- what was asked ----

  // Every request so far, and the number of watches opened.
  [[nodiscard]] const std::vector<kube::Request>& requests() const { return requests_; }
  [[nodiscard]] const std::vector<kube::WatchRequest>& watches() const { return watches_; }
  [[nodiscard]] int Count(kube::Verb verb, const std::string& plural) const;

 private:
  class Stream;

  struct Fault {
    std::string verb;
    std::string plural;
    api::Error error;
    When when;
    int skip;
  };

  // Every object has been written by Put or by the client under test: it decodes.
  template <api::Object T>
  static T Read(const boost::json::value& object) {
    auto decoded = api::Decode<T>(object);
    if (!decoded) throw std::logic_error(decoded.error().message);
    return std::move(*decoded);
  }

  [[nodiscard]] std::optional<api::Error> TakeFault(const std::string& verb,
                                                    std::string_view plural, When when);
  void Changed();

  kube::Clock& clock_;
  sim::ApiServer server_;
  std::vector<kube::Request> requests_;
  std::vector<kube::WatchRequest> watches_;
  std::vector<Fault> faults_;
  std::multimap<std::pair<std::string, std::string>, Callback> callbacks_;
  bool held_ = false;
  std::uint64_t visible_ = 0;                 // the last version that watches may see
  std::map<std::uint64_t, Stream*> streams_;  // by age
  std::uint64_t last_stream_ = 0;
};

}  // namespace stillpoint::unit
