#include "sim/pocket/http_replies.h"

#include "sim/pocket/protobuf_body.h"
#include "sim/pocket/status.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <utility>

namespace stillpoint::sim::pocket {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxJsonDepth = 256;

}  // namespace

HttpReply Reply(int status, const json::object& body) {
  return {.status = status, .body = json::serialize(body)};
}

HttpReply Refuse(int status, std::string_view reason, std::string_view message) {
  return Reply(status, FailureStatus(status, reason, message));
}

HttpReply Refuse(const Refused& refused) {
  json::object status = FailureStatus(refused.status, refused.reason, refused.message);
  if (!refused.cause.empty()) {
    const json::object cause{{"reason", refused.cause}, {"message", refused.message}};
    status["details"] = json::object{{"causes", json::array{cause}}};
  }
  return Reply(refused.status, status);
}

HttpReply Fail(const api::Error& error, const RequestPath& path) {
  return Reply(HttpStatusOf(error.code), FailureStatus(error, path));
}

HttpReply UnknownPath() {
  return Refuse(404, "NotFound", "the server could not find the requested resource");
}

HttpReply WrongMethod() {
  return Refuse(405, "MethodNotAllowed",
                "the server does not allow this method on the requested resource");
}

std::optional<json::value> ParseBody(const std::string& body) {
  if (IsProtobuf(body)) {
    auto object = ParseProtobuf(body);
    return object ? std::optional<json::value>(std::move(*object)) : std::nullopt;
  }
  boost::system::error_code error;
  json::value value = json::parse(body, error, {}, {.max_depth = kMaxJsonDepth});
  return error ? std::nullopt : std::optional(std::move(value));
}

std::size_t NumberOr(const std::string& text, std::size_t absent) {
  std::size_t number = absent;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace stillpoint::sim::pocket
