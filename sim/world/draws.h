// Draws: keyed randomness. A draw is a hash of (seed, stream, entity, counter) and of nothing else,
// so that one more or one fewer of them moves no other: a run with a fault taken out differs only
// by what that fault did.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::sim {

enum class DrawStream : std::uint64_t { kScenario = 1, kFaults, kLatency, kScheduling };

// SplitMix64's finaliser.
[[nodiscard]] constexpr std::uint64_t Mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

// Goes on from `hash` with another number or text. The same in every build on one machine.
[[nodiscard]] constexpr std::uint64_t HashIn(std::uint64_t hash, std::uint64_t value) {
  return Mix(hash ^ value);
}
[[nodiscard]] inline std::uint64_t HashIn(std::uint64_t hash, std::string_view text) {
  hash ^= text.size();
  const auto add = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0x9ddfea08eb382d69U;
    hash ^= hash >> 32;
  };
  std::uint64_t word = 0;
  // Each of a size that the compiler knows, but for the rest.
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    add(word);
  }
  if (text.empty()) return Mix(hash);
  word = 0;
  std::memcpy(&word, text.data(), text.size());
  add(word);
  return Mix(hash);
}

// Threads: any; it has no state.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(Mix(seed)) {}

  [[nodiscard]] std::uint64_t Bits(DrawStream stream, std::uint64_t entity,
                                   std::uint64_t counter) const {
    return HashIn(HashIn(HashIn(seed_, static_cast<std::uint64_t>(stream)), entity), counter);
  }

  // At least 0, less than `limit`. REQUIRES: limit > 0.
  [[nodiscard]] std::uint64_t Below(std::uint64_t limit, DrawStream stream, std::uint64_t entity,
                                    std::uint64_t counter) const {
    return Bits(stream, entity, counter) % limit;
  }

  // Yes in `numerator` of `denominator` cases.
  [[nodiscard]] bool Chance(std::uint64_t numerator, std::uint64_t denominator, DrawStream stream,
                            std::uint64_t entity, std::uint64_t counter) const {
    return Below(denominator, stream, entity, counter) < numerator;
  }

  // Fisher and Yates; std::shuffle differs between libraries.
  template <class T>
  void Shuffle(std::vector<T>& items, DrawStream stream, std::uint64_t entity) const {
    for (std::size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[Below(left, stream, entity, left)]);
    }
  }

 private:
  std::uint64_t seed_;
};

}  // namespace stillpoint::sim
