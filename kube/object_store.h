// ObjectStore: the memory of an informer, for objects of one kind. Not a template: Informer<T> in
// informer.h gives it its types.
//
// It never goes backwards. Three sources tell it about an object: a list, the watch that follows
// it, and our own writes (Observe), which are ahead of the watch. Versions are opaque and cannot be
// ordered, so what is newer is known from where it came from:
//   - a watch tells every change after its list, in order. After our own write it first repeats
//     what we have passed already: until it shows our version, it is not listened to. One that
//     was silent for minutes may repeat it that late; when in doubt, only a new list can tell.
//   - a list that began after a write knows of it. One that was under way may not: it is done
//   again.
//   - an object that was deleted does not come back with the same UID: a late answer to our write
//     is dropped.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/log.h"

#include <boost/json/object.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stillpoint::kube {

// An object that the API server has and that we cannot read.
struct Undecodable {
  api::NamespacedName key;
  std::string uid;
  std::string resource_version;
  api::Error error;
};

// Threads: the loop.
// Errors: none; what cannot be read is reported and logged, and its last readable version stays.
class ObjectStore {
 public:
  using Object = std::shared_ptr<const void>;
  using Objects = std::map<api::NamespacedName, Object>;

  // How to read one kind.
  struct Type {
    api::Result<Object> (*decode)(const boost::json::object& from);
    const api::ObjectMeta& (*metadata)(const void* object);
  };

  // `old` is null for a new object, `now` for one that is gone. Both have the same UID.
  using ChangeHandler =
      std::function<void(const api::NamespacedName&, const void* old, const void* now)>;
  using UndecodableHandler = std::function<void(const Undecodable&)>;

  // `what` names the resource in the log.
  ObjectStore(Type type, Clock& clock, LogFn log, std::string what);

  // Handlers run after the store has changed, in the order of their registration. They may read
  // the store and call Observe(). An exception is logged.
  void OnChange(ChangeHandler handler) { change_handlers_.push_back(std::move(handler)); }
  void OnUndecodable(UndecodableHandler handler) {
    undecodable_handlers_.push_back(std::move(handler));
  }

  // A complete list: Begin, each item, End. What it lacks is gone. End gives false, and has changed
  // nothing, if one of our own writes came during the list and the list shows another version; with
  // `force` it takes the list all the same.
  void BeginList();
  void AddListed(const boost::json::object& item);
  [[nodiscard]] bool EndList(bool force);

  // False, and nothing has changed: the watch has not shown a write of ours for so long that it may
  // never do so, and whether this event is older cannot be known. A new list is needed.
  // REQUIRES: events of one unbroken watch from the last list on; no bookmark.
  [[nodiscard]] bool Apply(const WatchEvent& event);

  // The answer to a write of ours to the version `read_version` (empty: we created it). False: the
  // store holds another version than that, and will learn of the write through the watch.
  bool Observe(Object now, const std::string& read_version);

  [[nodiscard]] Object Find(const api::NamespacedName& key) const;
  [[nodiscard]] const Objects& objects() const { return objects_; }
  [[nodiscard]] std::size_t undecodable() const { return undecodable_; }  // so far

 private:
  struct Pending {  // a write of ours that the watch has not shown yet
    std::string version;
    Clock::Steady since;
  };
  struct Change {
    api::NamespacedName key;
    Object old;
    Object now;
  };

  [[nodiscard]] const api::ObjectMeta& MetadataOf(const Object& object) const;
  [[nodiscard]] bool SameUid(const Object& a, const Object& b) const;
  enum class Age { kNews, kPassed, kUnknown };
  [[nodiscard]] Age AgeOf(const api::NamespacedName& key, const std::string& version);
  [[nodiscard]] Object Decode(const boost::json::object& from, const api::ObjectMeta& metadata);
  [[nodiscard]] std::vector<Change> TakeStaged();
  void Remove(const api::NamespacedName& key, const std::string& uid);
  void Replace(const api::NamespacedName& key, Object now);
  void Bury(std::string uid);
  void Notify(const Change& change) const;
  void NotifyAs(const api::NamespacedName& key, const void* old, const void* now) const;
  void Report(const Undecodable& object);
  void Guard(const api::NamespacedName& key, const std::function<void()>& call) const;

  const Type type_;
  Clock& clock_;
  const LogFn log_;
  const std::string what_;
  std::vector<ChangeHandler> change_handlers_;
  std::vector<UndecodableHandler> undecodable_handlers_;
  Objects objects_;
  std::map<api::NamespacedName, Pending> pending_;
  std::deque<std::string> graves_;  // UIDs of the last objects that were deleted
  std::size_t undecodable_ = 0;

  // Of the list under way.
  Objects staged_;
  std::set<api::NamespacedName> observed_;
};

}  // namespace stillpoint::kube
