// The HTTP client: requests, answers, and answers that ask for patience or another credential.
#include "unit/kube/http_client_fixture.h"

#include <gmock/gmock.h>
#include <boost/json/serialize.hpp>

#include <memory>
#include <string>

namespace stillpoint::kube {
namespace {

using namespace std::chrono_literals;
using api::Code;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using unit::CloseTls;
using unit::HttpAnswer;
using unit::Read;
using unit::Write;

// ---- one exchange -----------------------------------------------------------------------------

TEST_F(HttpClientTest, SendsTheRequestAndReadsTheObject) {
  config_.credentials = MakeStaticCredentials({.bearer_token = Sensitive("t0k3n")});
  config_.user_agent = "stillpoint/test";
  Serve({{Read(), Write(kGood)}});
  const auto answer = Get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(boost::json::serialize(**answer), R"({"a":1})");
  EXPECT_THAT(server_->requests(),
              ElementsAre("GET /api/v1/namespaces/shop/pods/db-0 HTTP/1.1\r\nHost: 127.0.0.1:" +
                          server_->port() +
                          "\r\nUser-Agent: stillpoint/test\r\nAccept: application/json\r\n"
                          "Authorization: Bearer t0k3n\r\n\r\n"));
  EXPECT_THAT(seen_, ElementsAre(200));
}

TEST_F(HttpClientTest, SendsTheBodyOfAWrite) {
  Serve({{Read(), Write(HttpAnswer(201, "{}"))}});
  ASSERT_TRUE(Do(CreatePod()));
  EXPECT_THAT(server_->requests()[0],
              AllOf(HasSubstr("POST /api/v1/namespaces/shop/pods?fieldManager=stillpoint "),
                    HasSubstr("Content-Type: application/json\r\nContent-Length: 28\r\n"),
                    HasSubstr("\r\n\r\n{\"metadata\":{\"name\":\"db-0\"}}"),
                    Not(HasSubstr("Authorization"))));
}

TEST_F(HttpClientTest, ReadsAnAnswerCutAnywhere) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n\r\n4\r\n{\"a\"\r\n3;x=y\r\n:1}\r\n0\r\n\r\n";
  std::vector<unit::ScriptStep> steps;
  for (std::size_t split = 1; split < answer.size(); ++split) {
    steps.insert(steps.end(),
                 {Read(), Write(answer.substr(0, split)), Write(answer.substr(split))});
  }
  Serve({steps});
  for (std::size_t split = 1; split < answer.size(); ++split) {
    const auto value = Get();
    ASSERT_TRUE(value) << split << ": " << value.error().message;
    ASSERT_EQ(boost::json::serialize(**value), R"({"a":1})") << split;
  }
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpClientTest, EmptyBodyIsNull) {
  Serve({{Read(), Write("HTTP/1.1 204 No Content\r\n\r\n")}});
  const auto answer = Get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE((*answer)->empty());
}

TEST_F(HttpClientTest, ReadsABodyThatEndsWithTheConnection) {
  Serve({{Read(), Write("HTTP/1.1 200 OK\r\n\r\n{}"), CloseTls()}});
  const auto answer = Get();
  ASSERT_TRUE(answer) << answer.error().message;
}

TEST_F(HttpClientTest, ReadsFortyMegabytes) {
  config_.plain_http = true;  // TLS has no part in it and costs seconds
  std::string list = R"({"metadata":{},"items":[")";
  list.append(std::size_t{40} << 20, 'x');
  list += "\"]}";
  Serve({{Read(), Write(HttpAnswer(200, list))}}, {.tls = false});
  const auto answer = Get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ((*answer)->at("items").at(0).as_string().size(), std::size_t{40} << 20);
}

TEST_F(HttpClientTest, ReadsDeepObjects) {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  Serve({{Read(), Write(HttpAnswer(200, R"({"a":)" + deep + "}"))}});
  EXPECT_TRUE(Get());
}

TEST_F(HttpClientTest, RefusesWhatIsNoObject) {
  Serve({{Read(), Write(HttpAnswer(200, "[]"))}});
  EXPECT_EQ(Get().error().message, "the server's answer is no object");
}

TEST_F(HttpClientTest, RefusesTooLargeABody) {
  Serve({{Read(), Write("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n")}});
  EXPECT_EQ(Get().error().message, "get pods shop/db-0: Unknown: the answer is larger than 64 MB");
}

TEST_F(HttpClientTest, ReadsLargeHeadersButNotEndlessOnes) {
  const std::string good = "X-Long: " + std::string(60'000, 'x') + "\r\n";
  const std::string bad = "X-Long: " + std::string(70'000, 'x') + "\r\n";
  Serve({{Read(), Write(HttpAnswer(200, "{}", good)), Read(), Write(HttpAnswer(200, "{}", bad))}});
  EXPECT_TRUE(Get());
  EXPECT_EQ(Get().error().message,
            "get pods shop/db-0: Unknown: the headers of the answer are larger than 64 KB");
}

TEST_F(HttpClientTest, RefusesWhatIsNoHttpOrNoJson) {
  Serve({{Read(), Write("220 smtp.example ESMTP\r\n\r\n")},
         {Read(), Write(HttpAnswer(200, "<html>"))},
         {Read(), Write(HttpAnswer(200, "{\"a\":"))}});
  EXPECT_THAT(Get().error().message, HasSubstr("the answer is no HTTP"));
  EXPECT_THAT(Get().error().message, HasSubstr("the answer is not JSON"));
  EXPECT_THAT(Get().error().message, HasSubstr("the answer is not JSON"));
}

TEST_F(HttpClientTest, GivesErrorsAsCodes) {
  Serve({{Read(), Write(HttpAnswer(404, StatusBody(404, "NotFound"))),  //
          Read(), Write(HttpAnswer(409, StatusBody(409, "Conflict"))), Read(),
          Write(HttpAnswer(409, StatusBody(409, "AlreadyExists"))), Read(),
          Write(HttpAnswer(410, StatusBody(410, "Expired"))), Read(),
          Write(HttpAnswer(422, StatusBody(422, "Invalid"))), Read(),
          Write(HttpAnswer(403, StatusBody(403, "Forbidden")))}});
  for (const Code code : {Code::kNotFound, Code::kConflict, Code::kAlreadyExists, Code::kExpired,
                          Code::kInvalid, Code::kForbidden}) {
    EXPECT_EQ(Get().error().code, code);
  }
  EXPECT_EQ(server_->connections(), 1);
  EXPECT_THAT(seen_, ElementsAre(404, 409, 409, 410, 422, 403));
}

// ---- answers that ask for patience ------------------------------------------------------------

TEST_F(HttpClientTest, WaitsAsLongAsTheServerAsks) {
  Serve({{Read(), Write(HttpAnswer(429, "", "Retry-After: 3\r\n")), Read(), Write(kGood)}});
  auto future = Start(CreatePod());
  PassPause(2999ms);
  EXPECT_THAT(server_->requests(), SizeIs(1));
  clock_.Advance(1ms);
  EXPECT_TRUE(Finish(std::move(future)));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("next attempt in 3s")));
  EXPECT_THAT(seen_, ElementsAre(429, 200));
}

TEST_F(HttpClientTest, DoesNotWaitBeyondTheDeadline) {
  Serve({{Read(), Write(HttpAnswer(429, "", "Retry-After: 20\r\n"))}});
  const auto answer = Get();
  EXPECT_EQ(answer.error().code, Code::kTooManyRequests);
  EXPECT_EQ(answer.error().retry_after, 20s);
}

TEST_F(HttpClientTest, RepeatsReadsAfterServerErrors) {
  Serve({{Read(), Write(HttpAnswer(500, "")), Read(), Write(HttpAnswer(503, "")), Read(),
          Write(kGood)}});
  auto future = Start(GetPod());
  PassPause(150ms);
  PassPause(300ms);
  EXPECT_TRUE(Finish(std::move(future)));
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpClientTest, SurfacesServerErrorsOfWrites) {
  Serve({{Read(), Write(HttpAnswer(500, ""))}});
  EXPECT_EQ(Do(CreatePod()).error().code, Code::kUnavailable);
  EXPECT_THAT(server_->requests(), SizeIs(1));
}

TEST_F(HttpClientTest, SilenceEndsAtTheDeadline) {
  Serve({{Read()}});
  auto future = Start(GetPod());
  RunUntil([&] { return server_->requests().size() == 1; });
  clock_.Advance(15s);
  const auto answer = Finish(std::move(future));
  EXPECT_EQ(answer.error().code, Code::kTimeout);
  EXPECT_EQ(answer.error().message, "get pods shop/db-0: Timeout: no answer within 15s");
  RunUntil([&] { return server_->open() == 0; });  // the connection was closed
  EXPECT_THAT(seen_, ElementsAre(0));
}

TEST_F(HttpClientTest, DeadlineTellsWhatWentWrongBefore) {
  Serve({{Read(), Write(HttpAnswer(500, "oops")), Read()}});
  auto future = Start(GetPod());
  PassPause(150ms);
  RunUntil([&] { return server_->requests().size() == 2; });
  clock_.Advance(15s);
  EXPECT_THAT(Finish(std::move(future)).error().message,
              AllOf(HasSubstr("no answer within 15s"), HasSubstr("HTTP 500: oops")));
}

// ---- credentials ------------------------------------------------------------------------------

// Gives token-1 until it is told that the server does not like it, then token-2, and so on.
class CountingCredentials final : public CredentialSource {
 public:
  boost::asio::awaitable<api::Result<Credential>> Current() override {
    if (broken) co_return api::Error{Code::kUnavailable, "credential plugin x: no"};
    co_return Credential{.bearer_token = Sensitive("token-" + std::to_string(count))};
  }
  void Invalidate() override { ++count; }
  int count = 1;
  bool broken = false;
};

TEST_F(HttpClientTest, AsksForAnotherCredentialWhenRefused) {
  config_.credentials = std::make_shared<CountingCredentials>();
  Serve({{Read(), Write(HttpAnswer(401, StatusBody(401, "Unauthorized"))), Read(), Write(kGood)}});
  EXPECT_TRUE(Do(CreatePod()));
  EXPECT_THAT(server_->requests(),
              ElementsAre(HasSubstr("Bearer token-1\r\n"), HasSubstr("Bearer token-2\r\n")));
}

TEST_F(HttpClientTest, AsksOnlyOnce) {
  config_.credentials = std::make_shared<CountingCredentials>();
  Serve({{Read(), Write(HttpAnswer(401, "")), Read(), Write(HttpAnswer(401, ""))}});
  EXPECT_EQ(Get().error().code, Code::kForbidden);
  EXPECT_THAT(server_->requests(), SizeIs(2));
}

TEST_F(HttpClientTest, SurfacesFailureToGetACredential) {
  auto credentials = std::make_shared<CountingCredentials>();
  credentials->broken = true;
  config_.credentials = credentials;
  Serve({{}});
  const auto answer = Get();
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(answer.error().message, "get pods shop/db-0: Unavailable: credential plugin x: no");
  EXPECT_EQ(server_->connections(), 0);
}

}  // namespace
}  // namespace stillpoint::kube
