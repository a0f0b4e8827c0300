#include "contract/support/yaml.h"

#include <yaml-cpp/yaml.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <string>

namespace stillpoint::contract {

namespace json = boost::json;

namespace {

// The core schema of YAML 1.2, as far as manifests need it. A quoted scalar has the tag "!".
Json Scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return Json(text);
  std::int64_t number = 0;
  if (YAML::convert<std::int64_t>::decode(node, number)) return number;
  if (text == "true" || text == "false") return text == "true";
  return Json(text);
}

Json ToJson(const YAML::Node& node) {
  if (node.IsScalar()) return Scalar(node);
  if (node.IsSequence()) {
    json::array array;
    for (const auto& element : node) array.push_back(ToJson(element));
    return array;
  }
  if (node.IsMap()) {
    json::object object;
    for (const auto& member : node) object[member.first.Scalar()] = ToJson(member.second);
    return object;
  }
  return nullptr;
}

}  // namespace

Json ReadYaml(const std::filesystem::path& file) {
  return ToJson(YAML::LoadFile(file));
}

}  // namespace stillpoint::contract
