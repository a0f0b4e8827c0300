// StableHash: 64 bits of a text, the same in every build and on every machine, which std::hash is
// not. For names that the next controller must find again.
#pragma once

#include <cstdint>
#include <string_view>

namespace stillpoint::controllers {

// FNV-1a. Chain calls through `seed` to hash several texts.
[[nodiscard]] constexpr std::uint64_t StableHash(std::string_view text,
                                                 std::uint64_t seed = 14695981039346656037ULL) {
  for (const char c : text) {
    seed ^= static_cast<unsigned char>(c);
    seed *= 1099511628211ULL;
  }
  return seed;
}

}  // namespace stillpoint::controllers
