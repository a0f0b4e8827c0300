// Controller: workers that take keys from a queue and reconcile them, until told to stop.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "kube/clock.h"
#include "kube/log.h"
#include "kube/task_group.h"
#include "kube/workqueue.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace stillpoint::kube {

// What a pass that succeeded asks for: nothing, as a watch will bring the key back, or another
// pass after `after`, which must be above zero.
struct Requeue {
  std::optional<std::chrono::milliseconds> after = std::nullopt;

  static Requeue None() { return {}; }
  static Requeue After(std::chrono::milliseconds delay) { return {.after = delay}; }
  bool operator==(const Requeue&) const = default;
};

// Threads: call every method on the executor given to the constructor.
// Lifetime: what `reconcile` uses must outlive it; Stop() before destruction.
// Errors: whatever a pass returns or throws brings the key back: a conflict at once (a few times),
// all else after the key's backoff, or after Error::retry_after if that is longer. Nothing that
// fails is ever forgotten, as nobody may be watching what would have to change.
class Controller {
 public:
  // One pass over one key. Never runs twice at the same time for one key.
  using ReconcileFn =
      std::function<boost::asio::awaitable<api::Result<Requeue>>(api::NamespacedName)>;

  struct Options {
    std::string name;  // for the log and the metrics
    int workers = 1;
    // Short at its longest: an application may be down, or still, until the next pass.
    WorkQueue::Backoff backoff{.base = std::chrono::milliseconds(5),
                               .max = std::chrono::seconds(10)};
  };

  // Since construction.
  struct Stats {
    std::uint64_t passes = 0;
    std::uint64_t exceptions = 0;
    std::map<api::Code, std::uint64_t> errors;
    std::chrono::nanoseconds time{};  // of all passes
  };

  Controller(boost::asio::any_io_executor executor, Clock& clock, LogFn log, Options options,
             ReconcileFn reconcile);

  // Where informers and plans put keys. Keys added before Start() wait.
  [[nodiscard]] WorkQueue& queue() { return queue_; }
  [[nodiscard]] const WorkQueue& queue() const { return queue_; }
  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const Stats& stats() const { return stats_; }

  // Starts the workers. REQUIRES: called once.
  void Start();

  // Takes no new key and suspends until the passes under way have ended. Those that are not done
  // after `grace` are cancelled.
  [[nodiscard]] boost::asio::awaitable<void> Stop(std::chrono::milliseconds grace);

 private:
  struct Outcome;

  [[nodiscard]] boost::asio::awaitable<void> Work();
  [[nodiscard]] boost::asio::awaitable<Outcome> Pass(api::NamespacedName key);
  void Conclude(const api::NamespacedName& key, const Outcome& outcome);
  void Retry(const api::NamespacedName& key, const api::Error& error);

  Clock& clock_;
  const LogFn log_;
  const Options options_;
  const ReconcileFn reconcile_;
  WorkQueue queue_;
  Stats stats_;
  std::map<api::NamespacedName, int> conflicts_;  // in a row
  TaskGroup workers_;
};

}  // namespace stillpoint::kube
