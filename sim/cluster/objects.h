// Objects: what an API server stores, and what a write does to it. No I/O and no time of its own.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/client.h"
#include "sim/cluster/selector.h"
#include "sim/cluster/table.h"
#include "sim/cluster/write_rules.h"

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace stillpoint::sim {

// A write of a client on its way in, after it was merged and before it is stored.
struct Admission {
  const api::Resource& resource;
  const boost::json::object* before;  // null: a creation
  const std::string& subresource;
  boost::json::object& object;  // may be defaulted
};

// Threads: one.
// Errors: as the API server: kNotFound, kAlreadyExists, kConflict, kInvalid, kForbidden.
class Objects {
 public:
  // What is stored lies in `memory`, and so do copies of it: a boost::json value inherits the
  // memory that it is copied from.
  explicit Objects(std::function<api::Time()> now, boost::json::storage_ptr memory = {})
      : now_(std::move(now)), memory_(std::move(memory)) {}
  Objects(const Objects&) = delete;
  Objects& operator=(const Objects&) = delete;

  // ---- as a client ----
  // `manager`: the field manager of an apply. One that changes what another one has applied
  // conflicts with it unless forced; other writes own nothing.

  [[nodiscard]] api::Result<StoredObject> Get(const kube::Request& request) const;
  [[nodiscard]] api::Result<StoredObject> Create(const kube::Request& request);
  [[nodiscard]] api::Result<StoredObject> Patch(const kube::Request& request,
                                                const std::string& manager);
  // PUT: `body` is the whole object. kube::Request has no such verb; request.verb is not read.
  [[nodiscard]] api::Result<StoredObject> Update(const kube::Request& request);
  // A pod with a grace period stays, terminating, until it is removed with Remove() or deleted with
  // `gracePeriodSeconds: 0` in the body.
  [[nodiscard]] api::Result<StoredObject> Delete(const kube::Request& request);

  // Sees every write of a client but deletions.
  using AdmissionHook = std::function<api::Result<void>(const Admission&)>;
  void SetAdmission(AdmissionHook hook) { admission_ = std::move(hook); }

  // From now on a namespaced object needs its Namespace, which must not be terminating.
  void RequireNamespaces() { namespaces_required_ = true; }

  // ---- as the cluster itself: no admission, no rights ----

  // Null when there is none.
  [[nodiscard]] StoredObject Peek(const api::Resource& resource,
                                  const api::NamespacedName& key) const;

  // The objects that match, in the order of their keys.
  [[nodiscard]] std::vector<StoredObject> List(const api::Resource& resource,
                                               const Selector& selector) const;

  // In the order of the keys. `visit` must not write.
  void ForEach(const api::Resource& resource,
               const std::function<void(const boost::json::object&)>& visit) const;

  // Writes an object as it is, status and finalizers included, as other controllers together
  // would: creates or replaces it, keeps its uid, counts its generation.
  StoredObject Put(const api::Resource& resource, boost::json::object object);

  // Changes any part of an object, counts the generation when its wish changed, and erases it when
  // it is terminating and its last finalizer went. False: there is none.
  bool Edit(const api::Resource& resource, const api::NamespacedName& key,
            const std::function<void(boost::json::object&)>& change);

  // Erases it, finalizers or not. False: there is none.
  bool Remove(const api::Resource& resource, const api::NamespacedName& key);

  // ---- changes ----

  // Runs after every change, before the write returns. It may read but not write.
  using ChangeHandler = std::function<void(const api::Resource&, const Change&)>;
  void OnChange(ChangeHandler handler) { handlers_.push_back(std::move(handler)); }

  // The table of a kind, made when there is none: stays as long as this.
  Table& TableOf(const api::Resource& resource);

  // How many changes of each kind are kept for watches.
  void KeepHistory(std::size_t changes) { keep_ = changes; }

  // A bookmark for every watch.
  void AddBookmark();

  [[nodiscard]] std::uint64_t resource_version() const { return resource_version_; }

 private:
  struct Less {
    using is_transparent = void;
    static std::tuple<std::string_view, std::string_view> Of(const api::Resource& resource) {
      return {resource.plural, resource.group};
    }
    static std::tuple<std::string_view, std::string_view> Of(
        const std::pair<std::string, std::string>& key) {
      return {key.first, key.second};
    }
    bool operator()(const auto& a, const auto& b) const { return Of(a) < Of(b); }
  };

  [[nodiscard]] const Table* FindTable(const api::Resource& resource) const;
  [[nodiscard]] const Entry* Find(const api::Resource& resource,
                                  const api::NamespacedName& key) const;
  [[nodiscard]] api::Result<void> CheckNamespace(const kube::Request& request) const;
  [[nodiscard]] api::Result<void> Admit(const kube::Request& request,
                                        const boost::json::object* before,
                                        boost::json::object& object) const;
  [[nodiscard]] api::Result<StoredObject> ApplyNew(const kube::Request& request,
                                                   const std::string& manager);
  [[nodiscard]] api::Result<StoredObject> PatchFound(const kube::Request& request,
                                                     const StoredObject& before,
                                                     AppliedFields* applied,
                                                     const std::string& manager);
  // `applied`: what the object's managers have applied afterwards; null: as before.
  [[nodiscard]] api::Result<StoredObject> Write(const kube::Request& request,
                                                const StoredObject& before, boost::json::object now,
                                                AppliedFields* applied);
  // What the server gives a new object, but for its version.
  void Begin(const api::Resource& resource, boost::json::object& object);
  StoredObject Store(Table& table, const api::NamespacedName& key, boost::json::object object,
                     StoredObject before);
  void Erase(Table& table, const api::NamespacedName& key, StoredObject object);
  void Announce(Table& table, Change change);
  [[nodiscard]] std::string Stamp() const;

  const std::function<api::Time()> now_;
  const boost::json::storage_ptr memory_;
  AdmissionHook admission_;
  std::vector<ChangeHandler> handlers_;
  bool namespaces_required_ = false;
  std::size_t keep_ = std::numeric_limits<std::size_t>::max();
  std::map<std::pair<std::string, std::string>, Table, Less> tables_;  // by plural and group
  std::uint64_t resource_version_ = 100;
  std::uint64_t last_uid_ = 0;
  std::uint64_t last_generated_ = 0;
};

}  // namespace stillpoint::sim
