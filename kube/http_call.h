// HttpCall: one call to the API server, with its retries, up to the head of a good answer.
#pragma once

#include "api/error.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/config.h"
#include "kube/http_client.h"
#include "kube/http_connection.h"
#include "kube/http_pool.h"
#include "kube/log.h"
#include "kube/random.h"
#include "kube/request_url.h"
#include "kube/retry_policy.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace stillpoint::kube {

// What the calls of one client share.
struct HttpShared {
  HttpShared(boost::asio::any_io_executor with_executor, Config with_config, Clock& with_clock,
             LogFn with_log, HttpClientOptions with_options)
      : executor(std::move(with_executor)),
        config(std::move(with_config)),
        clock(with_clock),
        log(std::move(with_log)),
        options(std::move(with_options)),
        pool(clock),
        random(options.jitter_seed) {}

  // The TLS settings, which show the certificate of `credential` from now on. When it is another
  // one than last time, the connections in the pool are somebody else's and are closed.
  [[nodiscard]] api::Result<std::shared_ptr<TlsClientContext>> TlsFor(const Credential& credential);

  const boost::asio::any_io_executor executor;
  const Config config;
  Clock& clock;
  const LogFn log;
  const HttpClientOptions options;
  HttpPool pool;
  Random random;
  std::shared_ptr<TlsClientContext> tls;
  Credential tls_identity;  // whose certificate `tls` shows
};

// Lifetime: must outlive its coroutine; lives in the frame of the one that awaits it.
class HttpCall {
 public:
  // `verb` says what may be retried: kGet for a watch.
  HttpCall(HttpShared& shared, CallName name, Verb verb, HttpRequest request)
      : shared_(shared), name_(std::move(name)), verb_(verb), request_(std::move(request)) {}

  // The body of the answer. kTimeout when `timeout` is over in the middle of an attempt.
  [[nodiscard]] boost::asio::awaitable<api::Result<boost::json::value>> Fetch(
      std::chrono::milliseconds timeout);

  // The connection, the answer's body still to be read.
  [[nodiscard]] boost::asio::awaitable<api::Result<std::unique_ptr<HttpConnection>>> OpenStream(
      std::chrono::milliseconds timeout);

 private:
  using Connection = std::unique_ptr<HttpConnection>;

  // Makes attempts until one succeeds, must not be repeated, or the deadline has come.
  template <class T>
  boost::asio::awaitable<api::Result<T>> RunUntilDeadline(
      std::chrono::milliseconds timeout,
      boost::asio::awaitable<api::Result<T>> (HttpCall::*once)());
  template <class T>
  boost::asio::awaitable<api::Result<T>> Retry(
      boost::asio::awaitable<api::Result<T>> (HttpCall::*once)());

  // One attempt. The circumstances of a failure are in failed_.
  boost::asio::awaitable<api::Result<boost::json::value>> FetchOnce();
  boost::asio::awaitable<api::Result<Connection>> OpenStreamOnce();

  // Sends the request and reads the head of a good answer.
  boost::asio::awaitable<api::Result<Connection>> Exchange(HttpConnection::BodyLength expected);
  boost::asio::awaitable<api::Result<Connection>> Connect(Credential credential);
  boost::asio::awaitable<api::Error> ReadRefusal(Connection connection, HttpHead head);

  // The pause before the next attempt; empty when there must be none.
  std::optional<std::chrono::milliseconds> NextPause();
  api::Error Fail(const HttpConnection& connection, api::Error error);
  api::Error FailToConnect(api::Error error);
  void Observe(int http_status) const;

  HttpShared& shared_;
  const CallName name_;
  const Verb verb_;
  const HttpRequest request_;
  Clock::Steady deadline_{};
  Clock::Steady attempt_start_{};
  int attempt_ = 0;
  bool credential_renewed_ = false;
  bool connection_reused_ = false;
  bool finished_ = false;
  FailedAttempt failed_;
};

}  // namespace stillpoint::kube
