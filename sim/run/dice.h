// Dice: random choices that do not depend on each other. A draw is a hash of (seed, stream, number
// of the draw), so that one more or one fewer draw in one stream moves nothing in any other: what a
// shrunk run leaves out changes nothing in what it keeps.
#pragma once

#include "sim/world/draws.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::sim::run {

// Threads: one. One draw a statement: the order of two in one expression is the compiler's choice.
class Dice {
 public:
  Dice(std::uint64_t seed, std::string_view stream) : state_(HashIn(Mix(seed), stream)) {}

  std::uint64_t Next() { return Mix(state_ + count_++); }

  // At least 0, less than `limit`. REQUIRES: limit > 0.
  std::size_t Below(std::size_t limit) { return static_cast<std::size_t>(Next() % limit); }

  // Both ends included. REQUIRES: least <= most.
  std::int64_t Between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(Next() % static_cast<std::uint64_t>(most - least + 1));
  }
  std::chrono::milliseconds Between(std::chrono::milliseconds least,
                                    std::chrono::milliseconds most) {
    return std::chrono::milliseconds(Between(least.count(), most.count()));
  }

  bool OneIn(std::size_t n) { return Below(n) == 0; }

  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }

  // Each element stays with probability 1/2, and at least one does: what is left out of a run makes
  // room for the rest (Groce et al., Swarm Testing).
  template <class T>
  std::vector<T> Swarm(const std::vector<T>& from) {
    std::vector<T> kept;
    for (const T& element : from) {
      if (OneIn(2)) kept.push_back(element);
    }
    if (kept.empty()) kept.push_back(Pick(from));
    return kept;
  }

 private:
  std::uint64_t state_;
  std::uint64_t count_ = 0;
};

}  // namespace stillpoint::sim::run
