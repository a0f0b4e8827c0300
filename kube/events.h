// EventRecorder: tells people what happened to their objects, without ever making anyone wait.
#pragma once

#include "api/error.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/event_correlator.h"
#include "kube/log.h"
#include "kube/task_group.h"
#include "kube/waiters.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace stillpoint::kube {

// Events are for people: what must be known later belongs in a status. Repetitions become a count,
// and each object has a limit (event_correlator.h).
//
// Threads: call every method on the executor given to the constructor.
// Lifetime: Stop() before destruction.
// Errors: an Event that cannot be written is logged and dropped, after three attempts where the API
// server could not be reached. When `max_queue` wait, new ones are dropped.
class EventRecorder {
 public:
  struct Options {
    std::string identity;  // reportingInstance: who we are among replicas
    std::size_t max_queue = 1000;
  };

  struct Stats {
    std::uint64_t written = 0;
    std::uint64_t failed = 0;
    std::uint64_t dropped = 0;     // the queue was full
    std::uint64_t suppressed = 0;  // beyond the limit of their object
  };

  EventRecorder(boost::asio::any_io_executor executor, Client& client, Clock& clock, LogFn log,
                Options options);

  // Returns at once.
  void Record(const Occurrence& occurrence);

  // Takes no more, and suspends until all is written or `grace` is over.
  [[nodiscard]] boost::asio::awaitable<void> Stop(std::chrono::milliseconds grace);

  [[nodiscard]] Stats stats() const;

 private:
  [[nodiscard]] boost::asio::awaitable<void> Work();
  [[nodiscard]] boost::asio::awaitable<void> WaitForWork();
  [[nodiscard]] boost::asio::awaitable<void> Send(EventCorrelator::Write write);
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> SendOnce(EventCorrelator::Write write);
  void Push(EventCorrelator::Write write);

  Client& client_;
  Clock& clock_;
  const LogFn log_;
  const Options options_;
  EventCorrelator correlator_;
  std::deque<EventCorrelator::Write> queue_;
  Stats stats_;
  bool stopping_ = false;
  Waiters news_;
  TaskGroup tasks_;
};

}  // namespace stillpoint::kube
