// Reflector: keeps an ObjectStore equal to what the API server has, by a list and a watch that goes
// on where the list or the last watch ended. Informer<T> in informer.h is its typed front.
//
// Contract:
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
#pragma once

#include "api/error.h"
#include "api/resource.h"
#include "kube/client.h"
#include "kube/clock.h"
#include "kube/log.h"
#include "kube/object_store.h"
#include "kube/random.h"
#include "kube/waiters.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace stillpoint::kube {

// Threads: the loop.
// Lifetime: must outlive the coroutines suspended in it.
// Errors: none ends it. It tries again: at once after a watch that ended in good health, after 10 s
// where the resource is absent or a right is missing, else after a backoff of 0.5 s to 10 s.
class Reflector {
 public:
  struct Options {
    std::string ns;  // empty: all namespaces
    std::string label_selector;
    std::string field_selector;
    std::uint64_t seed = 0;  // of the jitter
    int page_size = 500;     // of a list: how much JSON is in memory at a time
  };

  // Since construction.
  struct Stats {
    std::uint64_t lists = 0;    // complete ones
    std::uint64_t watches = 0;  // opened
    std::uint64_t events = 0;   // bookmarks not counted
    std::uint64_t expired = 0;  // 410, or a watch that was too late to be believed
    std::uint64_t failures = 0;
  };

  Reflector(boost::asio::any_io_executor executor, Client& client, Clock& clock, LogFn log,
            api::Resource resource, Options options, ObjectStore& store);

  // Never returns. Cancellation: throws operation_aborted.
  [[nodiscard]] boost::asio::awaitable<void> Run();

  // Whether the store has ever been complete.
  [[nodiscard]] bool Synced() const { return stats_.lists > 0; }
  [[nodiscard]] boost::asio::awaitable<void> WaitSynced();

  // Why the store does not follow the API server at the moment: kForbidden, kNotFound (the resource
  // is absent), or whatever else keeps failing, in a sentence that names verb and resource.
  [[nodiscard]] const std::optional<api::Error>& Problem() const { return problem_; }

  [[nodiscard]] const Stats& stats() const { return stats_; }

 private:
  [[nodiscard]] boost::asio::awaitable<api::Error> Follow();
  [[nodiscard]] boost::asio::awaitable<api::Result<void>> List();
  [[nodiscard]] boost::asio::awaitable<api::Result<Answer>> AskForPage(std::string token);
  [[nodiscard]] boost::asio::awaitable<api::Result<std::string>> ListPages();
  [[nodiscard]] boost::asio::awaitable<api::Error> Watch();
  [[nodiscard]] bool Take(const WatchEvent& event);
  [[nodiscard]] api::Error Blame(const char* verb, const api::Error& error);
  void ClearProblem();
  [[nodiscard]] std::chrono::milliseconds NextDelay(const api::Error& error);

  Client& client_;
  Clock& clock_;
  const LogFn log_;
  const api::Resource resource_;
  const Options options_;
  ObjectStore& store_;
  Random random_;
  Stats stats_;
  std::string version_;  // where the next watch goes on; empty: list first
  std::optional<api::Error> problem_;
  bool healthy_ = false;  // the last watch stayed open for a while
  int failures_ = 0;      // in a row
  Waiters synced_;
};

}  // namespace stillpoint::kube
