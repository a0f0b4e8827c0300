#include "sim/pocket/protobuf_body.h"

#include "kube/base64.h"

#include <boost/json/array.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

constexpr std::string_view kMagic("k8s\0", 4);

enum class Shape { kText, kBytes, kNumber, kTextMap, kBytesMap, kTextList, kMessage };

struct Message;

struct Field {
  std::uint64_t number;
  std::string_view name;
  Shape shape = Shape::kText;
  const Message* message = nullptr;
};

struct Message {
  std::vector<Field> fields;
};

// ---- the kinds --------------------------------------------------------------------------------

const Message kMetadata{{{1, "name"},
                         {2, "generateName"},
                         {3, "namespace"},
                         {11, "labels", Shape::kTextMap},
                         {12, "annotations", Shape::kTextMap},
                         {14, "finalizers", Shape::kTextList}}};
const Message kResourceAttributes{{{1, "namespace"},
                                   {2, "verb"},
                                   {3, "group"},
                                   {4, "version"},
                                   {5, "resource"},
                                   {6, "subresource"},
                                   {7, "name"}}};
const Message kReviewSpec{{{1, "resourceAttributes", Shape::kMessage, &kResourceAttributes}}};
const Message kPreconditions{{{1, "uid"}, {2, "resourceVersion"}}};

const Message kMetadataOnly{{{1, "metadata", Shape::kMessage, &kMetadata}}};
const Message kConfigMap{
    {{1, "metadata", Shape::kMessage, &kMetadata}, {2, "data", Shape::kTextMap}}};
const Message kSecret{{{1, "metadata", Shape::kMessage, &kMetadata},
                       {2, "data", Shape::kBytesMap},
                       {3, "type"},
                       {4, "stringData", Shape::kTextMap}}};
const Message kReview{
    {{1, "metadata", Shape::kMessage, &kMetadata}, {2, "spec", Shape::kMessage, &kReviewSpec}}};
const Message kDeleteOptions{{{1, "gracePeriodSeconds", Shape::kNumber},
                              {2, "preconditions", Shape::kMessage, &kPreconditions},
                              {4, "propagationPolicy"},
                              {5, "dryRun", Shape::kTextList}}};

const Message kTypeMeta{{{1, "apiVersion"}, {2, "kind"}}};
const Message kEnvelope{{{1, "type", Shape::kMessage, &kTypeMeta}, {2, "raw", Shape::kBytes}}};
const Message kTextEntry{{{1, "key"}, {2, "value"}}};

const Message* MessageOf(std::string_view kind) {
  if (kind == "Namespace" || kind == "ServiceAccount") return &kMetadataOnly;
  if (kind == "ConfigMap") return &kConfigMap;
  if (kind == "Secret") return &kSecret;
  if (kind == "SelfSubjectAccessReview") return &kReview;
  if (kind == "DeleteOptions") return &kDeleteOptions;
  return nullptr;
}

// ---- the encoding -----------------------------------------------------------------------------

bool TakeNumber(std::string_view& rest, std::uint64_t& number) {
  number = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

struct Value {
  std::uint64_t field = 0;
  std::uint64_t number = 0;
  std::string_view bytes;
};

// Kubernetes uses two of the wire types: numbers and what has a length.
bool TakeValue(std::string_view& rest, Value& value) {
  std::uint64_t tag = 0;
  if (!TakeNumber(rest, tag)) return false;
  value = {.field = tag >> 3U};
  if ((tag & 7U) == 0) return TakeNumber(rest, value.number);
  std::uint64_t size = 0;
  if ((tag & 7U) != 2 || !TakeNumber(rest, size) || size > rest.size()) return false;
  value.bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

bool Read(std::string_view rest, const Message& message, json::object& to);

json::object& ObjectAt(json::object& object, std::string_view name) {
  auto& member = object[name];
  return member.is_object() ? member.get_object() : member.emplace_object();
}

bool Store(const Field& field, const Value& value, json::object& to) {
  const std::string text(value.bytes);
  switch (field.shape) {
    case Shape::kText:
    case Shape::kBytes:
      if (!text.empty()) to[field.name] = text;
      return true;
    case Shape::kNumber:
      to[field.name] = static_cast<std::int64_t>(value.number);
      return true;
    case Shape::kTextList:
      if (!to.contains(field.name)) to[field.name].emplace_array();
      to[field.name].get_array().push_back(json::value(text));
      return true;
    case Shape::kTextMap:
    case Shape::kBytesMap: {
      json::object entry{{"key", ""}, {"value", ""}};
      if (!Read(value.bytes, kTextEntry, entry)) return false;
      const std::string content(entry["value"].get_string());
      ObjectAt(to, field.name)[entry["key"].get_string()] =
          field.shape == Shape::kBytesMap ? kube::EncodeBase64(content) : content;
      return true;
    }
    case Shape::kMessage:
      return Read(value.bytes, *field.message, ObjectAt(to, field.name));
  }
  return false;
}

bool Read(std::string_view rest, const Message& message, json::object& to) {
  Value value;
  while (!rest.empty()) {
    if (!TakeValue(rest, value)) return false;
    for (const Field& field : message.fields) {
      if (field.number == value.field && !Store(field, value, to)) return false;
    }
  }
  return true;
}

}  // namespace

bool IsProtobuf(std::string_view body) {
  return body.starts_with(kMagic);
}

std::optional<json::object> ParseProtobuf(std::string_view body) {
  json::object envelope{{"raw", ""}};
  if (!IsProtobuf(body) || !Read(body.substr(kMagic.size()), kEnvelope, envelope)) {
    return std::nullopt;
  }
  json::object object = ObjectAt(envelope, "type");
  const auto* kind = object.if_contains("kind");
  const Message* message =
      kind && kind->is_string() ? MessageOf(std::string_view(kind->get_string())) : nullptr;
  const std::string raw(envelope["raw"].get_string());
  if (!message || !Read(raw, *message, object)) return std::nullopt;
  return object;
}

}  // namespace stillpoint::sim::pocket
