// Trace: what has happened in a run, as one number and, when somebody asks, as lines of text.
#pragma once

#include "api/meta.h"
#include "sim/world/point.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::sim {

// Threads: one.
class Trace {
 public:
  void Add(api::Time at, const Point& point);

  // Of every event so far: time, life, name and bytes. Equal in two runs that went alike.
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

  // Gets each event as it happens, with its hash so far.
  using Listener = std::function<void(api::Time at, const Point& point)>;
  void Listen(Listener listener) { listeners_.push_back(std::move(listener)); }

  // Keeps every moment at which a controller can be disturbed: all but kChange and kLife.
  void RecordMoments() { recording_ = true; }
  void StopRecording() { recording_ = false; }
  [[nodiscard]] const std::vector<Moment>& moments() const { return moments_; }

 private:
  void Record(const Point& point);

  std::uint64_t hash_ = 0;
  std::uint64_t events_ = 0;
  bool recording_ = false;
  std::vector<Listener> listeners_;
  std::vector<Moment> moments_;
  std::map<std::pair<int, std::string>, std::uint32_t> met_;
};

// "12.345678 life 1 answer patch volumebackups/status shop/a Conflict".
[[nodiscard]] std::string Line(api::Time since, api::Time at, const Point& point);

}  // namespace stillpoint::sim
