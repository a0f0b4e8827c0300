// SchemaAdmission: what an API server does with a custom resource on its way in: it prunes and
// defaults it by its CRD's schema and refuses it, in the server's own words, when it is not right.
//
// Source of truth: k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go of
// Kubernetes 1.36; e2e/bad holds what a real server says to the same objects. Where the server
// answers with several errors in a random order, this has the order of the object's members.
// Not here: the cost budget of CEL, webhooks, schemas with allOf and its like.
#pragma once

#include "api/error.h"
#include "api/resource.h"
#include "sim/admission/schema.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim {

// What the request parameter of that name says about members that the schema does not know.
enum class FieldValidation { kIgnore, kStrict };

// Threads: any; it does not change.
class SchemaAdmission {
 public:
  // Of what `stillpoint crds` prints. Compiles every rule: make it once.
  [[nodiscard]] static SchemaAdmission FromCrds();

  // Of other CRDs, each with one version. Throws std::logic_error for one that it cannot enforce.
  explicit SchemaAdmission(const boost::json::array& crds);

  // Whether a CRD says something about `resource`. Others are admitted as they are.
  [[nodiscard]] bool Handles(const api::Resource& resource) const;

  // Changes `object` to what is to be stored. `before`: what is stored now, null on creation.
  // `subresource`: empty or "status". REQUIRES: what the subresource does not own is as before,
  // with the status of a creation dropped; and a creation has its name and namespace.
  //
  // Errors: kInvalid. A server answers 422, but for unknown members (kStrict), where it answers
  // 400; UnknownFields() tells which it is.
  [[nodiscard]] api::Result<void> Admit(
      const api::Resource& resource, const boost::json::object* before,
      const std::string& subresource, boost::json::object& object,
      FieldValidation validation = FieldValidation::kIgnore) const;

  // The paths of members that the schema does not know, sorted.
  [[nodiscard]] std::vector<std::string> UnknownFields(const api::Resource& resource,
                                                       const boost::json::object& object) const;

 private:
  struct Kind {
    std::string group;
    std::string plural;
    Schema schema;
  };

  [[nodiscard]] const Kind* Find(const api::Resource& resource) const;

  std::vector<Kind> kinds_;
};

}  // namespace stillpoint::sim
