#include "sim/pocket/status.h"

namespace stillpoint::sim::pocket {

namespace json = boost::json;
using api::Code;

namespace {

json::string Text(std::string_view text) {
  return json::string(text.data(), text.size());
}

std::string_view ReasonOf(Code code) {
  switch (code) {
    case Code::kUnavailable:
      return "ServiceUnavailable";
    case Code::kUnknown:
    case Code::kCancelled:
      return "InternalError";
    default:
      return api::ToString(code);
  }
}

json::object DetailsOf(const RequestPath& path) {
  json::object details;
  if (!path.name.empty()) details["name"] = path.name;
  if (path.kind && !path.kind->resource.group.empty()) {
    details["group"] = Text(path.kind->resource.group);
  }
  if (path.kind) details["kind"] = Text(path.kind->resource.plural);
  return details;
}

}  // namespace

int HttpStatusOf(Code code) {
  switch (code) {
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kConflict:
      return 409;
    case Code::kInvalid:
      return 422;
    case Code::kForbidden:
      return 403;
    case Code::kExpired:
      return 410;
    case Code::kTooManyRequests:
      return 429;
    case Code::kTimeout:
      return 504;
    case Code::kUnavailable:
      return 503;
    case Code::kUnknown:
    case Code::kCancelled:
      return 500;
  }
  return 500;
}

json::object FailureStatus(int http_status, std::string_view reason, std::string_view message) {
  json::object status{{"kind", "Status"},           {"apiVersion", "v1"},
                      {"metadata", json::object()}, {"status", "Failure"},
                      {"message", Text(message)},   {"code", http_status}};
  if (!reason.empty()) status["reason"] = Text(reason);
  return status;
}

// Where in a list of errors the next one begins: what separates them may stand within one, too.
std::size_t FindNext(std::string_view list) {
  for (std::size_t at = list.find(", "); at != list.npos; at = list.find(", ", at + 1)) {
    for (const std::string_view top : {"spec", "metadata", "status"}) {
      if (list.substr(at + 2).starts_with(top)) return at;
    }
  }
  return list.npos;
}

// kubectl prints these and not the message.
json::array CausesOf(std::string_view message) {
  constexpr std::string_view kIntroduction = " is invalid: ";
  const auto begin = message.find(kIntroduction);
  std::string_view list =
      begin == message.npos ? message : message.substr(begin + kIntroduction.size());
  if (list.starts_with('[') && list.ends_with(']')) list = list.substr(1, list.size() - 2);
  json::array causes;
  while (!list.empty()) {
    const auto next = FindNext(list);
    std::string_view text = list.substr(0, next);
    list = next == list.npos ? std::string_view() : list.substr(next + 2);
    json::object cause{{"reason", "FieldValueInvalid"}};
    const auto colon = text.find(": ");
    if (colon != text.npos && text.substr(0, colon).find(' ') == text.npos) {
      cause["field"] = Text(text.substr(0, colon));
      text.remove_prefix(colon + 2);
    }
    cause["message"] = Text(text);
    causes.push_back(std::move(cause));
  }
  return causes;
}

json::object FailureStatus(const api::Error& error, const RequestPath& path) {
  json::object status =
      FailureStatus(HttpStatusOf(error.code), ReasonOf(error.code), error.message);
  json::object details = DetailsOf(path);
  // Of what is invalid the kind itself is named, of all else the plural.
  if (path.kind && error.code == Code::kInvalid) {
    details["kind"] = Text(path.kind->resource.kind);
    details["causes"] = CausesOf(error.message);
  }
  status["details"] = std::move(details);
  return status;
}

json::object SuccessStatus(const RequestPath& path, const std::string& uid) {
  json::object details = DetailsOf(path);
  details["uid"] = uid;
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", json::object()},
          {"status", "Success"},
          {"details", std::move(details)}};
}

}  // namespace stillpoint::sim::pocket
