// SimClient: kube::Client of one life over the network of the simulation. It tries again what the
// real client does (kube/retry_policy.h), so that its callers meet the same errors.
#pragma once

#include "kube/client.h"
#include "sim/world/network.h"
#include "sim/world/sim_clock.h"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace stillpoint::sim {

// Threads, lifetime, cancellation: as kube::Client.
class SimClient final : public kube::Client {
 public:
  SimClient(World& world, Network& network, SimClock& clock, int life)
      : world_(world), network_(network), clock_(clock), life_(life) {}

  [[nodiscard]] boost::asio::awaitable<api::Result<kube::Answer>> Do(
      kube::Request request) override;
  [[nodiscard]] boost::asio::awaitable<api::Result<std::unique_ptr<kube::WatchStream>>> Watch(
      kube::WatchRequest request) override;

  // The life is over: whoever asks for anything now aborts the run.
  void Close() { closed_ = true; }

 private:
  [[nodiscard]] boost::asio::awaitable<api::Result<kube::Answer>> Try(kube::Request request);
  [[nodiscard]] boost::asio::awaitable<std::shared_ptr<Reply>> Once(
      std::shared_ptr<const kube::Request> request, api::Time deadline);
  [[nodiscard]] boost::asio::awaitable<api::Result<std::unique_ptr<kube::WatchStream>>> Open(
      kube::WatchRequest request);

  World& world_;
  Network& network_;
  SimClock& clock_;
  const int life_;
  bool closed_ = false;
};

// Ends the program with a word when `closed`.
void DieIfClosed(bool closed, int life);

}  // namespace stillpoint::sim
