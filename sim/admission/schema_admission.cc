#include "sim/admission/schema_admission.h"

#include "api/crds.h"
#include "sim/admission/defaulting.h"
#include "sim/admission/field_error.h"
#include "sim/admission/list_validation.h"
#include "sim/admission/metadata.h"
#include "sim/admission/rule_validation.h"
#include "sim/admission/schema_validation.h"

#include <fmt/format.h>
#include <boost/json/value.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

const json::object& SchemaOf(const json::object& crd) {
  const json::array& versions = crd.at("spec").at("versions").as_array();
  if (versions.size() != 1) throw std::logic_error("a CRD with several versions");
  return versions[0].at("schema").at("openAPIV3Schema").as_object();
}

std::string ApiVersionOf(const api::Resource& resource) {
  return fmt::format("{}/{}", resource.group, resource.version);
}

void CheckTypeMeta(const api::Resource& resource, const json::object& object, FieldErrors& errors) {
  const auto check = [&](std::string_view key, std::string_view expected) {
    const auto* value = object.if_contains(key);
    if (!value || (value->is_string() && value->get_string() == expected)) return;
    errors.push_back(InvalidValue(key, *value, fmt::format("must be {}", expected)));
  };
  check("kind", resource.kind);
  check("apiVersion", ApiVersionOf(resource));
}

// The status is validated on its own: the server's sentences do not say that it is in one.
void ValidateStatus(const Schema& schema, const json::object* before, const json::object& object,
                    FieldErrors& errors) {
  std::size_t hint = 0;
  const SchemaProperty* status = schema.Find("status", hint);
  const auto* now = object.if_contains("status");
  if (!status || !now) return;
  ValidateMember("status", status->schema, before ? before->if_contains("status") : nullptr, *now,
                 errors);
}

bool HasStructuralError(const FieldErrors& errors) {
  return std::ranges::find(errors, FieldError::Kind::kStructural, &FieldError::kind) !=
         errors.end();
}

FieldError RulesNotChecked() {
  return InvalidValue("<nil>", nullptr,
                      "some validation rules were not checked because the object was invalid; "
                      "correct the existing errors to complete validation");
}

// In the server's order: what it says first stands first.
FieldErrors Validate(const api::Resource& resource, const Schema& schema,
                     const json::object* before, const std::string& subresource,
                     const json::object& object) {
  FieldErrors errors;
  CheckTypeMeta(resource, object, errors);
  if (!errors.empty()) return errors;
  if (before) {
    ValidateChangedMetadata(object, *before, errors);
  } else {
    ValidateNewMetadata(object, errors);
  }
  if (subresource == "status") {
    ValidateStatus(schema, before, object, errors);
  } else {
    ValidateSchema(schema, before, object, errors);
  }
  ValidateUniqueness(schema, before, object, errors);
  if (HasStructuralError(errors)) {
    errors.push_back(RulesNotChecked());
  } else {
    ValidateRules(schema, before, object, errors);
  }
  return errors;
}

std::string StrictMessage(const api::Resource& resource, const std::vector<std::string>& unknown) {
  std::string list;
  for (const auto& path : unknown) {
    list += fmt::format("{}unknown field \"{}\"", list.empty() ? "" : ", ", path);
  }
  return fmt::format("{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
                     resource.kind, resource.version, resource.kind, list);
}

}  // namespace

SchemaAdmission SchemaAdmission::FromCrds() {
  return SchemaAdmission(api::Crds());
}

SchemaAdmission::SchemaAdmission(const json::array& crds) {
  for (const json::value& crd : crds) {
    const json::object& spec = crd.at("spec").as_object();
    kinds_.push_back({std::string(spec.at("group").as_string()),
                      std::string(spec.at("names").at("plural").as_string()),
                      CompileSchema(SchemaOf(crd.as_object()))});
    if (!kinds_.back().schema.rules.empty()) throw std::logic_error("rules on a whole object");
  }
}

const SchemaAdmission::Kind* SchemaAdmission::Find(const api::Resource& resource) const {
  const auto found = std::ranges::find_if(kinds_, [&](const Kind& kind) {
    return kind.plural == resource.plural && kind.group == resource.group;
  });
  return found == kinds_.end() ? nullptr : &*found;
}

bool SchemaAdmission::Handles(const api::Resource& resource) const {
  return Find(resource) != nullptr;
}

std::vector<std::string> SchemaAdmission::UnknownFields(const api::Resource& resource,
                                                        const json::object& object) const {
  const Kind* kind = Find(resource);
  return kind ? FindUnknownFields(kind->schema, object) : std::vector<std::string>();
}

api::Result<void> SchemaAdmission::Admit(const api::Resource& resource, const json::object* before,
                                         const std::string& subresource, json::object& object,
                                         FieldValidation validation) const {
  const Kind* kind = Find(resource);
  if (!kind) return {};
  if (validation == FieldValidation::kStrict) {
    if (const auto unknown = FindUnknownFields(kind->schema, object); !unknown.empty()) {
      return api::Error{api::Code::kInvalid, StrictMessage(resource, unknown)};
    }
  }
  PruneAndDefault(kind->schema, object);
  const FieldErrors errors = Validate(resource, kind->schema, before, subresource, object);
  if (errors.empty()) return {};
  return IsInvalid(resource, NameOf(object), errors);
}

}  // namespace stillpoint::sim
