// ApiServer: the API of the model cluster without a transport: one call, one effect, one answer.
// The simulator's client, the unit tests' fake and the embedded cluster's HTTPS server put a
// transport of theirs around it.
//
// What it does is what the real one does (objects in objects.h, patches in patch.h, selectors in
// selector.h): versions, generations, conflicts, finalizers, the status subresource, field managers
// that apply, paged lists, watches that resume and expire. Single objects are never old, and lists
// neither, as the real one reads them from etcd when no resourceVersion is asked for; where one is,
// a list may come from a watch cache that lags.
//
// What it does not: the exact past (resourceVersionMatch), single objects from the cache; schemas
// and defaults, but for those of the admission hook; owners of fields other than by apply; whatever
// a controller does (namespaces that empty themselves, owner references).
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/client.h"
#include "sim/cluster/objects.h"
#include "sim/cluster/watch_cursor.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::sim {

// Threads: one.
class ApiServer {
 public:
  // What the continue tokens of this server begin with.
  static constexpr char kTokenPrefix[] = "rest-";

  // `memory`: of the stored objects.
  explicit ApiServer(std::function<api::Time()> now, boost::json::storage_ptr memory = {})
      : objects_(std::move(now), std::move(memory)) {}

  // `cached`: how far the watch cache has come. A list that names a resourceVersion is as of then,
  // and never older than that one.
  // Errors: as kube::Client says, but for those of a network.
  [[nodiscard]] api::Result<kube::Answer> Answer(const kube::Request& request,
                                                 const std::string& manager = "stillpoint",
                                                 std::uint64_t cached = WatchCursor::kAll);

  // PUT. Errors: as Answer().
  [[nodiscard]] api::Result<kube::Answer> Update(const kube::Request& request);

  // Errors: kExpired for a version that is forgotten, kForbidden, kNotFound, kInvalid.
  [[nodiscard]] api::Result<WatchCursor> OpenWatch(const kube::WatchRequest& request);

  // What is stored. Writes through it are those of the cluster itself: no admission, no rights.
  [[nodiscard]] Objects& objects() { return objects_; }
  [[nodiscard]] const Objects& objects() const { return objects_; }

  // A watch that would go on from before now gives kExpired, and so does every continue token.
  void Compact();

  // No page is longer than this, of lists that are asked for in pages; 0: as the client asks.
  void SetPageLimit(int limit) { page_limit_ = limit; }

  // As a role that lacks this: kForbidden. `verb` as kube::RbacVerb, or "watch"; `path` as
  // "pods/exec".
  void Forbid(const std::string& verb, const std::string& path);
  void Allow(const std::string& verb, const std::string& path);

  // As an absent CRD: kNotFound.
  void RemoveResource(const std::string& plural);
  void RestoreResource(const std::string& plural);

  [[nodiscard]] std::optional<api::Error> Refusal(std::string_view verb,
                                                  const api::Resource& resource,
                                                  std::string_view subresource) const;

 private:
  [[nodiscard]] api::Result<kube::Answer> List(const kube::Request& request, std::uint64_t cached);
  [[nodiscard]] kube::Answer Page(const kube::Request& request, std::vector<StoredObject> items,
                                  std::uint64_t resource_version);
  [[nodiscard]] api::Result<kube::Answer> Review(const boost::json::value& body) const;

  struct Rest {  // of a paged list
    std::vector<StoredObject> items;
    std::uint64_t resource_version = 0;
  };

  Objects objects_;
  std::set<std::pair<std::string, std::string>> forbidden_;
  std::set<std::string, std::less<>> removed_;
  std::map<std::string, Rest> rests_;  // by continue token
  int page_limit_ = 0;
  std::uint64_t last_token_ = 0;
  std::uint64_t compacted_ = 0;
};

}  // namespace stillpoint::sim
