// WatchFeed: an open watch as the lines of JSON that go to the client.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "sim/cluster/watch_cursor.h"
#include "sim/pocket/event_view.h"
#include "sim/pocket/print_table.h"
#include "sim/pocket/request_path.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace stillpoint::sim::pocket {

struct WatchOptions {
  RequestPath path;
  std::chrono::seconds lifetime{};
  bool bookmarks = false;
  // The objects that are there now come first; after so many lines a bookmark says so.
  std::optional<std::size_t> initial;
  bool as_table = false;
  RowObject row_object = RowObject::kMetadata;
  std::optional<EventFilter> event_filter;  // of v1 Events
};

// Threads: one. Lifetime: as WatchCursor.
class WatchFeed {
 public:
  WatchFeed(WatchCursor cursor, WatchOptions options, std::function<api::Time()> now,
            std::function<std::string()> version);

  // The next line, with its end; empty: nothing new yet.
  [[nodiscard]] std::optional<std::string> Next();

  // What the server says last when it ends the watch in its time, all that happened being told: a
  // bookmark, if those are wanted.
  [[nodiscard]] std::string Farewell() const;

  // After it the server ends the watch.
  [[nodiscard]] std::chrono::seconds lifetime() const { return options_.lifetime; }

  // The watch has ended with an error, which the last line has told.
  [[nodiscard]] bool over() const { return over_; }

 private:
  [[nodiscard]] std::string Line(const Seen& seen);
  [[nodiscard]] std::string EndOfInitial();
  [[nodiscard]] std::string Bookmark(boost::json::object annotations) const;
  [[nodiscard]] std::string Shown(std::string_view type, boost::json::object object) const;

  WatchCursor cursor_;
  WatchOptions options_;
  std::function<api::Time()> now_;
  std::function<std::string()> version_;
  std::size_t sent_ = 0;
  bool over_ = false;
};

}  // namespace stillpoint::sim::pocket
