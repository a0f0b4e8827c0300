// HttpClientTest: the HTTP client against a loopback server with scripted octets.
#pragma once

#include "kube/http_client.h"
#include "unit/support/http_fixture.h"

#include <chrono>
#include <cstddef>
#include <string>

namespace stillpoint::kube {

// A metav1.Status.
inline std::string StatusBody(int code, const std::string& reason) {
  return R"({"kind":"Status","code":)" + std::to_string(code) + R"(,"reason":")" + reason +
         R"(","message":"because"})";
}

inline const std::string kGood = unit::HttpAnswer(200, R"({"a":1})");

class HttpClientTest : public unit::HttpFixture {
 protected:
  // Lets `pause` pass once the client waits for its next attempt.
  void PassPause(std::chrono::milliseconds pause) {
    ++pauses_;
    RunUntil([&] { return log_.size() >= pauses_; });
    clock_.Advance(pause);
  }

  std::size_t pauses_ = 0;
};

}  // namespace stillpoint::kube
