#include "kube/status.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <string>

namespace stillpoint::kube {
namespace {

using api::Code;
using namespace std::chrono_literals;

const CallName kCall{.verb = "get",
                     .resource = {"", "v1", "Pod", "pods"},
                     .subresource = "",
                     .ns = "shop",
                     .name = "db-0"};

std::string StatusBody(const std::string& reason, const std::string& message) {
  return R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":")" + reason +
         R"(","message":")" + message + R"("})";
}

struct Case {
  int http;
  const char* reason;
  Code want;
};

TEST(StatusTest, MapsHttpStatusAndReasonToCodes) {
  const Case cases[] = {
      {400, "BadRequest", Code::kInvalid},
      {401, "Unauthorized", Code::kForbidden},
      {403, "Forbidden", Code::kForbidden},
      {404, "NotFound", Code::kNotFound},
      {405, "MethodNotAllowed", Code::kInvalid},
      {409, "AlreadyExists", Code::kAlreadyExists},
      {409, "Conflict", Code::kConflict},
      {409, "", Code::kConflict},
      {410, "Expired", Code::kExpired},
      {410, "Gone", Code::kExpired},
      {413, "RequestEntityTooLarge", Code::kInvalid},
      {415, "UnsupportedMediaType", Code::kInvalid},
      {422, "Invalid", Code::kInvalid},
      {429, "TooManyRequests", Code::kTooManyRequests},
      {500, "InternalError", Code::kUnavailable},
      {500, "ServerTimeout", Code::kTimeout},
      {502, "", Code::kUnavailable},
      {503, "ServiceUnavailable", Code::kUnavailable},
      {504, "Timeout", Code::kTimeout},
      {504, "", Code::kTimeout},
      {302, "", Code::kUnknown},
  };
  for (const Case& c : cases) {
    const api::Error error =
        ErrorFromAnswer(kCall, {.status = c.http}, StatusBody(c.reason, "because"));
    EXPECT_EQ(error.code, c.want) << c.http << " " << c.reason;
  }
}

// As a real API server of Kubernetes 1.36 answers it.
TEST(StatusTest, AnAppliedFieldThatTheSchemaLacksIsInvalid) {
  const std::string refusal =
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"failed to create typed patch object (shop/b; backups.example.com/v1alpha1, Kind=VolumeBackup): .spec.retries: field not declared in schema","code":500})";
  EXPECT_EQ(ErrorFromAnswer(kCall, {.status = 500}, refusal).code, Code::kInvalid);
  const std::string other =
      R"({"kind":"Status","status":"Failure","message":"etcdserver: request timed out","code":500})";
  EXPECT_EQ(ErrorFromAnswer(kCall, {.status = 500}, other).code, Code::kUnavailable);
}

TEST(StatusTest, SaysWhatWasAskedForAndWhatTheServerSaid) {
  const api::Error error = ErrorFromAnswer(kCall, {.status = 404},
                                           StatusBody("NotFound", "pods \\\"db-0\\\" not found"));
  EXPECT_EQ(error.message, "get pods shop/db-0: NotFound: pods \"db-0\" not found");
}

TEST(StatusTest, ForbiddenNamesVerbAndResource) {
  CallName call = kCall;
  call.verb = "patch";
  call.resource = {"snapshot.storage.k8s.io", "v1", "VolumeSnapshot", "volumesnapshots"};
  call.subresource = "status";
  const api::Error error = ErrorFromAnswer(call, {.status = 403}, "no");
  EXPECT_EQ(
      error.message,
      "patch volumesnapshots.snapshot.storage.k8s.io/status shop/db-0: Forbidden: HTTP 403: "
      "no (verb \"patch\" on \"volumesnapshots.snapshot.storage.k8s.io/status\" was refused)");
}

TEST(StatusTest, UnauthorizedIsAboutCredentials) {
  const api::Error error =
      ErrorFromAnswer(kCall, {.status = 401}, StatusBody("Unauthorized", "Unauthorized"));
  EXPECT_EQ(error.message,
            "get pods shop/db-0: Forbidden: Unauthorized (the server does not accept the "
            "credentials)");
}

TEST(StatusTest, NotFoundWithoutStatusIsAnAbsentKind) {
  const api::Error error = ErrorFromAnswer(kCall, {.status = 404}, "404 page not found\n");
  EXPECT_EQ(error.code, Code::kNotFound);
  EXPECT_EQ(error.message,
            "get pods shop/db-0: NotFound: the server does not serve pods in version v1; is its "
            "CRD installed?");
}

TEST(StatusTest, QuotesOtherBodiesShortAndOnOneLine) {
  const api::Error error = ErrorFromAnswer(kCall, {.status = 502},
                                           "<html>\r\nbad\x01gateway\n" + std::string(5000, 'x'));
  EXPECT_TRUE(error.message.starts_with(
      "get pods shop/db-0: Unavailable: HTTP 502: <html>  bad gateway xxx"));
  EXPECT_LT(error.message.size(), 1200U);
}

TEST(StatusTest, RetryAfterOfTheHeaderWinsOverThatOfTheStatus) {
  const std::string body =
      R"({"kind":"Status","reason":"TooManyRequests","details":{"retryAfterSeconds":7}})";
  EXPECT_EQ(ErrorFromAnswer(kCall, {.status = 429}, body).retry_after, 7s);
  EXPECT_EQ(ErrorFromAnswer(kCall, {.status = 429, .retry_after = 2s}, body).retry_after, 2s);
  EXPECT_EQ(ErrorFromAnswer(kCall, {.status = 429}, "").retry_after, std::nullopt);
}

TEST(StatusTest, ReadsErrorEvents) {
  const auto expired = ErrorFromStatus(
      kCall,
      boost::json::parse(R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})"));
  EXPECT_EQ(expired.code, Code::kExpired);
  EXPECT_EQ(expired.message, "get pods shop/db-0: Expired: too old");
  EXPECT_EQ(ErrorFromStatus(kCall, boost::json::parse(R"({"kind":"Status","code":500})")).code,
            Code::kUnavailable);
  EXPECT_EQ(ErrorFromStatus(kCall, boost::json::parse(R"({"kind":"Pod"})")).code,
            Code::kUnavailable);
  EXPECT_EQ(ErrorFromStatus(kCall, nullptr).code, Code::kUnavailable);
}

}  // namespace
}  // namespace stillpoint::kube
