#include "sim/admission/field_error.h"

#include "sim/admission/go_text.h"

#include <fmt/format.h>
#include <boost/json/value.hpp>

#include <algorithm>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;
using Kind = FieldError::Kind;

std::string Show(const json::value& value) {
  if (const auto* text = value.if_string()) return GoQuote(*text);
  return GoJson(value);
}

std::string WithDetail(std::string text, std::string_view detail) {
  return detail.empty() ? text : fmt::format("{}: {}", text, detail);
}

FieldError Make(Kind kind, std::string_view field, std::string_view body, std::string_view detail) {
  return {kind, WithDetail(fmt::format("{}: {}", field, body), detail)};
}

std::string InvalidBody(const json::value& value) {
  return "Invalid value: " + Show(value);
}

}  // namespace

std::string Path::Text() const {
  if (kind_ == Kind::kRoot) return "<nil>";
  std::string text = parent_->kind_ == Kind::kRoot ? "" : parent_->Text();
  switch (kind_) {
    case Kind::kKey:
      return fmt::format("{}[{}]", text, name_);
    case Kind::kIndex:
      return fmt::format("{}[{}]", text, index_);
    case Kind::kChild:
    case Kind::kRoot:
      break;
  }
  return text.empty() ? std::string(name_) : fmt::format("{}.{}", text, name_);
}

std::string Path::BodyText() const {
  if (kind_ == Kind::kRoot) return "";
  const std::string text = parent_->BodyText();
  if (kind_ == Kind::kIndex) return fmt::format("{}[{}]", text, index_);
  return text.empty() ? std::string(name_) : fmt::format("{}.{}", text, name_);
}

FieldError InvalidValue(std::string_view field, const json::value& value, std::string_view detail) {
  return Make(Kind::kOther, field, InvalidBody(value), detail);
}

FieldError InvalidOmittingValue(std::string_view field, std::string_view detail) {
  return Make(Kind::kOther, field, "Invalid value", detail);
}

FieldError InvalidType(std::string_view field, const json::value& value, std::string_view detail) {
  return Make(Kind::kStructural, field, InvalidBody(value), detail);
}

FieldError RequiredValue(std::string_view field, std::string_view detail) {
  return Make(Kind::kStructural, field, "Required value", detail);
}

FieldError DuplicateValue(std::string_view field, const json::value& value) {
  return Make(Kind::kOther, field, "Duplicate value: " + Show(value), "");
}

FieldError UnsupportedValue(std::string_view field, const json::value& value,
                            const std::vector<json::value>& supported) {
  std::string words;
  for (const json::value& word : supported) {
    const auto* text = word.if_string();
    words += (words.empty() ? "" : ", ") + GoQuote(text ? std::string(*text) : GoJson(word));
  }
  return Make(Kind::kStructural, field, "Unsupported value: " + Show(value),
              "supported values: " + words);
}

FieldError TooLong(std::string_view field, std::int64_t most) {
  return Make(Kind::kStructural, field, "Too long",
              fmt::format("may not be more than {} {}", most, most == 1 ? "byte" : "bytes"));
}

FieldError TooMany(std::string_view field, std::size_t actual, std::int64_t most) {
  return Make(Kind::kStructural, field, fmt::format("Too many: {}", actual),
              fmt::format("must have at most {} {}", most, most == 1 ? "item" : "items"));
}

FieldError Forbidden(std::string_view field, std::string_view detail) {
  return Make(Kind::kOther, field, "Forbidden", detail);
}

api::Error IsInvalid(const api::Resource& resource, std::string_view name,
                     const FieldErrors& errors) {
  std::vector<std::string_view> texts;
  for (const FieldError& error : errors) {
    if (std::ranges::find(texts, error.text) == texts.end()) texts.push_back(error.text);
  }
  std::string list;
  for (const std::string_view text : texts) list.append(list.empty() ? "" : ", ").append(text);
  if (texts.size() > 1) list = fmt::format("[{}]", list);
  return {api::Code::kInvalid,
          fmt::format("{}.{} \"{}\" is invalid: {}", resource.kind, resource.group, name, list)};
}

}  // namespace stillpoint::sim
