// Event: what happened to an object, for people. Source of truth: k8s.io/api/events/v1.
#pragma once

#include "api/core.h"
#include "api/meta.h"
#include "api/resource.h"
#include "api/time.h"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace stillpoint::api {

// How often the same thing happened again.
struct EventSeries {
  std::int32_t count = 0;
  MicroTime last_observed_time;
  bool operator==(const EventSeries&) const = default;
};
BOOST_DESCRIBE_STRUCT(EventSeries, (), (count, last_observed_time))

struct Event {
  static constexpr Resource kResource{"events.k8s.io", "v1", "Event", "events"};

  ObjectMeta metadata;
  MicroTime event_time;
  std::optional<EventSeries> series;
  std::string reporting_controller;  // backups.example.com/stillpoint
  std::string reporting_instance;    // at most 128 characters
  std::string action;                // at most 128 characters
  std::string reason;                // at most 128 characters
  ObjectReference regarding;
  std::optional<ObjectReference> related;
  std::string note;  // at most 1024 bytes
  std::string type;  // Normal, Warning
  bool operator==(const Event&) const = default;
};
BOOST_DESCRIBE_STRUCT(Event, (),
                      (metadata, event_time, series, reporting_controller, reporting_instance,
                       action, reason, regarding, related, note, type))

}  // namespace stillpoint::api
