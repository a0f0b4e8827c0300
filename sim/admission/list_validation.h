// Whether the elements of sets and keyed lists (x-kubernetes-list-type) are different.
// Source of truth: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype.
#pragma once

#include "sim/admission/field_error.h"
#include "sim/admission/schema.h"

#include <boost/json/fwd.hpp>

namespace stillpoint::sim {

// Elements that a set or a keyed list has twice, of a whole object. Forgiven if there were any
// before.
void ValidateUniqueness(const Schema& schema, const boost::json::object* before,
                        const boost::json::object& object, FieldErrors& errors);

}  // namespace stillpoint::sim
