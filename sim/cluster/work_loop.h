// WorkLoop: a controller of the model cluster: keys that wait for their turn, each worked on by one
// worker at a time, again after a back-off when it did not succeed. As client-go's workqueue.
//
// RateLimit: the token bucket before the API calls of one component, as client-go's flowcontrol.
#pragma once

#include "api/meta.h"
#include "sim/cluster/timeline.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>

namespace stillpoint::sim {

// What becomes of a key whose turn is over.
enum class After {
  kNothing,  // until it is added again
  kBackoff,  // comes again by itself, later each time
};

class WorkLoop {
 public:
  using Done = std::function<void(After)>;
  // Calls `done` exactly once, at once or later.
  using Work = std::function<void(const api::NamespacedName&, Done)>;

  struct Options {
    std::chrono::milliseconds latency{1};  // from Add() to the turn: watch event and queue
    int workers = 10;
    std::chrono::milliseconds backoff{5};  // the first; doubles
    std::chrono::milliseconds max_backoff{1'000'000};
  };

  // Lifetime: must outlive what it has put on `timeline`.
  WorkLoop(Timeline& timeline, Options options, Work work);
  WorkLoop(const WorkLoop&) = delete;
  WorkLoop& operator=(const WorkLoop&) = delete;

  // Already waiting: no effect. Being worked on: once more, at once after that.
  void Add(const api::NamespacedName& key);
  void AddAfter(const api::NamespacedName& key, std::chrono::milliseconds delay);

 private:
  void MakeReady(const api::NamespacedName& key);
  void Start();
  void Finish(const api::NamespacedName& key, After after);

  Timeline& timeline_;
  const Options options_;
  const Work work_;
  std::set<api::NamespacedName> waiting_;  // to become ready, or ready
  std::deque<api::NamespacedName> ready_;
  std::set<api::NamespacedName> busy_;
  std::set<api::NamespacedName> dirty_;
  std::map<api::NamespacedName, int> failures_;
};

class RateLimit {
 public:
  // `qps` <= 0: no limit.
  RateLimit(Timeline& timeline, double qps, int burst, std::chrono::milliseconds call);

  // Runs `then` when `calls` API calls would have returned, each with its turn at the bucket.
  void Call(int calls, std::function<void()> then);

 private:
  Timeline& timeline_;
  const std::chrono::microseconds per_token_;
  const std::chrono::microseconds depth_;  // of a full bucket
  const std::chrono::milliseconds call_;
  api::Time full_at_{};  // when the bucket would be full if nobody called any more
};

}  // namespace stillpoint::sim
