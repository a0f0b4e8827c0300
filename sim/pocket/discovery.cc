#include "sim/pocket/discovery.h"

#include "sim/pocket/catalog.h"
#include "sim/pocket/openapi.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

constexpr std::string_view kKubernetesVersion = "v1.36.0+stillpoint";

json::array Texts(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

json::object Version() {
  return {{"major", "1"},    {"minor", "36"},       {"gitVersion", kKubernetesVersion},
          {"gitCommit", ""}, {"gitTreeState", ""},  {"buildDate", "2026-01-01T00:00:00Z"},
          {"goVersion", ""}, {"compiler", "clang"}, {"platform", "linux/amd64"}};
}

json::object GroupOf(const api::Resource& resource) {
  const json::object version{{"groupVersion", api::ApiVersion(resource)},
                             {"version", resource.version}};
  return {
      {"name", resource.group}, {"versions", json::array{version}}, {"preferredVersion", version}};
}

json::object Groups() {
  json::array groups;
  std::vector<std::string_view> seen{""};
  for (const ServedKind& kind : Catalog()) {
    if (std::ranges::find(seen, kind.resource.group) != seen.end()) continue;
    seen.push_back(kind.resource.group);
    groups.push_back(GroupOf(kind.resource));
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

std::optional<json::object> Group(std::string_view group) {
  for (const ServedKind& kind : Catalog()) {
    if (kind.resource.group != group) continue;
    json::object document = GroupOf(kind.resource);
    document["kind"] = "APIGroup";
    document["apiVersion"] = "v1";
    return document;
  }
  return std::nullopt;
}

json::object Entry(const ServedKind& kind) {
  static const std::vector<std::string> kVerbs{"create", "delete", "deletecollection", "get",
                                               "list",   "patch",  "update",           "watch"};
  const bool review = kind.resource.plural == "selfsubjectaccessreviews";
  json::object entry{{"name", kind.resource.plural},
                     {"singularName", kind.singular},
                     {"namespaced", kind.resource.namespaced},
                     {"kind", kind.resource.kind},
                     {"verbs", Texts(review ? std::vector<std::string>{"create"} : kVerbs)}};
  if (!kind.short_names.empty()) entry["shortNames"] = Texts(kind.short_names);
  if (!kind.categories.empty()) entry["categories"] = Texts(kind.categories);
  return entry;
}

json::object Subresource(const ServedKind& kind, std::string_view name) {
  json::object entry{{"name", fmt::format("{}/{}", kind.resource.plural, name)},
                     {"singularName", ""},
                     {"namespaced", kind.resource.namespaced},
                     {"kind", kind.resource.kind},
                     {"verbs", Texts({"get", "patch", "update"})}};
  if (name == "scale") {
    entry["group"] = "autoscaling";
    entry["version"] = "v1";
    entry["kind"] = "Scale";
  }
  if (name == "exec" || name == "log") entry["verbs"] = Texts({"create", "get"});
  if (name == "exec") entry["kind"] = "PodExecOptions";
  return entry;
}

std::optional<json::object> Resources(std::string_view group, std::string_view version) {
  json::array entries;
  std::string name;
  for (const ServedKind& kind : Catalog()) {
    if (kind.resource.group != group || kind.resource.version != version) continue;
    name = api::ApiVersion(kind.resource);
    entries.push_back(Entry(kind));
    if (kind.has_status) entries.push_back(Subresource(kind, "status"));
    if (kind.has_scale) entries.push_back(Subresource(kind, "scale"));
    if (kind.resource.plural == "pods") {
      entries.push_back(Subresource(kind, "exec"));
      entries.push_back(Subresource(kind, "log"));
    }
  }
  if (entries.empty()) return std::nullopt;
  return json::object{{"kind", "APIResourceList"},
                      {"apiVersion", "v1"},
                      {"groupVersion", name},
                      {"resources", std::move(entries)}};
}

// "/apis/GROUP/VERSION" behind `prefix`, or "/api/VERSION"; what is between, and what after.
std::optional<std::pair<std::string_view, std::string_view>> GroupAndVersion(
    std::string_view path) {
  if (path.starts_with("/api/")) return std::pair{std::string_view(), path.substr(5)};
  if (!path.starts_with("/apis/")) return std::nullopt;
  path.remove_prefix(6);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return std::pair{path, std::string_view()};
  return std::pair{path.substr(0, slash), path.substr(slash + 1)};
}

std::optional<json::object> OpenApi(std::string_view path) {
  if (path.empty()) return OpenApiIndex();
  const auto parts = GroupAndVersion(path);
  if (!parts) return std::nullopt;
  json::object document = OpenApiDocument(parts->first, parts->second);
  return document.empty() ? std::nullopt : std::optional(std::move(document));
}

}  // namespace

std::optional<json::object> Discover(std::string_view path) {
  constexpr std::string_view kOpenApi = "/openapi/v3";
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/version") return Version();
  if (path == "/api") {
    return json::object{
        {"kind", "APIVersions"}, {"apiVersion", "v1"}, {"versions", json::array{"v1"}}};
  }
  if (path == "/apis") return Groups();
  if (path.starts_with(kOpenApi)) return OpenApi(path.substr(kOpenApi.size()));
  const auto parts = GroupAndVersion(path);
  if (!parts) return std::nullopt;
  return parts->second.empty() ? Group(parts->first) : Resources(parts->first, parts->second);
}

}  // namespace stillpoint::sim::pocket
