// HttpFixture: an HTTP client and a scripted server on one loop, real sockets and virtual time.
#pragma once

#include "unit/support/fake_clock.h"
#include "unit/support/script_server.h"

#include "kube/client.h"
#include "kube/config.h"
#include "kube/credentials.h"
#include "kube/http_client.h"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::unit {

inline constexpr api::Resource kPods{"", "v1", "Pod", "pods"};

class HttpFixture : public testing::Test {
 protected:
  // A server that follows `script`, and a client that knows how to reach it.
  void Serve(ScriptServer::Script script, ScriptServer::Options options = {}) {
    server_ = std::make_unique<ScriptServer>(io_, std::move(options), std::move(script));
    config_.host = "127.0.0.1";
    config_.port = server_->port();
    config_.ca_pem = server_->authority().certificate_pem;
    if (!config_.credentials) config_.credentials = kube::MakeStaticCredentials({});
    MakeClient();
  }

  void MakeClient() {
    client_ = kube::MakeHttpClient(
        io_.get_executor(), config_, clock_,
        [this](kube::Severity, std::string_view line) { log_.emplace_back(line); },
        {.observe = [this](const kube::HttpRequestMetric& m) { seen_.push_back(m.http_status); }});
  }

  // Runs the loop until `done`; time stands still.
  void RunUntil(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    io_.restart();
    while (!done()) {
      io_.run_one_for(std::chrono::milliseconds(50));
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("it never comes");
    }
  }

  template <class T>
  T Finish(std::future<T> future) {
    RunUntil([&] { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    return future.get();
  }

  template <class T>
  std::future<T> Spawn(boost::asio::awaitable<T> coroutine) {
    return boost::asio::co_spawn(io_, std::move(coroutine), boost::asio::use_future);
  }

  using Answer = api::Result<kube::Answer>;
  std::future<Answer> Start(kube::Request request) {
    return Spawn(client_->Do(std::move(request)));
  }
  Answer Do(kube::Request request) { return Finish(Start(std::move(request))); }
  Answer Get() { return Do(GetPod()); }

  static kube::Request GetPod() {
    return {.verb = kube::Verb::kGet, .resource = kPods, .ns = "shop", .name = "db-0"};
  }
  static kube::Request CreatePod() {
    return {.verb = kube::Verb::kCreate,
            .resource = kPods,
            .ns = "shop",
            .body = {{"metadata", {{"name", "db-0"}}}}};
  }

  FakeClock clock_{io_};  // outlives the coroutines that die with the loop
  boost::asio::io_context io_{1};
  kube::Config config_;
  std::unique_ptr<ScriptServer> server_;
  std::unique_ptr<kube::Client> client_;
  std::vector<std::string> log_;  // the client's
  std::vector<int> seen_;         // HTTP statuses, by the metrics hook
};

}  // namespace stillpoint::unit
