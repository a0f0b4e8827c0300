// ProtobufBody: request bodies in Kubernetes' protobuf encoding, which kubectl's own commands such
// as `create namespace` send for kinds of Kubernetes. Answers are JSON, which they read too.
//
// Source of truth: the generated.proto files of k8s.io/api and k8s.io/apimachinery.
#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>

namespace stillpoint::sim::pocket {

[[nodiscard]] bool IsProtobuf(std::string_view body);

// A Namespace, ConfigMap, Secret, ServiceAccount, SelfSubjectAccessReview or DeleteOptions as JSON,
// with the members that kubectl sets. Empty for another kind, or what is no such encoding.
[[nodiscard]] std::optional<boost::json::object> ParseProtobuf(std::string_view body);

}  // namespace stillpoint::sim::pocket
