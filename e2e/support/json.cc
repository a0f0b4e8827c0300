#include "e2e/support/json.h"

#include <boost/json/serialize.hpp>

#include <fmt/format.h>

namespace stillpoint::e2e {
namespace {

const boost::json::value* At(const boost::json::value& object, std::string_view pointer) {
  boost::system::error_code error;
  return object.find_pointer(pointer, error);
}

void Print(const boost::json::value& value, std::size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      const bool nested = member.is_object() || member.is_array();
      out += fmt::format("\n{}{}:{}", margin, std::string_view(key), nested ? "" : " ");
      Print(member, indent + 2, out);
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& member : *array) {
      out += fmt::format("\n{}- ", margin);
      Print(member, indent + 2, out);
    }
  } else {
    out += boost::json::serialize(value);
  }
}

}  // namespace

std::string Text(const boost::json::value& object, std::string_view pointer) {
  const boost::json::value* found = At(object, pointer);
  if (found == nullptr || found->is_null()) return {};
  if (const auto* text = found->if_string()) return std::string(*text);
  return boost::json::serialize(*found);
}

std::vector<boost::json::value> List(const boost::json::value& object, std::string_view pointer) {
  const boost::json::value* found = At(object, pointer);
  if (found == nullptr || !found->is_array()) return {};
  return {found->get_array().begin(), found->get_array().end()};
}

boost::json::value Condition(const boost::json::value& object, std::string_view type) {
  for (boost::json::value& condition : List(object, "/status/conditions")) {
    if (Text(condition, "/type") == type) return condition;
  }
  return nullptr;
}

std::string Pretty(boost::json::value object) {
  if (auto* metadata = object.is_object() ? object.get_object().if_contains("metadata") : nullptr) {
    metadata->as_object().erase("managedFields");
  }
  std::string out;
  Print(object, 0, out);
  return out;
}

}  // namespace stillpoint::e2e
