// Repeat: is a run of a seed the same run in another process, with another heap and after another
// run? Compares event by event.
#pragma once

#include <cstdint>
#include <string>

namespace stillpoint::sim::run {

// The line and the hash of every event of this seed's run, after a run of `neighbour` if that is
// another seed.
void PrintEvents(std::uint64_t seed, std::uint64_t neighbour);

// Runs this program twice for each of `count` seeds, `step` apart. Prints the first event that
// differs, and the number of seeds. True: none does.
[[nodiscard]] bool VerifyDeterminism(std::uint64_t first, std::uint64_t count, std::uint64_t step);

}  // namespace stillpoint::sim::run
