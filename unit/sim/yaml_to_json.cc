#include "unit/sim/yaml_to_json.h"

#include <yaml-cpp/yaml.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

json::value Scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return json::string(text);
  if (std::int64_t number = 0; YAML::convert<std::int64_t>::decode(node, number)) return number;
  if (double number = 0; YAML::convert<double>::decode(node, number)) return number;
  if (text == "true" || text == "false") return text == "true";
  return json::string(text);
}

json::value Convert(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      return nullptr;
    case YAML::NodeType::Scalar:
      return Scalar(node);
    case YAML::NodeType::Sequence: {
      json::array out;
      for (const auto& item : node) out.push_back(Convert(item));
      return out;
    }
    case YAML::NodeType::Map: {
      json::object out;
      for (const auto& member : node) out[member.first.Scalar()] = Convert(member.second);
      return out;
    }
  }
  return nullptr;
}

}  // namespace

json::value YamlToJson(const std::string& text) {
  return Convert(YAML::Load(text));
}

}  // namespace stillpoint::sim
