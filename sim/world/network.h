// Network: what lies between the lives of controllers and the cluster: time that passes, answers
// that get lost, requests that land after their sender is dead. One Exchange is one request and its
// answer; streams that such a request opens (watch_feed.h, exec_stream.h) have their own way.
//
// Each exchange is seen at three points: kSend, kEffect, kAnswer (point.h).
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/waiters.h"
#include "sim/cluster/api_server.h"
#include "sim/cluster/container_runtime.h"
#include "sim/world/world.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stillpoint::sim {

class WatchFeed;
class ExecStream;

// Both ends included.
struct Span {
  World::Duration least{0};
  World::Duration most{0};
};

struct NetworkKnobs {
  Span request{std::chrono::microseconds(200), std::chrono::milliseconds(3)};  // one way
  Span watch{std::chrono::microseconds(200), std::chrono::milliseconds(5)};
  Span exec{std::chrono::microseconds(200), std::chrono::milliseconds(4)};    // one way, each frame
  Span connect{std::chrono::milliseconds(2), std::chrono::milliseconds(20)};  // of an exec
  // How long the far end of a stream takes to notice that the near one is gone.
  Span hangup{std::chrono::milliseconds(1), std::chrono::seconds(2)};
  // How much later than that what a dead life has sent may land.
  Span zombie{std::chrono::seconds(0), std::chrono::seconds(20)};
  std::chrono::milliseconds bookmark_period{60'000};  // zero: no bookmarks
};

// What an exchange is about; its name at its points.
struct Subject {
  std::string_view verb;
  api::Resource resource;
  std::string subresource;
  std::string ns;
  std::string name;
  const boost::json::value* body = nullptr;  // lives as long as the exchange's effect
};

using Payload = std::variant<kube::Answer, std::shared_ptr<WatchFeed>, std::shared_ptr<ExecStream>>;

// Where the answer of an exchange arrives. Lives in the frame of the coroutine that waits for it.
struct Reply {
  explicit Reply(boost::asio::any_io_executor executor) : news(std::move(executor)) {}

  void Set(api::Result<Payload> result, bool by_server);

  std::optional<api::Result<Payload>> outcome;
  bool answered = false;  // by the server; else the outcome is the network's
  kube::Waiters news;
};

struct Exchange {
  int life = 0;
  Subject subject;
  bool is_exec = false;  // which of the two partitions holds it up
  api::Time deadline{};  // of the sender's patience
  Span way;              // one way
  std::function<api::Result<Payload>()> effect;
  std::weak_ptr<Reply> reply;
  bool late = false;  // it has been put off, as its sender is dead
};

// Threads: one.
// Lifetime: world, server and runtime outlive it; it outlives every life.
class Network {
 public:
  Network(World& world, ApiServer& server, ContainerRuntime& runtime, NetworkKnobs knobs);
  // The end of the run: what is still on its way is forgotten (World::Close).
  ~Network() { world_.Close(); }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Sends it on its way. The reply is set once, by an event: with the answer, or with kTimeout at
  // the deadline, or with kUnavailable.
  void Send(std::shared_ptr<Exchange> exchange);

  // What the API server that this life talks to says: where its watches lag, so do the lists from
  // the same cache.
  [[nodiscard]] api::Result<kube::Answer> Answer(int life, const kube::Request& request);

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] ApiServer& server() { return server_; }
  [[nodiscard]] ContainerRuntime& runtime() { return runtime_; }
  [[nodiscard]] const NetworkKnobs& knobs() const { return knobs_; }

  // The length of one way of something so called.
  [[nodiscard]] World::Duration Draw(const Span& span, int life, std::string_view name) const;

  // When to look again whether what a partition holds up can pass: it may heal before its time.
  [[nodiscard]] static World::Duration Soon(World::Duration left) {
    return std::min<World::Duration>(left, std::chrono::seconds(5));
  }

  // Open watches.
  void Add(WatchFeed& feed);
  void Remove(WatchFeed& feed);

  // Open exec streams.
  void Add(std::weak_ptr<ExecStream> stream);

 private:
  void Arrive(const std::shared_ptr<Exchange>& exchange, std::optional<api::Code> refused);
  [[nodiscard]] bool PutOff(const std::shared_ptr<Exchange>& exchange,
                            std::optional<api::Code> refused);
  void Return(const std::shared_ptr<Exchange>& exchange, api::Result<Payload> result,
              World::Duration delay);
  void Hand(const std::shared_ptr<Exchange>& exchange, api::Result<Payload> result);
  void Lose(const std::shared_ptr<Exchange>& exchange, api::Code code);
  void FailAtDeadline(const std::shared_ptr<Exchange>& exchange);
  [[nodiscard]] World::Disturbance Meet(const Exchange& exchange, Stage stage,
                                        const api::Error* error);
  [[nodiscard]] std::optional<World::Duration> Cut(const Exchange& exchange) const;
  void Changed(const api::Resource& resource, const Change& change);
  void DropStreams(int life);

  World& world_;
  ApiServer& server_;
  ContainerRuntime& runtime_;
  const NetworkKnobs knobs_;
  std::uint64_t last_feed_ = 0;
  std::map<std::uint64_t, WatchFeed*> feeds_;  // by age
  std::vector<std::weak_ptr<ExecStream>> streams_;
};

}  // namespace stillpoint::sim
