// Plain HTTP to the server under test: verbs, parameters and answers that kube::Client hides.
#pragma once

#include "contract/support/json.h"
#include "kube/clock.h"
#include "kube/config.h"
#include "kube/http_message.h"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace stillpoint::contract {

struct Answer {
  int status = 0;
  std::string text;
  Json body;  // null when the text is not one JSON value

  // Of a metav1.Status.
  [[nodiscard]] std::string Reason() const { return Text(body, "/reason"); }
  [[nodiscard]] std::string Message() const { return Text(body, "/message"); }

  // The events of a watch that has ended.
  [[nodiscard]] std::vector<Json> Events() const;
};

// Over a connection of its own, without a retry. `accept` may ask for another form of the answer.
// Errors: throws std::runtime_error when there is no answer within `timeout`.
[[nodiscard]] boost::asio::awaitable<Answer> SendRaw(kube::Config config, kube::Clock& clock,
                                                     kube::HttpRequest request, std::string accept,
                                                     std::chrono::milliseconds timeout);

}  // namespace stillpoint::contract
