#include "sim/pocket/watch_feed.h"

#include "kube/watch_words.h"
#include "sim/pocket/status.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using kube::WatchEvent;

namespace {

std::string LineOf(std::string_view type, json::object object) {
  json::object event;
  event["type"] = json::string(type.data(), type.size());
  event["object"] = std::move(object);
  return json::serialize(event) + "\n";
}

}  // namespace

WatchFeed::WatchFeed(WatchCursor cursor, WatchOptions options, std::function<api::Time()> now,
                     std::function<std::string()> version)
    : cursor_(std::move(cursor)),
      options_(std::move(options)),
      now_(std::move(now)),
      version_(std::move(version)) {}

std::optional<std::string> WatchFeed::Next() {
  if (options_.initial && sent_ >= *options_.initial) return EndOfInitial();
  while (!over_) {
    auto seen = cursor_.Take();
    if (!seen) {
      over_ = true;
      return LineOf("ERROR", FailureStatus(seen.error(), options_.path));
    }
    if (!*seen) return std::nullopt;
    ++sent_;
    if (auto line = Line(**seen); !line.empty()) return line;
    if (options_.initial && sent_ >= *options_.initial) return EndOfInitial();
  }
  return std::nullopt;
}

// Empty: this watch does not show it.
std::string WatchFeed::Line(const Seen& seen) {
  if (seen.type == WatchEvent::Type::kBookmark && !options_.bookmarks) return "";
  const kube::WatchEvent event = seen.Event();
  json::object object = *event.object;
  const api::Resource& resource = options_.path.kind->resource;
  if (event.type == WatchEvent::Type::kBookmark) {
    object["kind"] = json::string(resource.kind.data(), resource.kind.size());
    object["apiVersion"] = api::ApiVersion(resource);
  } else if (IsCoreEvent(resource)) {
    object = ToCoreEvent(std::move(object));
    if (options_.event_filter && !options_.event_filter->Matches(object)) return "";
  }
  return Shown(kube::ToWord(event.type), std::move(object));
}

std::string WatchFeed::EndOfInitial() {
  options_.initial.reset();
  return Bookmark({{"k8s.io/initial-events-end", "true"}});
}

std::string WatchFeed::Farewell() const {
  return options_.bookmarks ? Bookmark({}) : "";
}

std::string WatchFeed::Bookmark(json::object annotations) const {
  const api::Resource& resource = options_.path.kind->resource;
  json::object metadata{{"resourceVersion", version_()}};
  if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
  return Shown("BOOKMARK", {{"kind", json::string(resource.kind.data(), resource.kind.size())},
                            {"apiVersion", api::ApiVersion(resource)},
                            {"metadata", std::move(metadata)}});
}

std::string WatchFeed::Shown(std::string_view type, json::object object) const {
  if (!options_.as_table) return LineOf(type, std::move(object));
  const json::value version = object.at("metadata").at("resourceVersion");
  json::array objects;
  if (type == "BOOKMARK") {
    // A bookmark has no cells; its row carries the metadata.
    json::object table = MakePrintTable(*options_.path.kind, {}, options_.row_object, now_());
    table["rows"] = json::array{json::object{{"cells", json::array()}, {"object", object}}};
    return LineOf(type, std::move(table));
  }
  objects.push_back(std::move(object));
  json::object table = MakePrintTable(*options_.path.kind, objects, options_.row_object, now_());
  table["metadata"] = json::object{{"resourceVersion", version}};
  return LineOf(type, std::move(table));
}

}  // namespace stillpoint::sim::pocket
