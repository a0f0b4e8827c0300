// RequestPath: what the path and the query of an HTTP request ask of a Kubernetes API server.
//
// Contract: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
#pragma once

#include "sim/pocket/catalog.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim::pocket {

// The query of a URL, decoded. A key may come several times.
class Query {
 public:
  explicit Query(std::string_view text);

  // The first value; empty: not there.
  [[nodiscard]] std::string Get(const std::string& key) const;
  [[nodiscard]] std::vector<std::string> All(const std::string& key) const;
  // "true" and "1".
  [[nodiscard]] bool Is(const std::string& key) const;

 private:
  std::multimap<std::string, std::string> values_;
};

// "%20" and, in a query, "+".
[[nodiscard]] std::string PercentDecode(std::string_view text, bool plus_is_space);

struct RequestPath {
  const ServedKind* kind = nullptr;
  std::string ns;
  std::string name;         // empty: the collection
  std::string subresource;  // "status", "scale", "exec", "log"
};

// Empty when the path is of no resource that is served.
[[nodiscard]] std::optional<RequestPath> ParseRequestPath(std::string_view path);

}  // namespace stillpoint::sim::pocket
