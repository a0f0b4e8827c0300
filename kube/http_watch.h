// HttpWatch: the events of a watch, from the body of an answer that does not end.
#pragma once

#include "kube/client.h"
#include "kube/clock.h"
#include "kube/http_connection.h"
#include "kube/request_url.h"
#include "kube/watch_framing.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace stillpoint::kube {

// Errors, beyond those of WatchStream: what the server said in an ERROR event, by its code.
class HttpWatch final : public WatchStream {
 public:
  // How late the server may end the stream, and how long it may be silent from then on.
  static constexpr std::chrono::seconds kGrace{30};

  HttpWatch(Clock& clock, CallName name, std::unique_ptr<HttpConnection> connection,
            std::chrono::seconds lifetime)
      : clock_(clock),
        name_(std::move(name)),
        connection_(std::move(connection)),
        planned_end_(clock.SteadyNow() + lifetime) {}

  [[nodiscard]] boost::asio::awaitable<api::Result<WatchEvent>> Next() override;

 private:
  boost::asio::awaitable<api::Result<std::string>> NextLine();
  boost::asio::awaitable<api::Result<void>> ReadMore();
  api::Result<WatchEvent> ParseEvent(const std::string& line) const;
  api::Error Ended(api::Code code, const std::string& why) const;

  Clock& clock_;
  const CallName name_;
  std::unique_ptr<HttpConnection> connection_;  // null: the stream is over
  const Clock::Steady planned_end_;
  WatchFramer framer_;
};

}  // namespace stillpoint::kube
