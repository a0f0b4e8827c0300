// Resource: where a kind lives in the API, as its URL and its list need it.
#pragma once

#include <string>
#include <string_view>

namespace stillpoint::api {

struct Resource {
  std::string_view group;  // empty for the core group
  std::string_view version;
  std::string_view kind;
  std::string_view plural;
  bool namespaced = true;
  bool operator==(const Resource&) const = default;
};

// "group/version", of the core group "version".
[[nodiscard]] inline std::string ApiVersion(const Resource& resource) {
  std::string text(resource.group);
  if (!text.empty()) text += '/';
  return text += resource.version;
}

// Every object struct `T` names its resource as `T::kResource`.
template <class T>
concept Object = requires(const T& t) {
  T::kResource.plural;
  t.metadata.name;
};

}  // namespace stillpoint::api
