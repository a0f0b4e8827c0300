#include "sim/admission/metadata.h"

#include "api/labels.h"
#include "sim/admission/go_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;
using Problems = std::vector<std::string>;

constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxSubdomain = 253;
constexpr std::size_t kMaxAnnotations = 262'144;

constexpr std::string_view kBadSubdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kBadLabel =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kBadKeyName =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kBadLabelValue =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const json::object& MetadataOf(const json::object& object) {
  static const json::object kNone;
  const auto* metadata = object.if_contains("metadata");
  return metadata && metadata->is_object() ? metadata->get_object() : kNone;
}

std::string_view TextOf(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

// The server calls the same thing characters in names and bytes in the keys of labels.
enum class Unit { kBytes, kCharacters };

std::string LongerThan(std::size_t most, Unit unit) {
  return fmt::format("must be no more than {} {}", most,
                     unit == Unit::kBytes ? "bytes" : "characters");
}

// ---- names ------------------------------------------------------------------------------------

// The length counts for itself, so that what is wrong with a long one is asked of a short one.
bool HasSubdomainLetters(std::string_view name) {
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    const auto is_letter = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (part.empty() || part.starts_with('-') || part.ends_with('-') ||
        !std::ranges::all_of(part, is_letter)) {
      return false;
    }
    if (end == name.size()) return true;
    begin = end + 1;
  }
}

Problems CheckSubdomain(std::string_view name, Unit unit = Unit::kCharacters) {
  Problems problems;
  if (name.size() > kMaxSubdomain) problems.push_back(LongerThan(kMaxSubdomain, unit));
  if (!HasSubdomainLetters(name)) problems.emplace_back(kBadSubdomain);
  return problems;
}

Problems CheckLabel(std::string_view name) {
  Problems problems;
  if (name.size() > kMaxLabel) problems.push_back(LongerThan(kMaxLabel, Unit::kCharacters));
  if (!HasSubdomainLetters(name)) {
    problems.emplace_back(kBadLabel);
  } else if (name.contains('.')) {
    problems.emplace_back("must not contain dots");
  }
  return problems;
}

// A prefix of names may end with a dash: something follows.
Problems CheckGenerateName(std::string_view prefix) {
  if (prefix.size() < 2 || !prefix.ends_with('-')) return CheckSubdomain(prefix);
  return CheckSubdomain(std::string(prefix.substr(0, prefix.size() - 2)) + "a");
}

void CheckKeyName(std::string_view name, Problems& problems) {
  if (name.empty()) {
    problems.emplace_back("name part must be non-empty");
  } else if (name.size() > kMaxLabel) {
    problems.push_back("name part " + LongerThan(kMaxLabel, Unit::kBytes));
  }
  // What a label value may be, a name may be too, but for its length and for nothing.
  const auto is_inner = [](char c) {
    return api::IsLabelValue({&c, 1}) || c == '-' || c == '_' || c == '.';
  };
  const bool ends = !name.empty() && api::IsLabelValue(name.substr(0, 1)) &&
                    api::IsLabelValue(name.substr(name.size() - 1));
  if (!ends || !std::ranges::all_of(name, is_inner)) {
    problems.push_back(fmt::format("name part {}", kBadKeyName));
  }
}

// Of labels, annotations and finalizers: `app`, `app.kubernetes.io/name`.
Problems CheckQualifiedName(std::string_view key) {
  const auto slashes = std::ranges::count(key, '/');
  if (slashes > 1) {
    return {
        fmt::format("a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. "
                    "'example.com/MyName')",
                    kBadKeyName)};
  }
  Problems problems;
  if (slashes == 1) {
    const auto prefix = key.substr(0, key.find('/'));
    if (prefix.empty()) {
      problems.emplace_back("prefix part must be non-empty");
    } else {
      for (const auto& problem : CheckSubdomain(prefix, Unit::kBytes))
        problems.push_back("prefix part " + problem);
    }
    key.remove_prefix(prefix.size() + 1);
  }
  CheckKeyName(key, problems);
  return problems;
}

Problems CheckLabelValue(std::string_view value) {
  Problems problems;
  if (value.size() > kMaxLabel) problems.push_back(LongerThan(kMaxLabel, Unit::kBytes));
  const bool long_and_right = value.size() > kMaxLabel && [&] {
    Problems as_key;
    CheckKeyName(value, as_key);
    return as_key.size() == 1;
  }();
  if (!long_and_right && !api::IsLabelValue(value)) problems.emplace_back(kBadLabelValue);
  return problems;
}

// ---- fields -----------------------------------------------------------------------------------

void AddAll(std::string_view field, std::string_view value, const Problems& problems,
            FieldErrors& errors) {
  for (const auto& problem : problems) {
    errors.push_back(InvalidValue(field, json::string(value.data(), value.size()), problem));
  }
}

void CheckLabels(const json::object& metadata, FieldErrors& errors) {
  const auto* labels = metadata.if_contains("labels");
  if (!labels || !labels->is_object()) return;
  for (const auto& label : labels->get_object()) {
    AddAll("metadata.labels", label.key(), CheckQualifiedName(label.key()), errors);
    const auto value = TextOf(labels->get_object(), label.key());
    AddAll("metadata.labels", value, CheckLabelValue(value), errors);
  }
}

