// Labels, label selectors and names.
// Source of truth: k8s.io/apimachinery/pkg/labels and pkg/util/validation.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <map>
#include <string>
#include <string_view>

namespace stillpoint::api {

using Labels = std::map<std::string, std::string>;

// Whether all of `selector` holds for `labels`; an empty selector matches everything. An operator
// that does not exist matches nothing.
[[nodiscard]] bool Matches(const LabelSelector& selector, const Labels& labels);

// As a list takes it: `app=db,tier in (a,b),!canary`. Empty for an empty selector.
// REQUIRES: CheckSelector(selector) is fine; the text is not escaped.
[[nodiscard]] std::string FormatSelector(const LabelSelector& selector);

// kInvalid, naming the path below `selector` (`matchExpressions[0].operator: ...`), when the API
// server would refuse it.
[[nodiscard]] Result<void> CheckSelector(const LabelSelector& selector);

// `app`, `app.kubernetes.io/name`.
[[nodiscard]] bool IsLabelKey(std::string_view key);

// Empty, or at most 63 letters, digits, `-`, `_`, `.` with a letter or digit at both ends.
[[nodiscard]] bool IsLabelValue(std::string_view value);

// At most 63 of a-z, 0-9 and `-`, with a letter or digit at both ends.
[[nodiscard]] bool IsDns1123Label(std::string_view name);

// Such parts, of any length, joined by dots, at most 253 characters: the name of most objects.
[[nodiscard]] bool IsDns1123Subdomain(std::string_view name);

}  // namespace stillpoint::api
