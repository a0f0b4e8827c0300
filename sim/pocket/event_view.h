// EventView: one Event under its two names, v1 (involvedObject, message) and events.k8s.io/v1
// (regarding, note). The cluster stores the second form; kubectl reads the first.
//
// Source of truth: kubernetes/pkg/apis/events/v1/conversion.go.
#pragma once

#include "api/error.h"
#include "api/resource.h"

#include <boost/json/object.hpp>

#include <map>
#include <string>

namespace stillpoint::sim::pocket {

[[nodiscard]] bool IsCoreEvent(const api::Resource& resource);

[[nodiscard]] boost::json::object ToCoreEvent(boost::json::object event);
[[nodiscard]] boost::json::object FromCoreEvent(boost::json::object event);

// A field selector on v1 Events, such as involvedObject.name=shop-1,type!=Normal.
class EventFilter {
 public:
  // Errors: kInvalid.
  [[nodiscard]] static api::Result<EventFilter> Parse(const std::string& field_selector);

  // `event` in its v1 form.
  [[nodiscard]] bool Matches(const boost::json::object& event) const;

 private:
  std::multimap<std::string, std::string> equal_;
  std::multimap<std::string, std::string> unequal_;
};

}  // namespace stillpoint::sim::pocket