void CheckAnnotations(const json::object& metadata, FieldErrors& errors) {
  const auto* annotations = metadata.if_contains("annotations");
  if (!annotations || !annotations->is_object()) return;
  std::size_t size = 0;
  for (const auto& annotation : annotations->get_object()) {
    const std::string_view key = annotation.key();
    std::string lower(key);
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    AddAll("metadata.annotations", key, CheckQualifiedName(lower), errors);
    size += key.size() + TextOf(annotations->get_object(), key).size();
  }
  if (size > kMaxAnnotations) errors.push_back(TooLong("metadata.annotations", kMaxAnnotations));
}

void CheckOwner(const json::object& owner, FieldErrors& errors) {
  constexpr std::string_view kField = "metadata.ownerReferences";
  const auto need = [&](std::string_view key, std::string_view problem) {
    if (!TextOf(owner, key).empty()) return;
    errors.push_back(InvalidValue(fmt::format("{}.{}", kField, key), json::value(""), problem));
  };
  need("apiVersion", "version must not be empty");
  need("kind", "must not be empty");
  need("name", "must not be empty");
  need("uid", "must not be empty");
}

void CheckOwners(const json::object& metadata, FieldErrors& errors) {
  const auto* owners = metadata.if_contains("ownerReferences");
  if (!owners || !owners->is_array()) return;
  for (const json::value& owner : owners->get_array()) {
    if (owner.is_object()) CheckOwner(owner.get_object(), errors);
  }
}

std::vector<std::string_view> FinalizersOf(const json::object& metadata) {
  std::vector<std::string_view> out;
  const auto* finalizers = metadata.if_contains("finalizers");
  if (!finalizers || !finalizers->is_array()) return out;
  for (const json::value& finalizer : finalizers->get_array()) {
    if (finalizer.is_string()) out.emplace_back(finalizer.get_string());
  }
  return out;
}

void CheckFinalizers(const json::object& metadata, FieldErrors& errors) {
  for (const auto finalizer : FinalizersOf(metadata)) {
    AddAll("metadata.finalizers", finalizer, CheckQualifiedName(finalizer), errors);
  }
}

void CheckNewFinalizers(const json::object& metadata, const json::object& before,
                        FieldErrors& errors) {
  if (!before.contains("deletionTimestamp")) return;
  const auto known = FinalizersOf(before);
  std::vector<std::string> added;
  for (const auto finalizer : FinalizersOf(metadata)) {
    if (std::ranges::find(known, finalizer) == known.end()) added.push_back(GoQuote(finalizer));
  }
  if (added.empty()) return;
  std::ranges::sort(added);
  errors.push_back(Forbidden("metadata.finalizers",
                             fmt::format("no new finalizers can be added if the object is being "
                                         "deleted, found new finalizers []string{{{}}}",
                                         fmt::join(added, ", "))));
}

void CheckName(const json::object& metadata, FieldErrors& errors) {
  const auto prefix = TextOf(metadata, "generateName");
  if (!prefix.empty()) {
    AddAll("metadata.generateName", prefix, CheckGenerateName(prefix), errors);
  }
  const auto name = TextOf(metadata, "name");
  if (name.empty()) {
    errors.push_back(RequiredValue("metadata.name", "name or generateName is required"));
  } else {
    AddAll("metadata.name", name, CheckSubdomain(name), errors);
  }
}

void CheckNamespace(const json::object& metadata, FieldErrors& errors) {
  const auto ns = TextOf(metadata, "namespace");
  if (ns.empty()) {
    errors.push_back(RequiredValue("metadata.namespace"));
  } else {
    AddAll("metadata.namespace", ns, CheckLabel(ns), errors);
  }
}

void CheckImmutable(const json::object& metadata, const json::object& before, FieldErrors& errors) {
  for (const std::string_view key : {"name", "namespace", "uid", "creationTimestamp",
                                     "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    const auto *now = metadata.if_contains(key), *then = before.if_contains(key);
    if (!now || (then && *now == *then)) continue;
    errors.push_back(InvalidValue(fmt::format("metadata.{}", key), *now, "field is immutable"));
  }
}

}  // namespace

std::string_view NameOf(const json::object& object) {
  return TextOf(MetadataOf(object), "name");
}

void ValidateNewMetadata(const json::object& object, FieldErrors& errors) {
  const json::object& metadata = MetadataOf(object);
  CheckName(metadata, errors);
  CheckNamespace(metadata, errors);
  CheckLabels(metadata, errors);
  CheckAnnotations(metadata, errors);
  CheckOwners(metadata, errors);
  CheckFinalizers(metadata, errors);
}

void ValidateChangedMetadata(const json::object& object, const json::object& before,
                             FieldErrors& errors) {
  const json::object& metadata = MetadataOf(object);
  const json::object& then = MetadataOf(before);
  CheckNewFinalizers(metadata, then, errors);
  if (TextOf(metadata, "resourceVersion").empty()) {
    errors.push_back(InvalidValue("metadata.resourceVersion", json::value(""),
                                  "must be specified for an update"));
  }
  CheckImmutable(metadata, then, errors);
  CheckLabels(metadata, errors);
  CheckAnnotations(metadata, errors);
  CheckOwners(metadata, errors);
  CheckFinalizers(metadata, errors);
}

}  // namespace stillpoint::sim
