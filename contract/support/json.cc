#include "contract/support/json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <stdexcept>

namespace stillpoint::contract {

namespace json = boost::json;

namespace {

const Json* At(const Json& value, std::string_view pointer) {
  boost::system::error_code absent;
  return value.find_pointer(pointer, absent);
}

}  // namespace

Json Parse(std::string_view text) {
  boost::system::error_code error;
  Json value = json::parse(text, error);
  if (error) throw std::runtime_error("no JSON: " + std::string(text));
  return value;
}

std::string ToText(const Json& value) {
  return json::serialize(value);
}

bool Has(const Json& value, std::string_view pointer) {
  return At(value, pointer) != nullptr;
}

std::string Text(const Json& value, std::string_view pointer) {
  const Json* found = At(value, pointer);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

std::int64_t Number(const Json& value, std::string_view pointer) {
  const Json* found = At(value, pointer);
  return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

bool Flag(const Json& value, std::string_view pointer) {
  const Json* found = At(value, pointer);
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::vector<Json> Elements(const Json& value, std::string_view pointer) {
  const Json* found = At(value, pointer);
  if (found == nullptr || !found->is_array()) return {};
  return {found->get_array().begin(), found->get_array().end()};
}

std::vector<std::string> Texts(const Json& value, std::string_view pointer) {
  std::vector<std::string> texts;
  for (const Json& element : Elements(value, pointer)) texts.push_back(Text(element, ""));
  return texts;
}

boost::json::array List(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

std::string NameOf(const Json& object) {
  return Text(object, "/metadata/name");
}

std::string UidOf(const Json& object) {
  return Text(object, "/metadata/uid");
}

std::string VersionOf(const Json& object) {
  return Text(object, "/metadata/resourceVersion");
}

std::int64_t GenerationOf(const Json& object) {
  return Number(object, "/metadata/generation");
}

std::string ConditionOf(const Json& object, std::string_view type) {
  for (const Json& condition : Elements(object, "/status/conditions")) {
    if (Text(condition, "/type") == type) return Text(condition, "/status");
  }
  return "";
}

}  // namespace stillpoint::contract
