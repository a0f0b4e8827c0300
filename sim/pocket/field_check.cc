#include "sim/pocket/http_api.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

void Walk(const json::object& schema, const json::value& value, const std::string& path,
          std::vector<std::string>& unknown);

void WalkObject(const json::object& schema, const json::object& object, const std::string& path,
                std::vector<std::string>& unknown) {
  const auto* properties = schema.if_contains("properties");
  const auto* rest = schema.if_contains("additionalProperties");
  const bool open = schema.contains("x-kubernetes-preserve-unknown-fields") || !properties;
  for (const auto& [key, value] : object) {
    const std::string at =
        path.empty() ? std::string(key) : fmt::format("{}.{}", path, std::string_view(key));
    const auto* known = properties ? properties->as_object().if_contains(key) : nullptr;
    if (known) {
      Walk(known->as_object(), value, at, unknown);
    } else if (rest && rest->is_object()) {
      Walk(rest->get_object(), value, at, unknown);
    } else if (!open) {
      unknown.push_back(at);
    }
  }
}

void Walk(const json::object& schema, const json::value& value, const std::string& path,
          std::vector<std::string>& unknown) {
  if (const auto* object = value.if_object()) return WalkObject(schema, *object, path, unknown);
  const auto* items = schema.if_contains("items");
  const auto* list = value.if_array();
  if (!items || !list) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    Walk(items->as_object(), (*list)[i], fmt::format("{}[{}]", path, i), unknown);
  }
}

}  // namespace

std::vector<std::string> FindUnknownFields(const ServedKind& kind, const json::value& body) {
  std::vector<std::string> unknown;
  if (kind.custom) Walk(kind.schema, body, "", unknown);
  return unknown;
}

}  // namespace stillpoint::sim::pocket
