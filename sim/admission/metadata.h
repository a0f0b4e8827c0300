// Whether the metadata of an object is right.
// Source of truth: k8s.io/apimachinery/pkg/api/validation/objectmeta.go. Not looked at:
// managedFields, and whether fields have the right types (the server cannot read such an object).
#pragma once

#include "sim/admission/field_error.h"

#include <boost/json/fwd.hpp>

namespace stillpoint::sim {

// Of an object that is made now, in a namespace. Adds to `errors`.
void ValidateNewMetadata(const boost::json::object& object, FieldErrors& errors);

// Of one that was `before`. What the server itself keeps from one version to the next (uid,
// timestamps) may be left out.
void ValidateChangedMetadata(const boost::json::object& object, const boost::json::object& before,
                             FieldErrors& errors);

// `metadata.name`; empty when there is none.
[[nodiscard]] std::string_view NameOf(const boost::json::object& object);

}  // namespace stillpoint::sim
