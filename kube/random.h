// Random: the dice of the house. Seeded by its owner and never by itself, so that a run can be
// replayed: jitter, identities and the choices of a simulator all come from here.
//
// Contract: xoshiro256** 1.0 seeded by SplitMix64 (https://prng.di.unimi.it). Not for secrets.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace stillpoint::kube {

// Threads: none of its own; one user at a time.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (auto& word : state_) word = SplitMix(seed);
  }

  std::uint64_t Next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // At least 0 and less than 1.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  // At least `least` and less than `least` * (1 + `spread`).
  std::chrono::milliseconds Jitter(std::chrono::milliseconds least, double spread) {
    const double factor = 1.0 + spread * Unit();
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(static_cast<double>(least.count()) * factor));
  }

 private:
  static std::uint64_t SplitMix(std::uint64_t& seed) {
    std::uint64_t z = (seed += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace stillpoint::kube
