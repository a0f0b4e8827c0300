#include "kube/status.h"

#include <boost/json/parse.hpp>

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace json = boost::json;
using api::Code;

// The parts of a metav1.Status that we look at.
struct Status {
  int code = 0;
  std::string reason;
  std::string message;
  std::optional<std::chrono::seconds> retry_after;
};

// Of what the server said. It quotes whole objects back when it finds them invalid.
constexpr std::size_t kMaxQuote = 1024;

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::int64_t Number(const json::value* value) {
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::optional<Status> ParseStatus(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr || Text(*object, "kind") != "Status") return std::nullopt;
  Status status{.code = static_cast<int>(Number(object->if_contains("code"))),
                .reason = Text(*object, "reason"),
                .message = Text(*object, "message")};
  boost::system::error_code absent;
  const auto seconds = Number(value.find_pointer("/details/retryAfterSeconds", absent));
  if (seconds > 0) status.retry_after = std::chrono::seconds(seconds);
  return status;
}

// Reasons that say more than the HTTP status they come with.
std::optional<Code> CodeOfReason(std::string_view reason) {
  static constexpr std::array kCodes = {
      std::pair{std::string_view("AlreadyExists"), Code::kAlreadyExists},
      std::pair{std::string_view("Expired"), Code::kExpired},
      std::pair{std::string_view("Gone"), Code::kExpired},
      std::pair{std::string_view("Timeout"), Code::kTimeout},
      std::pair{std::string_view("ServerTimeout"), Code::kTimeout},
  };
  for (const auto& [name, code] : kCodes) {
    if (name == reason) return code;
  }
  return std::nullopt;
}

Code CodeOfHttp(int status) {
  switch (status) {
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
    case 422:
      return Code::kInvalid;
    case 401:
    case 403:
    case 407:
      return Code::kForbidden;
    case 404:
      return Code::kNotFound;
    case 408:
    case 504:
      return Code::kTimeout;
    case 409:
      return Code::kConflict;
    case 410:
      return Code::kExpired;
    case 429:
      return Code::kTooManyRequests;
    default:
      return status >= 500 && status <= 599 ? Code::kUnavailable : Code::kUnknown;
  }
}

// As one line that fits into a log or a condition.
std::string Quote(std::string_view text) {
  std::string quoted;
  for (const char c : text.substr(0, kMaxQuote)) {
    quoted += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  }
  while (quoted.ends_with(' ')) quoted.pop_back();
  return text.size() > kMaxQuote ? quoted + "..." : quoted;
}

// An applied object that does not fit its schema. The server gives this error no status of its own,
// so that it comes as a 500 without a reason, and there is nothing to know it by but its words
// (k8s.io/apimachinery/pkg/util/managedfields). Asked again it says the same again.
bool RefusesApply(const Status& status, int http_status) {
  return http_status == 500 && status.reason.empty() &&
         status.message.starts_with("failed to create typed patch object");
}

// What to say when the server gave no metav1.Status.
std::string Explain(const CallName& call, int http_status, std::string_view body) {
  if (http_status == 404) {
    return fmt::format("the server does not serve {} in version {}; is its CRD installed?",
                       call.ResourceText(), call.resource.version);
  }
  return fmt::format("HTTP {}: {}", http_status, Quote(body));
}

api::Error MakeError(const CallName& call, Code code, int http_status, std::string_view message) {
  std::string text = fmt::format("{}: {}: {}", call.ToString(), api::ToString(code), message);
  if (http_status == 401) {
    text += " (the server does not accept the credentials)";
  } else if (code == Code::kForbidden) {
    text += fmt::format(" (verb \"{}\" on \"{}\" was refused)", call.verb, call.ResourceText());
  }
  return {code, std::move(text)};
}

}  // namespace

api::Error ErrorFromAnswer(const CallName& call, const HttpHead& head, std::string_view body) {
  boost::system::error_code not_json;
  const json::value value = json::parse(body, not_json);
  const auto status = not_json ? std::nullopt : ParseStatus(value);
  Code code = CodeOfHttp(head.status);
  if (status) code = CodeOfReason(status->reason).value_or(code);
  if (status && RefusesApply(*status, head.status)) code = Code::kInvalid;
  const bool has_message = status && !status->message.empty();
  api::Error error =
      MakeError(call, code, head.status,
                has_message ? Quote(status->message) : Explain(call, head.status, body));
  error.retry_after = head.retry_after;
  if (!error.retry_after && status) error.retry_after = status->retry_after;
  return error;
}

api::Error ErrorFromStatus(const CallName& call, const json::value& value) {
  const auto status = ParseStatus(value);
  if (!status) {
    return MakeError(call, Code::kUnavailable, 0, "the server sent an error without a status");
  }
  const Code code = CodeOfReason(status->reason).value_or(CodeOfHttp(status->code));
  api::Error error = MakeError(call, code, status->code, Quote(status->message));
  error.retry_after = status->retry_after;
  return error;
}

}  // namespace stillpoint::kube
