#include "sim/cluster/watch_cursor.h"

#include <boost/json/object.hpp>

#include <string>

namespace stillpoint::sim {

namespace json = boost::json;
using Type = kube::WatchEvent::Type;

kube::WatchEvent Seen::Event() const {
  if (object && type != Type::kDeleted) return {type, object};
  // A deletion is a change too: the last state, with the version of the deletion.
  json::object shown = object ? *object : json::object{{"metadata", json::object()}};
  shown["metadata"].as_object()["resourceVersion"] = std::to_string(resource_version);
  return {type, std::make_shared<const json::object>(std::move(shown))};
}

WatchCursor::WatchCursor(Objects& objects, const api::Resource& resource, Selector selector)
    : table_(&objects.TableOf(resource)),
      selector_(std::move(selector)),
      initial_(objects.List(resource, selector_)),
      next_(table_->end()) {}

WatchCursor::WatchCursor(Objects& objects, const api::Resource& resource, Selector selector,
                         std::uint64_t version)
    : table_(&objects.TableOf(resource)),
      selector_(std::move(selector)),
      next_(table_->After(version)) {}

api::Result<std::optional<Seen>> WatchCursor::Take(std::uint64_t visible) {
  if (next_initial_ < initial_.size()) {
    return Seen{.type = Type::kAdded, .object = std::move(initial_[next_initial_++])};
  }
  while (next_ < table_->end()) {
    const Change* change = table_->At(next_);
    if (!change) return api::Error{api::Code::kExpired, "too old resource version"};
    if (change->resource_version > visible) break;
    ++next_;
    if (auto seen = See(*change)) return seen;
  }
  return std::optional<Seen>();
}

// The change as this watch's selector shows it.
std::optional<Seen> WatchCursor::See(const Change& change) const {
  const std::uint64_t version = change.resource_version;
  if (!change.before && !change.now) return Seen{Type::kBookmark, version, nullptr};
  const bool before = change.before && selector_.Matches(*change.before);
  const bool now = change.now && selector_.Matches(*change.now);
  if (now) return Seen{before ? Type::kModified : Type::kAdded, version, change.now};
  if (!before) return std::nullopt;
  return Seen{Type::kDeleted, version, change.before};
}

}  // namespace stillpoint::sim
