// Whether a value has the types, limits and words that its schema asks for.
// Source of truth: k8s.io/kube-openapi/pkg/validation/validate, and
// k8s.io/apiextensions-apiserver/pkg/apiserver/validation.
//
// The real server goes through the members of an object in a random order, this in theirs.
#pragma once

#include "sim/admission/field_error.h"
#include "sim/admission/schema.h"

#include <boost/json/fwd.hpp>

#include <string>

namespace stillpoint::sim {

// Of a whole object. Adds to `errors`. `before`: what an update found, or null; what did not change
// is not looked at.
void ValidateSchema(const Schema& schema, const boost::json::object* before,
                    const boost::json::object& object, FieldErrors& errors);

// Of its member `name` ("status") alone: the server leaves the name out in its sentences, but not
// in its paths.
void ValidateMember(const std::string& name, const Schema& schema, const boost::json::value* before,
                    const boost::json::value& value, FieldErrors& errors);

}  // namespace stillpoint::sim
