#include "sim/admission/rule_validation.h"

#include "sim/admission/cel_value.h"
#include "sim/admission/correlation.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <utility>

namespace stillpoint::sim {
namespace {

namespace json = boost::json;

std::string Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1));
}

std::string NameOf(const ValidationRule& rule) {
  return Trim(rule.message.empty() ? rule.text : rule.message);
}

std::string FailureDetail(std::string_view failure, const ValidationRule& rule) {
  if (!failure.starts_with("no such overload")) {
    return fmt::format("{} evaluating rule: {}", failure, NameOf(rule));
  }
  return fmt::format(
      "'{}': call arguments did not match a supported operator, function or macro signature for "
      "rule: {}",
      failure, NameOf(rule));
}

// The sentence of a broken rule, for which its own expression may have words.
std::string DetailOf(const ValidationRule& rule, std::span<const cel::Value> variables,
                     cel::Arena& arena) {
  if (rule.message_program) {
    const cel::Value said = rule.message_program->Evaluate(variables, arena);
    const auto* text = said.If<std::string_view>();
    const std::string message = text ? Trim(*text) : "";
    if (!message.empty() && !message.contains('\n')) return message;
  }
  return rule.message.empty() ? "failed rule: " + NameOf(rule) : NameOf(rule);
}

FieldError ErrorFor(const ValidationRule& rule, const Schema& schema, const json::value& value,
                    const Path& path, std::string_view detail) {
  const bool below_field = !rule.field_path.empty();
  const std::string_view name =
      below_field ? std::string_view(rule.field_path).substr(1) : std::string_view();
  const std::string field = below_field ? path.Child(name).Text() : path.Text();
  if (rule.reason == "FieldValueForbidden") return Forbidden(field, detail);
  if (rule.reason == "FieldValueRequired") return RequiredValue(field, detail);
  if (rule.reason == "FieldValueDuplicate") return DuplicateValue(field, value);
  if (schema.type == SchemaType::kObject || schema.type == SchemaType::kArray) {
    return InvalidOmittingValue(field, detail);
  }
  return InvalidValue(field, value, detail);
}

class RuleValidation {
 public:
  explicit RuleValidation(FieldErrors& errors) : errors_(errors) {}

  // `changed`: false when something around it is known to be as before.
  void Of(const Schema& schema, const json::value* before, const json::value& value,
          const Path& path, bool changed) {
    if (value.is_null()) return;
    changed = changed && !IsUnchanged(schema, before, value);
    if (!(changed ? schema.any_rules : schema.any_transition_rules)) return;
    if (!schema.rules.empty()) RunRules(schema, before, value, path, changed);
    if (const auto* array = value.if_array(); array && schema.items) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        const bool keyed = schema.list_type == SchemaListType::kMap;
        Of(*schema.items, keyed ? ItemBefore(schema, before, (*array)[i]) : nullptr, (*array)[i],
           path.Index(i), changed);
      }
    }
    if (const auto* object = value.if_object()) {
      OfMembers(schema, ObjectOf(before), *object, path, changed);
    }
  }

  void OfMembers(const Schema& schema, const json::object* before, const json::object& object,
                 const Path& path, bool changed) {
    ForEachMember(schema, before, object, path,
                  [&](const Schema& of_member, const json::value* was, const json::value& value,
                      const Path& at) { Of(of_member, was, value, at, changed); });
  }

 private:
  void RunRules(const Schema& schema, const json::value* before, const json::value& value,
                const Path& path, bool changed) {
    if (before && before->is_null()) before = nullptr;
    cel::Arena arena;
    const cel::Value self = cel::FromJson(value, &schema);
    const cel::Value old_self = before ? cel::FromJson(*before, &schema) : cel::Value();
    for (const ValidationRule& rule : schema.rules) {
      if (!changed && !rule.is_transition) continue;
      if (rule.is_transition && !before && !rule.has_optional_old_self) continue;
      const cel::Value old =
          !rule.has_optional_old_self
              ? old_self
              : cel::Value(before ? arena.KeepOptional(old_self) : cel::Optional{});
      const cel::Value variables[] = {self, old};
      RunRule(rule, schema, variables, value, path, arena);
    }
  }

  void RunRule(const ValidationRule& rule, const Schema& schema,
               std::span<const cel::Value> variables, const json::value& value, const Path& path,
               cel::Arena& arena) {
    const cel::Value verdict = rule.program.Evaluate(variables, arena);
    if (const auto* failure = verdict.If<cel::Failure>()) {
      const std::string_view type = TypeWord(schema.type);
      errors_.push_back(InvalidValue(path.Text(), json::string(type.data(), type.size()),
                                     FailureDetail(failure->message, rule)));
      return;
    }
    const auto* truth = verdict.If<bool>();
    if (truth && *truth) return;
    errors_.push_back(ErrorFor(rule, schema, value, path, DetailOf(rule, variables, arena)));
  }

  FieldErrors& errors_;
};

}  // namespace

void ValidateRules(const Schema& schema, const json::object* before, const json::object& object,
                   FieldErrors& errors) {
  RuleValidation(errors).OfMembers(schema, before, object, Path(), true);
}

}  // namespace stillpoint::sim
