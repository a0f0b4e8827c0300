// EventCorrelator: what of all that happens is written as an Event, so that people see each thing
// once with a count, and a loop gone wild floods nobody. Pure: no I/O, time is a parameter.
//
// Contract: events.k8s.io/v1, and of client-go the series (tools/events) and the spam filter
// (tools/record).
#pragma once

#include "api/core.h"
#include "api/event.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/clock.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::kube {

enum class EventType { kNormal, kWarning };

// Something that happened, before anyone has decided whether it becomes an Event.
struct Occurrence {
  EventType type = EventType::kNormal;
  api::ObjectReference regarding;  // whose Event it is
  std::string reason;              // CamelCase
  std::string action;              // what was being done; empty: as the reason
  std::string note;                // a sentence
  std::optional<api::ObjectReference> related = std::nullopt;
};

// By UID, without a version: an Event is about the object, not about one state of it.
template <api::Object T>
[[nodiscard]] api::ObjectReference ReferenceTo(const T& object) {
  std::string version(T::kResource.version);
  if (!T::kResource.group.empty()) version = std::string(T::kResource.group) + "/" + version;
  return {.api_version = std::move(version),
          .kind = std::string(T::kResource.kind),
          .ns = object.metadata.ns,
          .name = object.metadata.name,
          .uid = object.metadata.uid};
}

// At most `limit` bytes, cut between two characters and then ended by "...". What is no UTF-8
// becomes '?', as the API server would refuse the whole Event. REQUIRES: limit >= 3.
[[nodiscard]] std::string BoundedText(std::string_view text, std::size_t limit);

// Threads: none of its own.
class EventCorrelator {
 public:
  struct Write {
    enum class Kind { kCreate, kSeries };  // kSeries: only `event.series` is new
    Kind kind = Kind::kCreate;
    api::Event event;
  };

  // `identity`: reportingInstance of every Event.
  explicit EventCorrelator(std::string identity);

  // What to write now; nothing for a repetition that can wait, or beyond the limit of its object.
  [[nodiscard]] std::optional<Write> Record(const Occurrence& occurrence, api::Time wall,
                                            Clock::Steady now);

  // The series whose counts have waited long enough, and when the next one will have.
  [[nodiscard]] std::vector<Write> Due(Clock::Steady now);
  [[nodiscard]] std::optional<Clock::Steady> NextDue() const;

  // Every count that is not written yet.
  [[nodiscard]] std::vector<Write> Flush();

  // How many were dropped by the limit.
  [[nodiscard]] std::size_t suppressed() const { return suppressed_; }

 private:
  struct Key {
    std::string object;
    std::string related;
    EventType type;
    std::string reason;
    std::string action;
    std::string note;
    auto operator<=>(const Key&) const = default;
  };
  struct Series {
    api::Event event;
    int count = 1;
    int written = 1;  // the count that was written last
    Clock::Steady seen;
    Clock::Steady written_at;
  };
  struct Bucket {
    double tokens;
    Clock::Steady at;
  };

  [[nodiscard]] std::optional<Write> Repeat(Series& series, api::Time wall, Clock::Steady now);
  [[nodiscard]] bool TakeToken(const std::string& object, Clock::Steady now);
  [[nodiscard]] api::Event NewEvent(const Occurrence& occurrence, api::Time wall);
  void DropOld(Clock::Steady now);

  const std::string identity_;
  std::map<Key, Series> series_;
  std::map<std::string, Bucket> buckets_;  // by object
  std::size_t suppressed_ = 0;
  std::uint64_t last_suffix_ = 0;
};

}  // namespace stillpoint::kube
