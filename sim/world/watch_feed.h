// WatchFeed: one open watch on its way from the server to a life: late, in order, until it ends,
// breaks or falls silent.
//
// Delivery of an event is the point "answer event <resource> <ns>/<name>".
#pragma once

#include "api/error.h"
#include "kube/client.h"
#include "kube/waiters.h"
#include "sim/cluster/watch_cursor.h"
#include "sim/world/network.h"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

namespace stillpoint::sim {

// Lifetime: shared by the stream of the client and, until that has it, by the answer on its way.
class WatchFeed : public std::enable_shared_from_this<WatchFeed> {
 public:
  WatchFeed(Network& network, int life, boost::asio::any_io_executor executor,
            kube::WatchRequest request, WatchCursor cursor);
  ~WatchFeed();
  WatchFeed(const WatchFeed&) = delete;
  WatchFeed& operator=(const WatchFeed&) = delete;

  // Sends what is there to be seen. Call once after construction; then the network does.
  void Open();
  void Pump();

  // The next that has arrived; empty: nothing yet.
  [[nodiscard]] std::optional<api::Result<kube::WatchEvent>> Take();
  [[nodiscard]] kube::Waiters& news() { return news_; }

  [[nodiscard]] std::string_view plural() const { return request_.resource.plural; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  void SetId(std::uint64_t id) { id_ = id; }

 private:
  void SendBookmark();
  void Send(Seen seen);
  void Wake(World::Duration delay);
  void Hand();
  void HandEnd(bool patient);
  void End(api::Error error);
  [[nodiscard]] std::optional<World::Duration> HeldUp() const;

  Network& network_;
  const int life_;
  const kube::WatchRequest request_;
  std::uint64_t id_ = 0;
  WatchCursor cursor_;
  std::deque<Seen> on_the_way_;
  api::Time last_due_{};  // nothing overtakes
  api::Time blocked_until_{};
  bool silent_ = false;  // the connection is dead and nobody has noticed
  std::deque<kube::WatchEvent> arrived_;
  std::optional<api::Error> end_;  // after what has arrived
  kube::Waiters news_;
};

}  // namespace stillpoint::sim
