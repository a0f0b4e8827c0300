// Whether a value keeps the rules (x-kubernetes-validations) of its schema.
// Source of truth: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.
#pragma once

#include "sim/admission/field_error.h"
#include "sim/admission/schema.h"

#include <boost/json/fwd.hpp>

namespace stillpoint::sim {

// Of a whole object, on which itself there are no rules. Adds to `errors`. `before`: the object
// before an update, or null: then rules with oldSelf are not looked at, but for those with
// optionalOldSelf.
//
// On what did not change only rules with oldSelf are looked at: the server makes warnings of the
// others' errors. (It would refuse a value at which such a rule fails to evaluate; but then it has
// refused to store it.)
void ValidateRules(const Schema& schema, const boost::json::object* before,
                   const boost::json::object& object, FieldErrors& errors);

}  // namespace stillpoint::sim
