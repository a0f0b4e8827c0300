#include "sim/pocket/request_check.h"

#include "sim/cluster/selector.h"
#include "sim/pocket/http_api.h"
#include "sim/pocket/json_path.h"

#include <fmt/format.h>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace stillpoint::sim::pocket {

namespace {

constexpr std::array<std::string_view, 4> kObjects{"", "application/json", "application/yaml",
                                                   "application/vnd.kubernetes.protobuf"};
constexpr std::array<std::string_view, 3> kPatches{
    "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"};
constexpr std::string_view kStrategic = "application/strategic-merge-patch+json";

}  // namespace

std::optional<Refused> CheckMediaType(std::string_view method, std::string_view content_type,
                                      bool custom) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  bool known = true;
  if (method == "POST" || method == "PUT")
    known = std::ranges::find(kObjects, type) != kObjects.end();
  if (method == "PATCH") {
    known = std::ranges::find(kPatches, type) != kPatches.end() || (!custom && type == kStrategic);
  }
  if (known) return std::nullopt;
  const std::string accepted =
      method == "PATCH" ? fmt::format("{}, {}, {}", kPatches[0], kPatches[1], kPatches[2])
                        : fmt::format("{}, {}, {}", kObjects[1], kObjects[2], kObjects[3]);
  return Refused{.status = 415,
                 .reason = "UnsupportedMediaType",
                 .message = fmt::format("the body of the request was in an unknown format - "
                                        "accepted media types include: {}",
                                        accepted)};
}

std::optional<Refused> CheckSelectors(const Query& query, bool fields) {
  const auto parsed = Selector::Parse("", query.Get("labelSelector"),
                                      fields ? query.Get("fieldSelector") : std::string());
  if (parsed) return std::nullopt;
  return Refused{.message = parsed.error().message};
}

std::optional<Refused> CheckListVersion(const Query& query, std::uint64_t newest) {
  const std::string token = query.Get("continue");
  if (!token.empty() && !token.starts_with(ApiServer::kTokenPrefix)) {
    return Refused{.message = "continue key is not valid: it is not from this server"};
  }
  const std::string text = query.Get("resourceVersion");
  std::uint64_t wanted = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wanted);
  if (error != std::errc() || wanted <= newest) return std::nullopt;
  return Refused{
      .status = 504,
      .reason = "Timeout",
      .message = fmt::format("Too large resource version: {}, current: {}", wanted, newest),
      .cause = "ResourceVersionTooLarge"};
}

std::optional<Refused> CheckApply(const Query& query, const RequestPath& path,
                                  const boost::json::value& body) {
  if (query.Get("fieldManager").empty()) {
    return Refused{.status = 422,
                   .reason = "Invalid",
                   .message =
                       "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required "
                       "value: is required for apply patch"};
  }
  const auto* object = body.if_object();
  if (object && FindFirst(*object, ".metadata.managedFields")) {
    return Refused{.message = "metadata.managedFields must be nil"};
  }
  const auto unknown = FindUnknownFields(*path.kind, body);
  if (unknown.empty()) return std::nullopt;
  // Whatever field validation was asked for: such a field has no type to be merged by.
  return Refused{
      .status = 500,
      .reason = "",
      .message = fmt::format("failed to create typed patch object ({}/{}; {}, Kind={}): .{}: field "
                             "not declared in schema",
                             path.ns, path.name, api::ApiVersion(path.kind->resource),
                             path.kind->resource.kind, unknown.front())};
}

}  // namespace stillpoint::sim::pocket
