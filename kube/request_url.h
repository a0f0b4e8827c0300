// How a Request becomes an HTTP request: method, path, query, content type and body. Pure.
//
// Contract: https://kubernetes.io/docs/reference/using-api/api-concepts/
#pragma once

#include "api/error.h"
#include "api/resource.h"
#include "kube/client.h"
#include "kube/http_message.h"

#include <string>
#include <string_view>

namespace stillpoint::kube {

// Owner of the fields that we write.
inline constexpr std::string_view kFieldManager = "stillpoint";

// "get", "list", "create", "patch" or "delete", as RBAC calls it.
[[nodiscard]] std::string_view RbacVerb(Verb verb);

// RFC 3986; also what a path segment needs.
[[nodiscard]] std::string PercentEncode(std::string_view text);

// What a call is about, for messages and metrics.
struct CallName {
  std::string_view verb;  // as RBAC calls it: get, list, watch, create, patch, delete
  api::Resource resource;
  std::string subresource;
  std::string ns;
  std::string name;

  // "pods", "pods/status", "volumesnapshots.snapshot.storage.k8s.io"
  [[nodiscard]] std::string ResourceText() const;
  // "get pods shop/db-0", "list pods in shop"
  [[nodiscard]] std::string ToString() const;
};

[[nodiscard]] CallName NameOf(const Request& request);
[[nodiscard]] CallName NameOf(const WatchRequest& request);

// `base_path` is the prefix that Config::base_path describes.
// Errors: kInvalid when a name is missing (a DELETE without one would delete the collection) or
// could not be a path segment.
[[nodiscard]] api::Result<HttpRequest> BuildHttpRequest(const Request& request,
                                                        std::string_view base_path);
[[nodiscard]] api::Result<HttpRequest> BuildHttpRequest(const WatchRequest& request,
                                                        std::string_view base_path);

}  // namespace stillpoint::kube
