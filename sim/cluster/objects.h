// Objects: what an API server stores, and what a write does to it. No I/O and no time of its
// own; FakeApiServer makes a client of it.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/client.h"
#include "sim/cluster/selector.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::sim {

// "volumesnapshots.snapshot.storage.k8s.io", "pods".
[[nodiscard]] std::string PluralAndGroup(const api::Resource& resource);

// One change, as watches see it.
struct Change {
  std::string resource;  // PluralAndGroup; empty: a bookmark for every stream
  std::uint64_t resource_version = 0;
  std::optional<boost::json::object> before;  // absent: created
  std::optional<boost::json::object> now;     // absent: deleted
};

// Errors: as the API server: kNotFound, kAlreadyExists, kConflict, kInvalid.
class Objects {
 public:
  explicit Objects(std::function<api::Time()> now) : now_(std::move(now)) {}

  [[nodiscard]] api::Result<boost::json::value> Get(const kube::Request& request) const;
  [[nodiscard]] api::Result<boost::json::value> Create(const kube::Request& request);
  [[nodiscard]] api::Result<boost::json::value> Patch(const kube::Request& request);
  [[nodiscard]] api::Result<boost::json::value> Delete(const kube::Request& request);

  // The objects that match, in the order of their keys.
  [[nodiscard]] std::vector<boost::json::object> List(const api::Resource& resource,
                                                      const Selector& selector) const;

  // Writes an object as it is, status and finalizers included, as other controllers together
  // would: creates or replaces it, keeps its uid, counts its generation.
  boost::json::object Put(const api::Resource& resource, boost::json::object object);

  // Every change since the beginning, oldest first.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  void AddBookmark();

  [[nodiscard]] std::uint64_t resource_version() const { return resource_version_; }

 private:
  struct Entry {
    boost::json::object object;
    std::map<std::string, boost::json::value> applied;  // by subresource
  };
  using Table = std::map<api::NamespacedName, Entry>;

  [[nodiscard]] const Entry* Find(const api::Resource& resource,
                                  const api::NamespacedName& key) const;
  [[nodiscard]] api::Result<boost::json::value> ApplyNew(const kube::Request& request);
  [[nodiscard]] api::Result<boost::json::value> PatchEntry(const kube::Request& request,
                                                           Entry entry);
  [[nodiscard]] api::Result<boost::json::value> Write(const kube::Request& request, Entry entry,
                                                      boost::json::object before);
  void Store(const api::Resource& resource, const api::NamespacedName& key, Entry entry,
             std::optional<boost::json::object> before);
  void Erase(const api::Resource& resource, const api::NamespacedName& key,
             boost::json::object object);

  const std::function<api::Time()> now_;
  std::map<std::string, Table> tables_;
  std::vector<Change> changes_;
  std::uint64_t resource_version_ = 100;
  std::uint64_t last_uid_ = 0;
  std::uint64_t last_generated_ = 0;
};

}  // namespace stillpoint::sim
