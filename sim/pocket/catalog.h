// Catalog: the kinds that the embedded cluster serves, and what kubectl wants to know of each.
#pragma once

#include "api/meta.h"
#include "api/resource.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim::pocket {

// A column of `kubectl get`. Priority 1 shows with -o wide only.
struct Column {
  std::string name;
  std::string type = "string";
  std::string format;
  int priority = 0;
  std::function<boost::json::value(const boost::json::object& object, api::Time now)> cell;
};

struct ServedKind {
  api::Resource resource;
  std::string singular;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool has_status = false;
  bool has_scale = false;
  bool custom = false;          // defined by a CRD
  boost::json::object schema;   // OpenAPI v3
  std::vector<Column> columns;  // between NAME and the end
};

// Every kind: those of Kubernetes that Stillpoint meets, and those of its CRDs. Built on first use,
// never changes.
[[nodiscard]] const std::vector<ServedKind>& Catalog();

// Null when there is none.
[[nodiscard]] const ServedKind* FindKind(std::string_view group, std::string_view version,
                                         std::string_view plural);

}  // namespace stillpoint::sim::pocket
