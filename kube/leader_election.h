// LeaderElector: of several controllers, at most one acts. They agree by a Lease.
//
// Contract: client-go's tools/leaderelection. A candidate judges a lease by how long its own
// monotonic clock has seen it unchanged, and never compares the times written in it with its own.
#pragma once

#include "api/coordination.h"
#include "api/error.h"
#include "api/meta.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/log.h"
#include "kube/random.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stillpoint::kube {

// "<hostname>_<16 hex digits>": tells apart two lives of one Pod, too.
[[nodiscard]] std::string LeaderIdentity(std::string_view hostname, Random& random);

// Threads: the loop.
// Lifetime: must outlive the coroutine suspended in Run().
// Errors: requests that fail are logged when the reason changes, and tried again. A leader gives up
// when none has succeeded for `renew_deadline`, or as soon as it sees another holder.
class LeaderElector {
 public:
  struct Options {
    api::NamespacedName lease;
    std::string identity;
    std::chrono::milliseconds lease_duration{std::chrono::seconds(15)};  // what others wait for
    std::chrono::milliseconds renew_deadline{std::chrono::seconds(10)};  // when a leader gives up
    std::chrono::milliseconds retry_period{std::chrono::seconds(2)};
    std::chrono::milliseconds margin{std::chrono::seconds(5)};  // MayAct() ends so long before
    bool release_on_cancel = true;  // so that the next leader need not wait
    std::uint64_t seed = 0;         // of the jitter
  };

  // Neither may throw. `on_stopped` runs before the lease is released.
  struct Callbacks {
    std::function<void()> on_started;
    std::function<void()> on_stopped;
  };

  LeaderElector(Client& client, Clock& clock, LogFn log, Options options, Callbacks callbacks);

  // Waits for the lease, leads, and returns when the lead is lost, after `on_stopped`. A process
  // should then exit: its caches and plans are a former leader's.
  // Cancellation: a leader stops, releases the lease (if so told) and returns; others throw
  // operation_aborted. Cancel it last, when nothing acts any more.
  [[nodiscard]] boost::asio::awaitable<void> Run();

  // Between on_started and on_stopped.
  [[nodiscard]] bool IsLeader() const { return leading_; }

  // Whether the lease cannot have passed to another yet. False at once when a paused process goes
  // on, before any of its timers has run. Ask it before every act that only the leader may do.
  [[nodiscard]] bool MayAct() const;

  // Who holds the lease, as last seen; empty: nobody, or not known yet.
  [[nodiscard]] std::string Holder() const { return seen_.holder_identity.value_or(""); }

  // Whether the lease has been read since the start.
  [[nodiscard]] bool LeaseKnown() const { return lease_known_; }

 private:
  [[nodiscard]] boost::asio::awaitable<void> Acquire();
  [[nodiscard]] boost::asio::awaitable<void> Renew();
  [[nodiscard]] boost::asio::awaitable<void> Release();

  // Whether the lease is ours now.
  [[nodiscard]] boost::asio::awaitable<api::Result<bool>> TryAcquireOrRenew();
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> Create();
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> Write(api::LeaseSpec spec);
  void Held(const api::Lease& lease, Clock::Steady sent, api::Time sent_wall);
  void See(const api::Lease& lease);
  [[nodiscard]] bool HeldByAnother() const;
  [[nodiscard]] api::LeaseSpec Claim() const;
  [[nodiscard]] Request RequestFor(Verb verb) const;
  void Complain(const api::Error& error);
  void StopLeading();

  Client& client_;
  Clock& clock_;
  const LogFn log_;
  const Options options_;
  const Callbacks callbacks_;
  Random random_;

  api::LeaseSpec seen_;       // the lease as last read or written
  std::string seen_version_;  // its resourceVersion
  Clock::Steady seen_since_;  // since when `seen_` has been what it is
  bool lease_known_ = false;
  bool leading_ = false;
  Clock::Steady renewed_;     // when the last successful write was sent
  api::Time renewed_wall_{};  // the same by the wall clock, which also runs in a suspended machine
  std::string complaint_;
};

}  // namespace stillpoint::kube
