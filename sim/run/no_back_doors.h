// In the simulator's binary the system's clocks and its entropy are shut while a run is on: whoever
// asks for them would make two runs of one seed differ, and ends the program with a stack instead.
//
// This is link-time: no_back_doors.cc defines clock_gettime, gettimeofday, time, getrandom,
// getentropy and getaddrinfo for the whole program, its shared libraries included.
#pragma once

#include <chrono>

namespace stillpoint::sim::run {

// Shuts the doors for as long as it lives. Threads: one.
class NoBackDoors {
 public:
  NoBackDoors();
  ~NoBackDoors();
  NoBackDoors(const NoBackDoors&) = delete;
  NoBackDoors& operator=(const NoBackDoors&) = delete;
};

// The system's monotonic clock, for the campaign's own timing; never shut.
[[nodiscard]] std::chrono::nanoseconds RealTime();

}  // namespace stillpoint::sim::run
