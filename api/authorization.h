// SelfSubjectAccessReview: may we do this? Asked to name the right that is missing.
// Source of truth: k8s.io/api/authorization/v1.
#pragma once

#include "api/meta.h"
#include "api/resource.h"

#include <boost/describe/class.hpp>

#include <optional>
#include <string>

namespace stillpoint::api {

struct ResourceAttributes {
  std::string ns;  // empty: all namespaces
  std::string verb;
  std::string group;
  std::string resource;  // the plural
  std::string subresource;
  std::string name;
  bool operator==(const ResourceAttributes&) const = default;
};
BOOST_DESCRIBE_STRUCT(ResourceAttributes, (), (ns, verb, group, resource, subresource, name))

struct SelfSubjectAccessReviewSpec {
  ResourceAttributes resource_attributes;
  bool operator==(const SelfSubjectAccessReviewSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(SelfSubjectAccessReviewSpec, (), (resource_attributes))

struct SubjectAccessReviewStatus {
  bool allowed = false;
  std::string reason;
  bool operator==(const SubjectAccessReviewStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(SubjectAccessReviewStatus, (), (allowed, reason))

// Created, never stored: the answer to the POST holds the status.
struct SelfSubjectAccessReview {
  static constexpr Resource kResource{"authorization.k8s.io", "v1", "SelfSubjectAccessReview",
                                      "selfsubjectaccessreviews", false};

  ObjectMeta metadata;
  SelfSubjectAccessReviewSpec spec;
  std::optional<SubjectAccessReviewStatus> status;  // absent in the question
  bool operator==(const SelfSubjectAccessReview&) const = default;
};
BOOST_DESCRIBE_STRUCT(SelfSubjectAccessReview, (), (metadata, spec, status))

}  // namespace stillpoint::api
