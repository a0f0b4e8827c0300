// Table: the objects of one kind as the model cluster stores them, and the changes that led there.
// Objects are immutable and shared: store, history, lists and watches hold the same one.
#pragma once

#include "api/meta.h"
#include "api/resource.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace stillpoint::sim {

using StoredObject = std::shared_ptr<const boost::json::object>;

// One change, as watches see it. Both null: a bookmark.
struct Change {
  std::uint64_t resource_version = 0;
  StoredObject before;  // null: created
  StoredObject now;     // null: deleted
};

// What was applied, by field manager and subresource.
using AppliedFields = std::map<std::string, boost::json::value>;

struct Entry {
  StoredObject object;
  AppliedFields applied;
};

class Table {
 public:
  using Entries = std::map<api::NamespacedName, Entry>;

  explicit Table(const api::Resource& resource)
      : group_(resource.group),
        version_(resource.version),
        kind_(resource.kind),
        plural_(resource.plural),
        resource_{group_, version_, kind_, plural_, resource.namespaced} {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  [[nodiscard]] const api::Resource& resource() const { return resource_; }

  void Add(Change change) { history_.push_back(std::move(change)); }

  // Forgets the oldest changes until `keep` are left.
  void Trim(std::size_t keep) {
    for (; history_.size() > keep; history_.pop_front(), ++first_) {
      forgotten_ = history_.front().resource_version;
    }
  }

  // The number of the change after the newest; numbers begin at 0 and stay.
  [[nodiscard]] std::uint64_t end() const { return first_ + history_.size(); }

  // Null: forgotten, or not there yet.
  [[nodiscard]] const Change* At(std::uint64_t number) const {
    return number < first_ || number >= end() ? nullptr : &history_[number - first_];
  }

  // The number of the first change after this version.
  [[nodiscard]] std::uint64_t After(std::uint64_t version) const;

  // The version of the newest change that is forgotten.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

  Entries entries;

 private:
  // Constant after construction. The resource that a caller names may not live as long.
  const std::string group_;
  const std::string version_;
  const std::string kind_;
  const std::string plural_;
  const api::Resource resource_;

  std::deque<Change> history_;
  std::uint64_t first_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace stillpoint::sim
