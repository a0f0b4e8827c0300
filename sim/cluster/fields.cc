#include "sim/cluster/fields.h"

#include "api/quantity.h"
#include "api/time.h"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace stillpoint::sim {

namespace json = boost::json;

const json::value* At(const json::object& object, Path path) {
  const json::object* at = &object;
  const json::value* value = nullptr;
  for (const std::string_view member : path) {
    if (at == nullptr) return nullptr;
    value = at->if_contains(member);
    if (value == nullptr) return nullptr;
    at = value->if_object();
  }
  return value;
}

std::string_view Text(const json::object& object, Path path) {
  const auto* value = At(object, path);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

std::int64_t Int(const json::object& object, Path path, std::int64_t otherwise) {
  const auto* value = At(object, path);
  if (value == nullptr || !value->is_number()) return otherwise;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? otherwise : number;
}

bool Flag(const json::object& object, Path path) {
  const auto* value = At(object, path);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::array* List(const json::object& object, Path path) {
  const auto* value = At(object, path);
  return value != nullptr ? value->if_array() : nullptr;
}

const json::object* Map(const json::object& object, Path path) {
  const auto* value = At(object, path);
  return value != nullptr ? value->if_object() : nullptr;
}

json::object& Into(json::object& object, Path path) {
  json::object* at = &object;
  for (const std::string_view member : path) {
    auto& value = (*at)[member];
    if (!value.is_object()) value = json::object();
    at = &value.get_object();
  }
  return *at;
}

// ---- metadata ---------------------------------------------------------------------------------

std::string UidOf(const json::object& object) {
  return std::string(Text(object, {"metadata", "uid"}));
}

std::string_view Annotation(const json::object& object, std::string_view key) {
  return Text(object, {"metadata", "annotations", key});
}

void SetAnnotation(json::object& object, std::string_view key, std::string_view value) {
  Into(object, {"metadata", "annotations"})[key] = value;
}

void RemoveAnnotation(json::object& object, std::string_view key) {
  if (Map(object, {"metadata", "annotations"}) == nullptr) return;
  Into(object, {"metadata", "annotations"}).erase(key);
}

bool HasFinalizer(const json::object& object, std::string_view finalizer) {
  const auto* list = List(object, {"metadata", "finalizers"});
  return list != nullptr && std::ranges::any_of(*list, [&](const json::value& item) {
           return item.is_string() && std::string_view(item.get_string()) == finalizer;
         });
}

void AddFinalizer(json::object& object, std::string_view finalizer) {
  if (HasFinalizer(object, finalizer)) return;
  auto& list = Into(object, {"metadata"})["finalizers"];
  if (!list.is_array()) list = json::array();
  list.get_array().emplace_back(finalizer);
}

void RemoveFinalizer(json::object& object, std::string_view finalizer) {
  const auto* list = List(object, {"metadata", "finalizers"});
  if (list == nullptr) return;
  json::array kept;
  for (const auto& item : *list) {
    if (!item.is_string() || std::string_view(item.get_string()) != finalizer) kept.push_back(item);
  }
  auto& metadata = Into(object, {"metadata"});
  if (kept.empty()) {
    metadata.erase("finalizers");
  } else {
    metadata["finalizers"] = std::move(kept);
  }
}

std::string ControllerOf(const json::object& object) {
  const auto* owners = List(object, {"metadata", "ownerReferences"});
  if (owners == nullptr) return "";
  for (const auto& owner : *owners) {
    if (owner.is_object() && Flag(owner.get_object(), {"controller"})) {
      return std::string(Text(owner.get_object(), {"uid"}));
    }
  }
  return "";
}

json::object ControllerReference(const json::object& owner) {
  return {{"apiVersion", Text(owner, {"apiVersion"})},
          {"kind", Text(owner, {"kind"})},
          {"name", Text(owner, {"metadata", "name"})},
          {"uid", Text(owner, {"metadata", "uid"})},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

// ---- values -----------------------------------------------------------------------------------

namespace {

constexpr std::uint64_t kOffset = 14695981039346656037U;  // FNV-1a
constexpr std::uint64_t kPrime = 1099511628211U;

}  // namespace

std::string Seconds(api::Time time) {
  return api::FormatTime(std::chrono::floor<std::chrono::seconds>(time));
}

std::int64_t Bytes(std::string_view quantity) {
  const auto parsed = api::Quantity::Parse(quantity);
  return parsed ? parsed->bytes() : 0;
}

std::uint64_t HashOfText(std::string_view text) {
  std::uint64_t hash = kOffset;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return hash;
}

std::uint64_t HashOf(const json::value& value) {
  if (const auto* object = value.if_object()) return HashOf(*object);
  if (const auto* string = value.if_string()) return HashOfText(*string);
  const auto* array = value.if_array();
  if (array == nullptr) return HashOfText(json::serialize(value)) + 1;
  std::uint64_t hash = kOffset;
  for (const auto& item : *array) hash = (hash ^ HashOf(item)) * kPrime;
  return hash;
}

// A sum: the order of the members is no part of it.
std::uint64_t HashOf(const json::object& object) {
  std::uint64_t sum = kPrime;
  for (const auto& [key, value] : object) {
    const std::uint64_t member = (HashOfText(key) ^ HashOf(value) * kOffset) * kPrime;
    sum += member ^ (member >> 31U);
  }
  return sum;
}

std::string ShortHash(std::uint64_t hash) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";  // as rand.SafeEncodeString
  std::string name;
  for (int i = 0; i < 10; ++i) {
    name += kAlphabet[hash % kAlphabet.size()];
    hash /= kAlphabet.size();
  }
  return name;
}

void SetStatusCondition(json::object& object, std::string_view type, bool status,
                        std::string_view reason, std::string_view message, api::Time now) {
  auto& list = Into(object, {"status"})["conditions"];
  if (!list.is_array()) list = json::array();
  const std::string_view word = status ? "True" : "False";
  json::object condition{{"type", type}, {"status", word}};
  if (!reason.empty()) condition["reason"] = reason;
  if (!message.empty()) condition["message"] = message;
  condition["lastTransitionTime"] = Seconds(now);
  for (auto& item : list.get_array()) {
    if (!item.is_object() || Text(item.get_object(), {"type"}) != type) continue;
    if (Text(item.get_object(), {"status"}) == word) {
      condition["lastTransitionTime"] = Text(item.get_object(), {"lastTransitionTime"});
    }
    item = std::move(condition);
    return;
  }
  list.get_array().push_back(std::move(condition));
}

std::string_view ConditionStatus(const json::object& object, std::string_view type) {
  const auto* list = List(object, {"status", "conditions"});
  if (list == nullptr) return {};
  for (const auto& item : *list) {
    if (item.is_object() && Text(item.get_object(), {"type"}) == type) {
      return Text(item.get_object(), {"status"});
    }
  }
  return {};
}

}  // namespace stillpoint::sim
