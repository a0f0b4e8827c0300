#include "sim/pocket/event_view.h"

#include "sim/pocket/json_path.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

// Members that only change their name: v1, events.k8s.io/v1.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kRenamed{{
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"count", "deprecatedCount"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"source", "deprecatedSource"},
}};

constexpr std::array<std::string_view, 9> kFields{"involvedObject.kind",
                                                  "involvedObject.namespace",
                                                  "involvedObject.name",
                                                  "involvedObject.uid",
                                                  "involvedObject.apiVersion",
                                                  "metadata.name",
                                                  "metadata.namespace",
                                                  "reason",
                                                  "type"};

void Rename(json::object& object, std::string_view from, std::string_view to) {
  const auto* found = object.if_contains(from);
  if (!found) return;
  json::value value = *found;
  object.erase(from);
  object[to] = std::move(value);
}

}  // namespace

bool IsCoreEvent(const api::Resource& resource) {
  return resource.group.empty() && resource.plural == "events";
}

json::object ToCoreEvent(json::object event) {
  for (const auto& [core, other] : kRenamed) Rename(event, other, core);
  Rename(event, "reportingController", "reportingComponent");
  const std::string instant = TextAt(event, ".series.lastObservedTime");
  const std::string first = TextAt(event, ".eventTime");
  if (!first.empty() && !event.contains("firstTimestamp")) {
    // v1 counts seconds there.
    event["firstTimestamp"] = first.substr(0, 19) + "Z";
    event["lastTimestamp"] = (instant.empty() ? first : instant).substr(0, 19) + "Z";
  }
  if (const auto* count = FindFirst(event, ".series.count")) {
    event["count"] = *count;
  } else if (!event.contains("count")) {
    event["count"] = 1;
  }
  if (!event.contains("source")) {
    event["source"] = json::object{{"component", TextAt(event, ".reportingComponent")}};
  }
  event["apiVersion"] = "v1";
  event["kind"] = "Event";
  return event;
}

json::object FromCoreEvent(json::object event) {
  for (const auto& [core, other] : kRenamed) Rename(event, core, other);
  Rename(event, "reportingComponent", "reportingController");
  event["apiVersion"] = "events.k8s.io/v1";
  return event;
}

api::Result<EventFilter> EventFilter::Parse(const std::string& field_selector) {
  EventFilter filter;
  std::string_view rest = field_selector;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    const auto at = part.find('=');
    const bool unequal = at != std::string_view::npos && at > 0 && part[at - 1] == '!';
    const std::string field(part.substr(0, at == std::string_view::npos ? at : at - unequal));
    if (at == std::string_view::npos || std::ranges::find(kFields, field) == kFields.end()) {
      return api::Error{api::Code::kInvalid, fmt::format("field label not supported: {}", part)};
    }
    const auto value = part.find_first_not_of('=', at);
    (unequal ? filter.unequal_ : filter.equal_)
        .emplace("." + field, value == std::string_view::npos ? "" : part.substr(value));
  }
  return filter;
}

bool EventFilter::Matches(const json::object& event) const {
  const auto has = [&event](const auto& field) {
    return TextAt(event, field.first) == field.second;
  };
  return std::ranges::all_of(equal_, has) && std::ranges::none_of(unequal_, has);
}

}  // namespace stillpoint::sim::pocket
