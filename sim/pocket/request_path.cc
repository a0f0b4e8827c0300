#include "sim/pocket/request_path.h"

#include <cstdint>
#include <utility>

namespace stillpoint::sim::pocket {

namespace {

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto at = text.find(separator);
    if (at != 0) parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 1);
  }
  return parts;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Takes "v1" of /api, or "apps/v1" of /apis, from the front.
std::optional<std::pair<std::string, std::string>> TakeGroupVersion(
    std::vector<std::string>& segments) {
  if (segments.size() < 2) return std::nullopt;
  const bool core = segments[0] == "api";
  if (!core && (segments[0] != "apis" || segments.size() < 3)) return std::nullopt;
  std::pair<std::string, std::string> found(core ? "" : segments[1], segments[core ? 1 : 2]);
  segments.erase(segments.begin(), segments.begin() + (core ? 2 : 3));
  return found;
}

// /namespaces/NAME/pods is of the pods, /namespaces/NAME/status of the namespace itself.
bool IsInNamespace(const std::vector<std::string>& segments) {
  return segments.size() >= 3 && segments[0] == "namespaces" && segments[2] != "status" &&
         segments[2] != "finalize";
}

}  // namespace

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

Query::Query(std::string_view text) {
  for (const std::string_view part : Split(text, '&')) {
    const auto equal = part.find('=');
    const auto value = equal == std::string_view::npos ? "" : part.substr(equal + 1);
    values_.emplace(PercentDecode(part.substr(0, equal), true), PercentDecode(value, true));
  }
}

std::string Query::Get(const std::string& key) const {
  const auto found = values_.lower_bound(key);
  return found == values_.end() || found->first != key ? std::string() : found->second;
}

std::vector<std::string> Query::All(const std::string& key) const {
  std::vector<std::string> all;
  const auto [first, last] = values_.equal_range(key);
  for (auto it = first; it != last; ++it) all.push_back(it->second);
  return all;
}

bool Query::Is(const std::string& key) const {
  const std::string value = Get(key);
  return value == "true" || value == "1";
}

std::optional<RequestPath> ParseRequestPath(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view part : Split(path, '/')) {
    segments.push_back(PercentDecode(part, false));
  }
  const auto group_version = TakeGroupVersion(segments);
  if (!group_version || segments.empty()) return std::nullopt;
  RequestPath found;
  if (IsInNamespace(segments)) {
    found.ns = segments[1];
    segments.erase(segments.begin(), segments.begin() + 2);
  }
  found.kind = FindKind(group_version->first, group_version->second, segments[0]);
  if (!found.kind || segments.size() > 3) return std::nullopt;
  if (!found.ns.empty() && !found.kind->resource.namespaced) return std::nullopt;
  if (segments.size() > 1) found.name = segments[1];
  if (segments.size() > 2) found.subresource = segments[2];
  return found;
}

}  // namespace stillpoint::sim::pocket
