// ApiServer: the API of the model cluster without a transport: one call, one effect, one answer.
// The simulator's client, the unit tests' fake and the embedded cluster's HTTPS server put a
// transport of theirs around it.
//
// What it does is what the real one does (semantics of objects in objects.h, patches in patch.h,
// selectors in selector.h): versions, generations, conflicts, finalizers, the status subresource,
// paged lists, watches that resume and expire.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/client.h"
#include "sim/cluster/objects.h"
#include "sim/cluster/selector.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
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

// "get", "list", "create", "patch", "delete", as RBAC says it.
[[nodiscard]] std::string VerbName(kube::Verb verb);

// The place of one watch in the history of all objects. Plain data: who holds it polls it whenever
// there is something new.
class WatchCursor {
 public:
  // The next event that this watch shows of the first `visible` changes; empty: none yet.
  [[nodiscard]] std::optional<kube::WatchEvent> Take(const std::vector<Change>& changes,
                                                     std::size_t visible);

  [[nodiscard]] std::string_view plural() const { return resource_.plural; }

 private:
  friend class ApiServer;
  WatchCursor(api::Resource resource, Selector selector)
      : resource_(resource), selector_(std::move(selector)) {}

  [[nodiscard]] std::optional<kube::WatchEvent> See(const Change& change) const;

  api::Resource resource_;
  Selector selector_;
  std::vector<boost::json::object> initial_;
  std::size_t next_initial_ = 0;
  std::size_t next_ = 0;
};

// Threads: one.
class ApiServer {
 public:
  explicit ApiServer(std::function<api::Time()> now) : objects_(std::move(now)) {}

  // Errors: as kube::Client says, but for those of a network.
  [[nodiscard]] api::Result<boost::json::value> Answer(const kube::Request& request);

  // Errors: kExpired for a version before the last Compact(), kForbidden, kNotFound, kInvalid.
  [[nodiscard]] api::Result<WatchCursor> OpenWatch(const kube::WatchRequest& request) const;

  // What is stored. Writes through it are those of the cluster itself: no admission, no rights.
  [[nodiscard]] Objects& objects() { return objects_; }
  [[nodiscard]] const Objects& objects() const { return objects_; }

  // A watch that would go on from before now gives kExpired, and so does every continue token.
  void Compact();

  // As a role that lacks this: kForbidden. `verb` as VerbName, or "watch"; `path` as "pods/exec".
  void Forbid(const std::string& verb, const std::string& path);
  void Allow(const std::string& verb, const std::string& path);

  // As an absent CRD: kNotFound.
  void RemoveResource(const std::string& plural);
  void RestoreResource(const std::string& plural);

  [[nodiscard]] std::optional<api::Error> Refusal(const std::string& verb,
                                                  const api::Resource& resource,
                                                  const std::string& subresource) const;

 private:
  [[nodiscard]] api::Result<boost::json::value> List(const kube::Request& request);
  [[nodiscard]] boost::json::value Page(const kube::Request& request,
                                        std::vector<boost::json::object> items,
                                        std::uint64_t resource_version);
  [[nodiscard]] api::Result<boost::json::value> Review(const boost::json::value& body) const;

  struct Rest {  // of a paged list
    std::vector<boost::json::object> items;
    std::uint64_t resource_version = 0;
  };

  Objects objects_;
  std::set<std::pair<std::string, std::string>> forbidden_;
  std::set<std::string, std::less<>> removed_;
  std::map<std::string, Rest> rests_;  // by continue token
  std::uint64_t last_token_ = 0;
  std::uint64_t compacted_ = 0;
};

}  // namespace stillpoint::sim
